/**
 * What is known of another host's clock, from questions and answers: the clock filter of NTP (RFC 5905, sections 8 and
 * 10). The own side of each exchange is measured on the monotonic clock, so steering the own clock leaves it valid.
 */

/** As in RFC 5905. Asked every other second, the reference has a good one within 16 s. */
export const SAMPLES = 8;
/** How fast two machines' clocks may part: quartz is good for ± 50 ppm. */
export const DRIFT_PPM = 100;

/** One exchange. The own times are `Clock.now()`, the other's are microseconds, of the experiment if `timed`. */
export interface Exchange {
  readonly incarnation: number;
  readonly asked: number;
  readonly answered: number;
  readonly timed: boolean;
  readonly received: number;
  readonly sent: number;
}

export interface ClockEstimate {
  /** The other's time minus the own monotonic one; the truth is at most `error` away. Microseconds. */
  readonly offset: number;
  readonly error: number;
  /** What may differ from one estimate to the next, though neither clock has changed. */
  readonly doubt: number;
}

interface Sample {
  /** When it was asked for: the clocks part from then on. */
  readonly at: number;
  readonly delay: number;
  /** Absent if the other didn't know the time, or had another since. */
  offset: number | undefined;
}

/** Who has the clock. `timed`: it knows the experiment's time. */
export interface ClockPeer {
  readonly name: string;
  readonly peer: string;
  readonly incarnation: number;
  readonly timed: boolean;
  /** It is connected; to ask others, a connection has to be made. Default: yes. */
  readonly near?: boolean;
}

export class PeerClock {
  readonly host: string;
  readonly peer: string;
  readonly incarnation: number;
  timed = false;
  near = true;
  /** How many more questions to ask, and whether an answer is awaited. */
  wanted = 0;
  underWay = false;
  /** Questions in a row without an answer. */
  failures = 0;
  #samples: Sample[] = [];

  constructor({ name, peer, incarnation }: ClockPeer) {
    this.host = name;
    this.peer = peer;
    this.incarnation = incarnation;
  }

  /** The least of the latest samples, in microseconds. */
  get rttMicros(): number | undefined {
    return this.#samples.length === 0 ? undefined : Math.min(...this.#samples.map(({ delay }) => delay));
  }

  add({ asked, answered, timed, received, sent }: Exchange): void {
    const delay = (answered - asked) * 1000 - (sent - received);
    const offset = timed ? (received + sent) / 2 - ((asked + answered) / 2) * 1000 : undefined;
    const sample: Sample = { at: asked, delay, offset };
    // What can't be true of one clock: it was stepped between the two.
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
    return { offset: best.offset!, error, doubt: error - this.rttMicros! / 2 };
  }

  forget(): void {
    for (const sample of this.#samples) sample.offset = undefined;
  }
}

function errorOf({ delay, at }: Sample, now: number): number {
  return delay / 2 + ((now - at) * 1000 * DRIFT_PPM) / 1e6;
}
