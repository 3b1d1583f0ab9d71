/**
 * Whether a network loses more than it may: Page's sequential test (E. S. Page, Continuous inspection schemes, Biometrika 41, 1954),
 * which decides as soon as it can. For each of some losses that the network might have, the logarithm of the likelihood ratio
 * against the loss that it may have is summed up, never below 0. While the network keeps to what it may lose, a sum needs e^h
 * observations on average, at least, to reach h (G. Lorden, Procedures for reacting to a change in distribution, 1971). Pure.
 */
import type { Ratio } from '../../proto/units.ts';

/** Each way. The first for losses that are hardly too many, the last for a network that hardly works. */
const MIGHT = [0.06, 0.2, 0.5] as const;
/** Segments of the mesh and probes to a host in an hour, at 20 a second. */
const OBSERVATIONS_AN_HOUR = 72_000;
/** A false alarm comes once in so many hours at most, for a network that always loses just as much as it may. */
const HOURS = 100;
const CERTAIN = Math.log(OBSERVATIONS_AN_HOUR * HOURS * MIGHT.length);
/** From here on, more should be asked: one lost probe, until some have come back. */
const SUSPICIOUS = 0.5;

export class LossTest {
  readonly #may: Ratio;
  readonly #sums: number[] = MIGHT.map(() => 0);
  #crossed = 0;
  #lost = 0;

  /** `may`: the part that the network may lose, each way. */
  constructor(may: Ratio) {
    this.#may = may;
  }

  /** So many were lost, and so many arrived, of what crosses the network `times` times: a probe does it there and back. */
  note(lost: number, arrived: number, times = 1): void {
    const may = lostOf(this.#may, times);
    for (const [at, part] of MIGHT.entries()) {
      const might = lostOf(part, times);
      const grown = lost * Math.log(might / may) + arrived * Math.log((1 - might) / (1 - may));
      this.#sums[at] = Math.max(0, this.#sums[at]! + grown);
    }
    this.#lost += lost;
    this.#crossed += (lost + arrived) * times;
    if (this.#most === 0) this.#lost = this.#crossed = 0;
  }

  get #most(): number {
    return Math.max(...this.#sums);
  }

  get isSuspicious(): boolean {
    return this.#most > SUSPICIOUS;
  }

  get isCertain(): boolean {
    return this.#most >= CERTAIN;
  }

  /** Since it became suspicious: how many were lost, and how often the network was crossed. */
  get seen(): { readonly lost: number; readonly crossed: number } {
    return { lost: this.#lost, crossed: this.#crossed };
  }

  /** Begins anew. */
  forget(): void {
    this.#sums.fill(0);
    this.#lost = this.#crossed = 0;
  }
}

const lostOf = (part: number, times: number): number => 1 - (1 - part) ** times;
