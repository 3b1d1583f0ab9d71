/** Clocks of the hosts of a record: what each host wrote with its own date, moved to one clock. Pure. */
import type { Description } from './description.ts';

export interface ClockShift {
  /** To be added to a date of the host; it is then one by the clock that tells `beganAt`. Milliseconds. */
  readonly ms: number;
  /** By how much that may be wrong; null: not known. */
  readonly errorMs: number | null;
}

const NONE: ClockShift = { ms: 0, errorMs: 0 };

/** Hosts of one machine have one clock. In a record that was joined, `beganAt` is told by the part that began first. */
export function clockShiftOf(
  { parts, startedAt, clocks = {} }: Pick<Description, 'parts' | 'startedAt' | 'clocks'>,
  host: string,
): ClockShift {
  const base = parts?.find((part) => part.startedAt === startedAt);
  if (base === undefined || base.hosts.includes(host)) return NONE;
  const [own, first] = [clocks[host], clocks[base.hosts[0]!]];
  return {
    // Null of the host whose clock all follow.
    ms: (own?.offsetMs ?? 0) - (first?.offsetMs ?? 0),
    errorMs:
      own?.errorMs == null && first?.errorMs == null ? null : (own?.errorMs ?? 0) + (first?.errorMs ?? 0),
  };
}
