/**
 * What the TCP connections of the applications have measured, against the paths that they use. A round trip that is shorter than
 * the path's means that a rule has no effect; one that is longer although no queue can have formed means that something else
 * delays. Pure.
 *
 * The kernel's shortest round trip is that of five minutes, and its smoothed one forgets slowly. So a connection is judged by
 * the shortest if it began after paths changed last, by the smoothed one if enough of its packets were acknowledged since then,
 * and not at all otherwise.
 *
 * Too short is what one connection says. Too long is what all connections of a pair say: one that has begun while the machine was
 * busy, or whose packets always meet their own burst, never measures the path. The smoothed round trip, which has queues and late
 * acknowledgements in it, proves nothing; it is a reason to look closer.
 */
import { micros, toMillis } from '../../proto/units.ts';
import type { Symptom } from './causes.ts';

/** Packets leave the delay line up to 0.4 ms early (agent/linux/delay-line); clocks of both ends, and a path's own granularity. */
const SHORTER = { ms: 1, part: 0.05 } as const;
/**
 * What two machines that have something else to do add to their shortest round trip, of at least so many. With what a machine adds
 * that is late now (`mostLateMs`), never 20 ms: so much too long is named on any path.
 */
const LONGER = { ms: 5, part: 0.2, mostMs: 12, mostLateMs: 6, packets: 10 } as const;
/** A jitter's distribution is cut off at so many deviations (agent/enforce/distributions.ts). */
const DEVIATIONS = 4;
/** So many acknowledged packets, and of the smoothed round trip less than a hundredth is older. */
const FORGOTTEN_PACKETS = 200;
/** An older acknowledgement says nothing of now. */
const RECENT_MS = 3000;

/** After a change of paths it is in force everywhere within this time, or told of as late. */
const SETTLED_MS = 500;

/** What a TCP connection has measured. Round trips in µs. */
export interface Measured {
  readonly id: string;
  readonly smoothedMicros: number;
  readonly shortestMicros: number | undefined;
  readonly delivered: number;
  readonly retransmitted: number;
  readonly sinceAckMs: number;
}

/** Both directions of a pair of endpoints together, ms. */
export interface RoundTrip {
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** That the bytes of full packets take. */
  readonly transmissionMs: number;
  /** Nobody sends so much that a queue could form. */
  readonly isQuiet: boolean;
}

/** What a packet takes there and back at the most, if it meets neither a queue nor a busy machine. */
export const longestOf = ({ latencyMs, jitterMs, transmissionMs }: RoundTrip): number =>
  latencyMs + DEVIATIONS * jitterMs + transmissionMs;

/** The shortest round trip of a faithful path is between these, ms. `slackMs`: what this machine adds now. */
export function limitsOf(
  trip: RoundTrip,
  slackMs: number,
): { readonly least: number; readonly most: number } {
  const { latencyMs, jitterMs } = trip;
  const margin = Math.min(LONGER.mostMs, Math.max(LONGER.ms, LONGER.part * latencyMs));
  return {
    least: latencyMs - DEVIATIONS * jitterMs - Math.max(SHORTER.ms, SHORTER.part * latencyMs),
    most: longestOf(trip) + margin + Math.min(LONGER.mostLateMs, slackMs),
  };
}

/** A packet is this late there and back at twice the mean lateness of the delay line, ms. */
export const slackOf = (meanLateMs: number): number => 2 * 2 * meanLateMs;

export interface Seen {
  readonly measuredMs: number;
  readonly retransmitted: number;
  readonly at: number;
}

export interface Judged {
  readonly symptoms: readonly Symptom[];
  readonly seen: Seen | undefined;
  /** The path may be too long: all connections say so, by what proves something or not. */
  readonly isSuspicious: boolean;
}

interface Known {
  /** It began after the paths changed last. */
  isYoung: boolean;
  /** At the last change, or when it was seen first; below 0: not seen since the change. */
  delivered: number;
  at: number;
}

/** A connection that was not seen for so long has ended. Endpoints are looked at in turn. */
const FORGOTTEN_MS = 600_000;
/** How often that is looked for, in looks. */
const SWEEP = 256;

export class TcpPaths {
  readonly #known = new Map<string, Known>();
  /** Source → when it was looked at last. */
  readonly #looks = new Map<number, number>();
  #changedAt = Number.POSITIVE_INFINITY;
  /** When the present source was looked at before. */
  #before = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** Paths are others from now on. */
  changed(now: number): void {
    this.#changedAt = now + SETTLED_MS;
    for (const known of this.#known.values()) {
      known.isYoung = false;
      known.delivered = -1;
    }
  }

  /** To be called before `judge` for the pairs of a source: what was not there at the look before has begun since. */
  begin(source: number, now: number): void {
    this.#before = this.#looks.get(source) ?? Number.NEGATIVE_INFINITY;
    this.#looks.set(source, now);
    if (++this.#count % SWEEP !== 0) return;
    for (const [id, { at }] of this.#known) if (now - at > FORGOTTEN_MS) this.#known.delete(id);
  }

  /** What the connections of one pair say; `path`: its name. `slackMs`: what this machine adds to a round trip now. */
  judge(now: number, path: string, connections: readonly Measured[], trip: RoundTrip, slackMs = 0): Judged {
    const { least, most } = limitsOf(trip, slackMs);
    const symptoms: Symptom[] = [];
    let [shortest, retransmitted, smoothed] = [Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY];
    let isProof = false;
    for (const connection of connections) {
      const known = this.#note(connection, now);
      retransmitted += connection.retransmitted;
      if (connection.sinceAckMs <= RECENT_MS && isOfNow(connection, known))
        smoothed = Math.min(smoothed, inMillis(connection.smoothedMicros));
      const measured = measuredOf(connection, known);
      if (measured === undefined) continue;
      const measuredMs = inMillis(measured);
      shortest = Math.min(shortest, measuredMs);
      if (known.isYoung && connection.delivered >= LONGER.packets) isProof = true;
      if (measuredMs < least) symptoms.push(tooShort(path, measuredMs, trip, least));
    }
    const isLong = trip.isQuiet && Number.isFinite(shortest) && shortest > most;
    if (isLong && isProof) symptoms.push(tooLong(path, shortest, trip, most));
    const isSuspicious = isLong || (trip.isQuiet && Number.isFinite(smoothed) && smoothed > most);
    const seen = Number.isFinite(shortest) ? { measuredMs: shortest, retransmitted, at: now } : undefined;
    return { symptoms, seen, isSuspicious };
  }

  #note({ id, delivered }: Measured, now: number): Known {
    const known = this.#known.get(id) ?? { isYoung: this.#before >= this.#changedAt, delivered, at: now };
    this.#known.set(id, known);
    if (known.delivered < 0) known.delivered = delivered;
    known.at = now;
    return known;
  }
}

/** Whether its smoothed round trip says something of the path as it is now. */
const isOfNow = ({ delivered }: Measured, known: Known): boolean =>
  known.isYoung || delivered - known.delivered >= FORGOTTEN_PACKETS;

/** The round trip that says something of the path as it is now, µs. */
function measuredOf(connection: Measured, known: Known): number | undefined {
  if (connection.sinceAckMs > RECENT_MS) return undefined;
  if (known.isYoung) return connection.shortestMicros;
  return isOfNow(connection, known) ? connection.smoothedMicros : undefined;
}

const tooShort = (path: string, measured: number, { latencyMs }: RoundTrip, bound: number): Symptom => ({
  code: 'RTT_SHORT',
  ...{ path, measured, bound },
  message: `TCP of ${path} measures ${text(measured)} ms there and back, and the path takes ${text(latencyMs)} ms: packets pass its rules by, or the rules have no effect`,
});

const tooLong = (path: string, measured: number, { latencyMs }: RoundTrip, bound: number): Symptom => ({
  code: 'RTT_LONG',
  ...{ path, measured, bound },
  message: `TCP of ${path} measures ${text(measured)} ms there and back at the least, and the path takes ${text(latencyMs)} ms, though nothing fills its queue`,
});

const inMillis = (time: number): number => toMillis(micros(time));
const text = (ms: number): string => String(Number(ms.toFixed(2)));
