/**
 * What the TCP connections of the applications have measured, against the paths that they use. A round trip that is shorter than
 * the path's means that a rule has no effect; one that is longer although no queue can have formed means that something else
 * delays. Pure.
 *
 * The kernel's shortest round trip is that of five minutes, and its smoothed one forgets slowly. So a connection is judged by
 * the shortest if it began after paths changed last, by the smoothed one if enough of its packets were acknowledged since then,
 * and not at all otherwise.
 */
import { micros, toMillis } from '../../proto/units.ts';
import type { Symptom } from './causes.ts';

/** Packets leave the delay line up to 0.4 ms early (agent/linux/delay-line); clocks of both ends, and a path's own granularity. */
const SHORTER = { ms: 1, part: 0.05 } as const;
/** What two machines that have something else to do add to their shortest round trip, of at least so many. */
const LONGER = { ms: 5, part: 0.2, packets: 10 } as const;
/** A jitter's distribution is cut off at so many deviations (agent/enforce/distributions.ts). */
const DEVIATIONS = 4;
/** The same margins for what is measured in other ways. */
export const MARGINS = { shorter: SHORTER, longer: LONGER, deviations: DEVIATIONS } as const;
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

export interface Seen {
  readonly measuredMs: number;
  readonly retransmitted: number;
  readonly at: number;
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

  /** What the connections of one pair say; `path`: its name. */
  judge(
    now: number,
    path: string,
    connections: readonly Measured[],
    trip: RoundTrip,
  ): { readonly symptoms: readonly Symptom[]; readonly seen: Seen | undefined } {
    const symptoms: Symptom[] = [];
    let seen: Seen | undefined;
    let retransmitted = 0;
    for (const connection of connections) {
      const known = this.#note(connection, now);
      retransmitted += connection.retransmitted;
      const measured = measuredOf(connection, known);
      if (measured === undefined) continue;
      const measuredMs = toMillis(micros(measured));
      if (!seen || measuredMs < seen.measuredMs) seen = { measuredMs, retransmitted: 0, at: now };
      const symptom = symptomOf(path, measuredMs, trip, known.isYoung ? connection.delivered : 0);
      if (symptom) symptoms.push(symptom);
    }
    return { symptoms, seen: seen && { ...seen, retransmitted } };
  }

  #note({ id, delivered }: Measured, now: number): Known {
    const known = this.#known.get(id) ?? { isYoung: this.#before >= this.#changedAt, delivered, at: now };
    this.#known.set(id, known);
    if (known.delivered < 0) known.delivered = delivered;
    known.at = now;
    return known;
  }
}

/** The round trip that says something of the path as it is now, µs. */
function measuredOf(connection: Measured, { isYoung, delivered }: Known): number | undefined {
  if (connection.sinceAckMs > RECENT_MS) return undefined;
  if (isYoung) return connection.shortestMicros;
  return connection.delivered - delivered >= FORGOTTEN_PACKETS ? connection.smoothedMicros : undefined;
}

/** `packets`: of which the measurement is the shortest; 0: it is a mean. */
function symptomOf(path: string, measured: number, trip: RoundTrip, packets: number): Symptom | undefined {
  const { latencyMs, jitterMs, transmissionMs, isQuiet } = trip;
  const spread = DEVIATIONS * jitterMs;
  const least = latencyMs - spread - Math.max(SHORTER.ms, SHORTER.part * latencyMs);
  if (measured < least)
    return {
      code: 'RTT_SHORT',
      ...{ path, measured, bound: least },
      message: `TCP of ${path} measures ${text(measured)} ms there and back, and the path takes ${text(latencyMs)} ms: packets pass its rules by, or the rules have no effect`,
    };
  const most = latencyMs + spread + transmissionMs + Math.max(LONGER.ms, LONGER.part * latencyMs);
  if (isQuiet && packets >= LONGER.packets && measured > most)
    return {
      code: 'RTT_LONG',
      ...{ path, measured, bound: most },
      message: `TCP of ${path} measures ${text(measured)} ms there and back at the least, and the path takes ${text(latencyMs)} ms, though nothing fills its queue`,
    };
  return undefined;
}

const text = (ms: number): string => String(Number(ms.toFixed(2)));
