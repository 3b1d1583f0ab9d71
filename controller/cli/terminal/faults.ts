/** What events and commands have in force, for `netfold status` and `netfold history`. */
import type { AgentStatus, FaultStatus, SequenceStatus } from '../../../proto/status.ts';
import { formatMicros, fromMillis } from '../../../proto/units.ts';

type Timed = Pick<AgentStatus, 'faults' | 'sequences' | 'nowMs' | 'nextEventMs'>;

/** More are counted. */
const SHOWN = 6;

/** One line with the time, one for each fault. Nothing before the experiment has begun. */
export function faultLines({ faults, sequences = [], nowMs, nextEventMs }: Timed): string[] {
  if (nowMs === null) return [];
  const next = nextEventMs === null ? 'no more events' : `next event at ${instant(nextEventMs)}`;
  return [`at ${instant(nowMs)}, ${next}`, ...sequences.map(sequenceLine), ...faults.map(faultLine)];
}

function sequenceLine({ name, state, step, sinceMs, about }: SequenceStatus): string {
  const what = step === null ? state : state === 'failed' ? `failed in step ${step}` : `in step ${step}`;
  const since = sinceMs === null ? '' : ` since ${instant(sinceMs)}`;
  const wait = state === 'waits' ? ' for ' : state === 'runs' && about.length > 0 ? ', waits for ' : ': ';
  return `sequence ${name}: ${what}${since}${about.length === 0 ? '' : `${wait}${namesText(', ', about, about.length)}`}`;
}

function faultLine({ what, verb, names, count, sinceMs, untilMs, by, givenBy }: FaultStatus): string {
  const until = untilMs === null ? '' : ` until ${instant(untilMs)}`;
  const whom = names.length === 0 ? '' : `: ${namesText(what === 'partition' ? ' | ' : ' ', names, count)}`;
  const source = givenBy === undefined ? by : `${by}, by ${givenBy}`;
  return `${verb} since ${instant(sinceMs)}${until}${whom} (${source})`;
}

/** The first names, and how many more there are. */
export function namesText(separator: string, names: readonly string[], count: number): string {
  const shown = names.slice(0, SHOWN).join(separator);
  return count > Math.min(SHOWN, names.length)
    ? `${shown} and ${count - Math.min(SHOWN, names.length)} more`
    : shown;
}

const instant = (ms: number): string => formatMicros(fromMillis(ms));
