/**
 * What is known of another host's clock, from requests and answers: the clock filter of NTP (RFC 5905, sections 8 and
 * 10). The own part of each exchange is measured on the monotonic clock, so it stays valid when the own clock is
 * corrected.
 */
import { fromMillis, type Micros, micros, partsPerMillion } from '../../proto/units.ts';

/** As in RFC 5905. With a request every other second, the reference has a good sample within 16 s. */
export const SAMPLES = 8;
/** Of so many answers in a row, the shortest says how long one takes now: a pause of a machine is in one or two of them. */
export const LATEST = 3;
/** How fast two machines' clocks may diverge: quartz is good for ± 50 ppm. */
export const DRIFT_PPM = 100;

/** One exchange. The own times are `Clock.now()`; the other host's are microseconds, of the experiment if `timed`. */
export interface Exchange {
  readonly incarnation: number;
  readonly asked: number;
  readonly answered: number;
  readonly timed: boolean;
  readonly received: number;
  readonly sent: number;
}

export interface ClockEstimate {
  /** The other clock minus the own monotonic one; the true value is at most `error` away. Microseconds. */
  readonly offset: Micros;
  readonly error: Micros;
  /** How much estimates may differ although neither clock has changed. */
  readonly doubt: Micros;
}

interface Sample {
  /** When it was requested: the clocks diverge from then on. */
  readonly at: number;
  readonly delay: Micros;
  /** Absent if the other host didn't know the time, or has changed its clock since. */
  offset: Micros | undefined;
}

/** The host with the clock. `timed`: it knows the experiment's time. */
export interface ClockPeer {
  readonly name: string;
  readonly peer: string;
  readonly incarnation: number;
  readonly timed: boolean;
  /** Whether it is connected; a request to another host has to make a connection. Default: yes. */
  readonly near?: boolean;
}

export class PeerClock {
  readonly host: string;
  readonly peer: string;
  readonly incarnation: number;
  timed = false;
  near = true;
  /** Most others contradict it. */
  wrong = false;
  /** How many more requests to send, and since when an answer is awaited. */
  wanted = 0;
  underWaySince: number | undefined;
  /** Requests in a row without an answer. */
  failures = 0;
  /** Requests beside the regular ones, to see whether answers are late now, and when the latest of them were ordered. */
  checks = 0;
  checkedAt = Number.NEGATIVE_INFINITY;
  #samples: Sample[] = [];
  #latest: Micros[] = [];

  constructor({ name, peer, incarnation }: ClockPeer) {
    this.host = name;
    this.peer = peer;
    this.incarnation = incarnation;
  }

  /** The least of the latest samples, in microseconds. */
  get rttMicros(): Micros | undefined {
    return this.#samples.length === 0
      ? undefined
      : micros(Math.min(...this.#samples.map(({ delay }) => delay)));
  }

  /**
   * The round trip of the last answer, and the least of the last `LATEST`, or what it will be at least once an answer is there that
   * is awaited now; `undefined` before there are so many.
   */
  answersAt(now: number): { readonly last: Micros; readonly least: Micros } | undefined {
    if (this.#latest.length < LATEST) return undefined;
    const [last, least] = [this.#latest.at(-1)!, Math.min(...this.#latest)];
    if (this.underWaySince === undefined) return { last, least: micros(least) };
    const awaited = fromMillis(now - this.underWaySince);
    return { last, least: micros(Math.max(least, Math.min(...this.#latest.slice(1), awaited))) };
  }

  /** How long an answer took. Of the clock it says nothing: late ones would take the place of good samples. Returns the round trip. */
  noteAnswer({ asked, answered, received, sent }: Exchange): Micros {
    const delay = micros(fromMillis(answered - asked) - (sent - received));
    this.#latest = [...this.#latest, delay].slice(-LATEST);
    return delay;
  }

  add(exchange: Exchange): void {
    const { asked, answered, timed, received, sent } = exchange;
    const delay = this.noteAnswer(exchange);
    const offset = timed ? micros((received + sent) / 2 - fromMillis((asked + answered) / 2)) : undefined;
    const sample: Sample = { at: asked, delay, offset };
    // Removes samples that can't be of one clock: it was stepped between them.
    for (const other of this.#samples) {
      if (other.offset === undefined || offset === undefined) continue;
      const error = errorOf(other, answered) + errorOf(sample, answered);
      if (Math.abs(other.offset - offset) > error) other.offset = undefined;
    }
    this.#samples = [...this.#samples, sample].slice(-SAMPLES);
  }

  /** From the sample with the least error: least delay, unless it is old. */
  estimate(now: number): ClockEstimate | undefined {
    let best: Sample | undefined;
    for (const sample of this.#samples) {
      if (sample.offset === undefined) continue;
      if (!best || errorOf(sample, now) <= errorOf(best, now)) best = sample;
    }
    if (!best) return undefined;
    const error = errorOf(best, now);
    return { offset: best.offset!, error, doubt: micros(error - this.rttMicros! / 2) };
  }

  forget(): void {
    for (const sample of this.#samples) sample.offset = undefined;
  }
}

function errorOf({ delay, at }: Sample, now: number): Micros {
  return micros(delay / 2 + partsPerMillion(fromMillis(now - at), DRIFT_PPM));
}
