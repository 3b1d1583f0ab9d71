/** What probes of a path have met → whether it is as its topology says. Pure. */
import type { ProbesTold } from '../../proto/view.ts';
import type { Symptom } from './causes.ts';
import { MARGINS, type RoundTrip } from './tcp-paths.ts';

/** So many in a row: one may have waited behind a busy machine. */
const SHORT_IN_A_ROW = 2;
const LONG_IN_A_ROW = 4;
/** So many in a row at least, however little the path loses … */
const LOST_IN_A_ROW = 4;
/** … and so many that losing them by chance is as rare as this. */
const CHANCE = 1e-6;
/** More are not waited for: such a path loses too much to say anything. */
const MOST_IN_A_ROW = 30;
const MOST_LOSS = 0.99;

/** What a probe has measured, ms; `undefined`: it did not come back. */
type Outcome = number | undefined;

/** A path to be probed, and what a probe there and back has to meet. */
export interface Expected {
  readonly trip: RoundTrip;
  /** The part of probes that the path loses, there and back. */
  readonly loss: number;
}

export class ProbeOutcomes {
  #latest: Outcome[] = [];
  /** Since nobody can have filled the path's queue. */
  #quiet: Outcome[] = [];
  #hasAnswered = false;
  #sent = 0;
  #lost = 0;

  note(outcome: Outcome): void {
    this.#sent++;
    if (outcome === undefined) this.#lost++;
    else this.#hasAnswered = true;
    this.#latest = [...this.#latest, outcome].slice(-SHORT_IN_A_ROW);
    this.#quiet = [...this.#quiet, outcome].slice(-MOST_IN_A_ROW);
  }

  /** What was until now may have waited in the queue, or found no room in it. */
  forgetQueued(): void {
    this.#quiet = [];
  }

  get told(): ProbesTold {
    const latest = this.#latest.findLast((one) => one !== undefined);
    return { sent: this.#sent, lost: this.#lost, latestMs: latest ?? null };
  }

  /** `path`: its name. */
  symptoms(path: string, { trip, loss }: Expected): Symptom[] {
    const { latencyMs, jitterMs, transmissionMs, isQuiet } = trip;
    const { shorter, longer, deviations } = MARGINS;
    const spread = deviations * jitterMs;
    const least = latencyMs - spread - Math.max(shorter.ms, shorter.part * latencyMs);
    const most = latencyMs + spread + transmissionMs + Math.max(longer.ms, longer.part * latencyMs);
    const shorts = measuredOf(this.#latest, SHORT_IN_A_ROW);
    if (shorts?.every((ms) => ms < least)) {
      const message = `probes of ${path} take ${text(shorts[0]!)} ms, and the path takes ${text(latencyMs)} ms: packets pass its rules by, or the rules have no effect`;
      return [{ code: 'RTT_SHORT', ...{ path, measured: Math.min(...shorts), bound: least, message } }];
    }
    if (!isQuiet) return [];
    const longs = measuredOf(this.#quiet, LONG_IN_A_ROW);
    if (longs?.every((ms) => ms > most)) {
      const measured = Math.min(...longs);
      const message = `probes of ${path} take ${text(measured)} ms at the least, and the path takes ${text(latencyMs)} ms, though nothing fills its queue`;
      return [{ code: 'RTT_LONG', ...{ path, measured, bound: most, message } }];
    }
    return this.#missing(path, loss);
  }

  /** Who never answered may not be allowed to: a firewall in an endpoint is no fault of the path. */
  #missing(path: string, loss: number): Symptom[] {
    const enough = loss > 0 ? Math.ceil(Math.log(CHANCE) / Math.log(Math.min(loss, MOST_LOSS))) : 0;
    const needed = Math.max(LOST_IN_A_ROW, enough);
    const missing = this.#quiet.length - 1 - this.#quiet.findLastIndex((one) => one !== undefined);
    if (!this.#hasAnswered || needed > MOST_IN_A_ROW || missing < needed) return [];
    const message = `the last ${missing} probes of ${path} did not come back, though nothing fills its queue: the real network loses them, or an endpoint no longer answers`;
    return [{ code: 'PROBES_LOST', path, measured: missing, bound: needed - 1, message }];
  }
}

/** The last so many; `undefined` if there are fewer, or one of them was lost. */
function measuredOf(outcomes: readonly Outcome[], count: number): number[] | undefined {
  const last = outcomes.slice(-count).filter((one) => one !== undefined);
  return last.length === count ? last : undefined;
}

const text = (ms: number): string => String(Number(ms.toFixed(2)));
