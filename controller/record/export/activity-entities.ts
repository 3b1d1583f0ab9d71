/** Programs of a run as actions of a Process Run Crate: which of them made which file. */
import { type Activity, dateOf } from '../activities.ts';

type Entity = { readonly '@id': string; readonly '@type': string } & Readonly<Record<string, unknown>>;

const ref = (id: string): { readonly '@id': string } => ({ '@id': id });

/** `idOf`: of a file by its path in the record. The program is an entity of its own, which the profile asks for. */
export function activityEntities(
  activities: readonly Activity[],
  { beganAt, idOf }: { readonly beganAt: string | null; readonly idOf: (path: string) => string },
): { readonly actions: readonly Entity[]; readonly programs: readonly Entity[] } {
  const programs = new Map<string, Entity>();
  const actions = activities.map(({ name, endpoint, command, endedMs, code, files }): Entity => {
    const program = command === '' ? 'what was run by hand' : command;
    const instrument = `#program-${encodeURIComponent(program)}`;
    programs.set(instrument, { '@id': instrument, '@type': 'SoftwareApplication', name: program });
    const endTime = endedMs === undefined ? undefined : dateOf(beganAt, endedMs);
    return {
      ...{ '@id': `#activity-${endpoint}-${name}`, '@type': 'CreateAction', name: `${name} in ${endpoint}` },
      instrument: ref(instrument),
      ...(endTime !== undefined && { endTime }),
      ...(code !== undefined && {
        actionStatus: ref(`http://schema.org/${code === 0 ? 'Completed' : 'Failed'}ActionStatus`),
        ...(code !== 0 && { error: `exited with ${code}` }),
      }),
      result: files.map((path) => ref(idOf(path))),
    };
  });
  return { actions, programs: [...programs.values()] };
}
