/** When a source sends its datagrams. Pure: the same times in each run of the same file. */
import { bitsOf, fromSeconds, type Micros } from '../../proto/units.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { DATAGRAM_OVERHEAD, type Traffic } from '../../topology/model/traffic.ts';

/** What decides the times of one source. */
export type TimedTraffic = Pick<
  Traffic,
  'kind' | 'size' | 'on' | 'off' | 'shape' | 'start' | 'stop' | 'seed'
> & {
  readonly rate: number;
};

/** Odd, so that neighbouring sources have seeds far apart (the golden ratio's part of 2^32). */
const STRIDE = 0x9e3779b1;

/** From one datagram to the next while it sends, in microseconds. */
export const intervalOf = ({ size, rate }: Pick<TimedTraffic, 'size' | 'rate'>): Micros =>
  fromSeconds(bitsOf(size + DATAGRAM_OVERHEAD) / rate);

/**
 * The instants of one source, in microseconds since the start of the experiment. Bursts are those of ns-2 (expoo.cc, pareto.cc): of a
 * drawn time, as many datagrams as have room in it, at least one; then a drawn pause.
 */
export class PacketTimes {
  readonly #traffic: TimedTraffic;
  readonly #interval: number;
  readonly #random: SeededRandom;
  readonly #until: number;
  /** Beginning of the burst, and datagrams that it has sent: no rounding adds up. */
  #begin: number;
  #sent = 0;
  #size = Number.POSITIVE_INFINITY;

  /** `index`: the source's among all of the file. */
  constructor(traffic: TimedTraffic, index: number) {
    this.#traffic = traffic;
    this.#interval = intervalOf(traffic);
    this.#random = new SeededRandom((traffic.seed ^ Math.imul(index + 1, STRIDE)) >>> 0);
    this.#until = traffic.stop ?? Number.POSITIVE_INFINITY;
    this.#begin = traffic.start;
    if (traffic.kind !== 'constant') this.#size = this.#burst();
  }

  /** When the next datagram is due; infinite: there is none any more. */
  get due(): number {
    const due = this.#begin + this.#sent * this.#interval;
    return due < this.#until ? due : Number.POSITIVE_INFINITY;
  }

  /** It was sent, or it is too late for it. */
  advance(): void {
    if (++this.#sent < this.#size) return;
    this.#begin += this.#sent * this.#interval + this.#draw(this.#traffic.off);
    this.#sent = 0;
    this.#size = this.#burst();
  }

  /** Leaves out what was due before `now`; returns how many datagrams that were. */
  skipTo(now: number): number {
    let left = 0;
    if (this.#traffic.kind === 'constant' && this.due < now) {
      left = Math.ceil((Math.min(now, this.#until) - this.due) / this.#interval);
      this.#sent += left;
      return left;
    }
    for (; this.due < now; left++) this.advance();
    return left;
  }

  #burst(): number {
    return Math.max(1, Math.floor(this.#draw(this.#traffic.on) / this.#interval + 0.5));
  }

  #draw(mean: number): number {
    const { kind, shape } = this.#traffic;
    const uniform = 1 - this.#random.next();
    if (kind === 'exponential') return -Math.log(uniform) * mean;
    // A mean of `mean` has this least value.
    return ((mean * (shape - 1)) / shape) * uniform ** (-1 / shape);
  }
}
