/** Random numbers of one source, seeded: the same in each run of the same file. */
import { SeededRandom } from '../../topology/model/random.ts';

/** Odd, so that neighbouring sources have seeds far apart (the golden ratio's part of 2^32), and so have their windows. */
const STRIDE = 0x9e3779b1;
const TURN_STRIDE = 0x85ebca6b;

export class Draws {
  readonly #random: SeededRandom;

  /** `index`: the source's among all of the file; `turn`: which of its windows. */
  constructor(seed: number, index: number, turn = 0) {
    this.#random = new SeededRandom(
      (seed ^ Math.imul(index + 1, STRIDE) ^ Math.imul(turn, TURN_STRIDE)) >>> 0,
    );
  }

  /** 0 < x ≤ 1. */
  uniform(): number {
    return 1 - this.#random.next();
  }

  exponential(mean: number): number {
    return -Math.log(this.uniform()) * mean;
  }

  /** `shape` above 1. */
  pareto(mean: number, shape: number): number {
    return this.paretoFrom((mean * (shape - 1)) / shape, shape);
  }

  /** `least`: its smallest value. */
  paretoFrom(least: number, shape: number): number {
    return least * this.uniform() ** (-1 / shape);
  }

  /** `mu`, `sigma`: of the logarithm. The normal deviate is that of Box and Muller (1958). */
  lognormal(mu: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return Math.exp(mu + sigma * radius * Math.cos(2 * Math.PI * this.uniform()));
  }

  /** Drawn again until it is within both bounds, as truncated distributions are defined. */
  within(least: number, most: number, draw: () => number): number {
    for (;;) {
      const drawn = draw();
      if (drawn >= least && drawn <= most) return drawn;
    }
  }

  /** Of a distribution by some of its points: probabilities from 0 to 1, and values above 0. Between them it is geometric. */
  fromPoints(points: readonly (readonly [probability: number, value: number])[]): number {
    const place = 1 - this.uniform();
    const above = Math.max(
      1,
      points.findIndex(([probability]) => probability >= place),
    );
    const [[below, from], [until, to]] = [points[above - 1]!, points[above]!];
    return from * (to / from) ** ((place - below) / (until - below));
  }
}
