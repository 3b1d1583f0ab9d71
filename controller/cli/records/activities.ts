/** Where a record comes from, and which of its programs wrote which file: as `netfold records show` and crates have it. */
import { formatMicros, fromMillis } from '../../../proto/units.ts';
import type { Activity } from '../../record/activities.ts';
import { type Description, OUTPUTS } from '../../record/description.ts';
import type { RecordSummary } from '../../record/read.ts';
import { table } from '../terminal/output.ts';

/** None where endpoints have left no files. */
export async function activitiesIn({
  folder,
  description,
  events,
}: Pick<RecordSummary, 'folder' | 'description' | 'events'>): Promise<Activity[]> {
  const files = Object.keys(description.files).filter((path) => path.startsWith(`${OUTPUTS}/`));
  if (files.length === 0) return [];
  // All formats are loaded for the topology.
  const { topologyOf } = await import('../../record/topology-of.ts');
  const { activitiesOf } = await import('../../record/activities.ts');
  try {
    return activitiesOf(topologyOf({ folder, description }), events, files);
  } catch {
    // A topology of a later netfold.
    return [];
  }
}

const MOST_SHOWN = 20;

export function activityLines(activities: readonly Activity[]): string[] {
  if (activities.length === 0) return [];
  const rows = activities
    .slice(0, MOST_SHOWN)
    .map(({ name, endpoint, endedMs, code, files }) => [
      name,
      endpoint,
      endedMs === undefined ? '' : formatMicros(fromMillis(Math.round(endedMs))),
      code === undefined ? '' : String(code),
      files.map((path) => path.slice(`${OUTPUTS}/${endpoint}/`.length)).join(' '),
    ]);
  const rest = activities.length - MOST_SHOWN;
  if (rest > 0) rows.push([`and ${rest} more: --json has all`]);
  return ['', table(['program', 'in', 'ended at', 'exit', 'files'], rows, [2, 3])];
}

/** What the topology was made from; nothing where it was a file alone. */
export function originLines({ origin }: Pick<Description, 'origin'>): string[] {
  if (!origin) return [];
  const { template, parameters = {}, study, queue } = origin;
  const set = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const parts = [
    ...(template ? [`template ${template.name}@${template.version.slice(0, 10)}`] : []),
    ...(set.length > 0 ? [`with ${set.join(' ')}`] : []),
    ...(study ? [`point ${study.point} of the study ${study.name}, run ${study.repetition}`] : []),
    ...(queue
      ? [`${queue.number} of the queue, submitted by ${queue.by} in ${queue.cwd} at ${queue.submittedAt}`]
      : []),
  ];
  return [`  ${parts.join(', ')}`];
}
