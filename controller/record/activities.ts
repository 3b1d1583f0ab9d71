/** Which program wrote which of the files that a record keeps: each program of a sequence has a folder of its own for them. Pure. */
import type { Topology } from '../../topology/model/model.ts';
import { OUTPUTS } from './description.ts';
import type { EventRow } from './rows.ts';

/** A program that ran in an endpoint. */
export interface Activity {
  /** `main.3`: of a sequence, and its step; `run`: the command of the service, and those of `run` events. */
  readonly name: string;
  readonly endpoint: string;
  readonly command: string;
  /** Of programs of sequences: when it had ended, ms since the timeline began, and its exit code, if it had one. Absent: it is not known. */
  readonly endedMs?: number;
  readonly code?: number;
  /** In the record. */
  readonly files: readonly string[];
}

/** What agents tell of programs: `ended main 3 server.0 0`. */
const ENDED = /^ended (\S+) (\d+) (\S+)(?: (\d+))?$/;

/** `files`: paths in the record, in order. Activities that ended, or left files. */
export function activitiesOf(
  { services, sequences = [] }: Pick<Topology, 'services' | 'sequences'>,
  events: readonly EventRow[],
  files: readonly string[],
): Activity[] {
  const own = new Map(sequences.map(({ name, steps }) => [name, steps]));
  const programOf = (sequence: string, step: number): string | undefined => {
    const found = own.get(sequence)?.[step - 1];
    return found?.kind === 'program' ? found.action.command : undefined;
  };
  const found = new Map<string, { -readonly [K in keyof Activity]: Activity[K] }>();
  const keyOf = (endpoint: string, name: string): string => `${endpoint} ${name}`;
  for (const { text, dueMs } of events) {
    const [, sequence = '', step = '', endpoint = '', code] = ENDED.exec(text) ?? [];
    const command = programOf(sequence, Number(step));
    const name = `${sequence}.${step}`;
    // The first of them counts.
    if (command === undefined || found.has(keyOf(endpoint, name))) continue;
    const ended = { endedMs: dueMs, ...(code !== undefined && { code: Number(code) }) };
    found.set(keyOf(endpoint, name), { name, endpoint, command, ...ended, files: [] });
  }
  for (const path of files) {
    const [folder, endpoint = '', first = '', ...rest] = path.split('/');
    if (folder !== OUTPUTS || first === '') continue;
    const [, sequence = '', step = ''] = /^(.+)\.(\d+)$/.exec(first) ?? [];
    const program = rest.length > 0 ? programOf(sequence, Number(step)) : undefined;
    const name = program === undefined ? 'run' : first;
    const service = services.find((one) => one.name === endpoint.replace(/\.\d+$/, ''));
    const before = found.get(keyOf(endpoint, name));
    const command = program ?? service?.run ?? '';
    found.set(keyOf(endpoint, name), {
      ...(before ?? { name, endpoint, command }),
      files: [...(before?.files ?? []), path],
    });
  }
  return [...found.values()];
}

/** Milliseconds since the timeline began as a date; `undefined`: it did not begin. */
export const dateOf = (beganAt: string | null, ms: number): string | undefined =>
  beganAt === null ? undefined : new Date(Date.parse(beganAt) + ms).toISOString();
