/** What probes of a path have met → whether it is as its topology says. Pure. */
import type { ProbesTold } from '../../proto/view.ts';
import type { Symptom } from './causes.ts';
import { limitsOf, type RoundTrip } from './tcp-paths.ts';

/** So many in a row: one may have waited behind a busy machine. */
const SHORT_IN_A_ROW = 2;
/** All that came back in so long, and so many at least: the shortest of them met no queue, and no machine pauses for so long. */
const LONG_FOR_MS = 900;
const LONG_IN_A_ROW = 4;
/** Where TCP sends as well: at half of the bandwidth, chance puts all of them into its queue once in a thousand times. */
const LONG_BESIDE_TCP = 10;
/** So many in a row at least, however little the path loses … */
const LOST_IN_A_ROW = 4;
/** … and so many that losing them by chance is as rare as this. */
const CHANCE = 1e-6;
/** More are not waited for: such a path loses too much to say anything. */
const MOST_IN_A_ROW = 30;
const MOST_LOSS = 0.99;
/** Losses in a row that are more likely than this say nothing yet. */
const LIKELY = 0.05;

interface Outcome {
  /** What a probe has measured, ms; `undefined`: it did not come back. */
  readonly ms: number | undefined;
  readonly at: number;
}

/** A path to be probed, and what a probe there and back has to meet. */
export interface Expected {
  readonly trip: RoundTrip;
  /** The part of probes that the path loses, there and back. */
  readonly loss: number;
  /** What this machine adds now, ms. */
  readonly slackMs?: number;
  /** TCP uses it as well, and has measured too much: the probes decide about that alone. */
  readonly isBesideTcp?: boolean;
  /** Its flow has ended, perhaps with an endpoint: only an answer that comes too soon says something. */
  readonly isOver?: boolean;
}

export class ProbeOutcomes {
  #latest: Outcome[] = [];
  /** Since nobody can have filled the path's queue. */
  #quiet: Outcome[] = [];
  #hasAnswered = false;
  #sent = 0;
  #lost = 0;

  /** `ms`: the round trip; `undefined`: it did not come back. `at`: when that was known, ms. */
  note(ms: number | undefined, at: number): void {
    this.#sent++;
    if (ms === undefined) this.#lost++;
    else this.#hasAnswered = true;
    this.#latest = [...this.#latest, { ms, at }].slice(-SHORT_IN_A_ROW);
    this.#quiet = [...this.#quiet, { ms, at }].slice(-MOST_IN_A_ROW);
  }

  /** What was until now may have waited in the queue, or found no room in it. */
  forgetQueued(): void {
    this.#quiet = [];
  }

  get told(): ProbesTold {
    const latest = this.#latest.findLast(({ ms }) => ms !== undefined)?.ms;
    return { sent: this.#sent, lost: this.#lost, latestMs: latest ?? null };
  }

  /** When the last one came back that is known; `undefined`: none has. */
  get answeredAt(): number | undefined {
    return this.#latest.findLast(({ ms }) => ms !== undefined)?.at;
  }

  /** Whether the last one was not as it should be, so that others should follow soon. */
  isOdd({ trip, loss, slackMs = 0, isBesideTcp = false, isOver = false }: Expected): boolean {
    const last = this.#latest.at(-1);
    if (!last) return false;
    const { least, most } = limitsOf(trip, slackMs);
    if (isOver) return last.ms !== undefined && last.ms < least;
    if (last.ms !== undefined) return last.ms < least || (trip.isQuiet && last.ms > most);
    return trip.isQuiet && !isBesideTcp && this.#hasAnswered && loss ** this.#missing <= LIKELY;
  }

  /** How many of the latest are lost. */
  get #missing(): number {
    return this.#quiet.length - 1 - this.#quiet.findLastIndex(({ ms }) => ms !== undefined);
  }

  /** `path`: its name. */
  symptoms(
    path: string,
    { trip, loss, slackMs = 0, isBesideTcp = false, isOver = false }: Expected,
  ): Symptom[] {
    const { latencyMs, isQuiet } = trip;
    const { least, most } = limitsOf(trip, slackMs);
    const shorts = measuredOf(this.#latest, SHORT_IN_A_ROW);
    if (shorts?.every((ms) => ms < least)) {
      const message = `probes of ${path} take ${text(shorts[0]!)} ms, and the path takes ${text(latencyMs)} ms: packets pass its rules by, or the rules have no effect`;
      return [{ code: 'RTT_SHORT', ...{ path, measured: Math.min(...shorts), bound: least, message } }];
    }
    if (!isQuiet || isOver) return [];
    const shortest = this.#shortest(isBesideTcp ? LONG_BESIDE_TCP : LONG_IN_A_ROW);
    if (shortest !== undefined && shortest > most) {
      const message = `probes of ${path} take ${text(shortest)} ms at the least, and the path takes ${text(latencyMs)} ms, though nothing fills its queue`;
      return [{ code: 'RTT_LONG', ...{ path, measured: shortest, bound: most, message } }];
    }
    return isBesideTcp ? [] : this.#lostOnes(path, loss);
  }

  /** Of the latest that came back, so many and over `LONG_FOR_MS` at least; `undefined`: there are not enough yet. */
  #shortest(count: number): number | undefined {
    const back = this.#quiet.filter(({ ms }) => ms !== undefined);
    const last = back.at(-1);
    if (!last) return undefined;
    const since = back.findLastIndex(({ at }) => last.at - at >= LONG_FOR_MS);
    const start = Math.min(since, back.length - count);
    return start < 0 ? undefined : Math.min(...back.slice(start).map(({ ms }) => ms!));
  }

  /** Who never answered may not be allowed to: a firewall in an endpoint is no fault of the path. */
  #lostOnes(path: string, loss: number): Symptom[] {
    const enough = loss > 0 ? Math.ceil(Math.log(CHANCE) / Math.log(Math.min(loss, MOST_LOSS))) : 0;
    const needed = Math.max(LOST_IN_A_ROW, enough);
    const missing = this.#missing;
    if (!this.#hasAnswered || needed > MOST_IN_A_ROW || missing < needed) return [];
    const message = `the last ${missing} probes of ${path} did not come back, though nothing fills its queue: the real network loses them, or an endpoint no longer answers`;
    return [{ code: 'PROBES_LOST', path, measured: missing, bound: needed - 1, message }];
  }
}

/** The last so many; `undefined` if there are fewer, or one of them was lost. */
function measuredOf(outcomes: readonly Outcome[], count: number): number[] | undefined {
  const last = outcomes.slice(-count).flatMap(({ ms }) => ms ?? []);
  return last.length === count ? last : undefined;
}

const text = (ms: number): string => String(Number(ms.toFixed(2)));
