/** How much a script may take: it must not be able to exhaust the machine that reads it. */
import { TclStop } from './errors.ts';

export interface Limits {
  /** Commands, and what is worth as much: see `STRING_PER_STEP`. */
  readonly steps: number;
  /** Procedures, loops and brackets in each other. */
  readonly depth: number;
  /** Characters of a value. */
  readonly length: number;
}

/** A step takes about a microsecond. A node and its link in a loop take a dozen steps. */
export const LIMITS: Limits = { steps: 500_000, depth: 200, length: 1 << 20 };
/** Characters that are made or read for one step: with `steps` this bounds the memory to some 130 MB, whatever is done. */
const STRING_PER_STEP = 256;

export class Budget {
  readonly #limits: Limits;
  #steps = 0;
  #depth = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#limits.steps)
      throw new TclStop('limit', `the script takes more than ${this.#limits.steps} steps`);
  }

  /** For a value that was made, or a text that is looked through. Returns it. */
  text(value: string): string {
    if (value.length > this.#limits.length)
      throw new TclStop('limit', `a value has more than ${this.#limits.length} characters`);
    if (value.length >= STRING_PER_STEP) this.spend(value.length / STRING_PER_STEP);
    return value;
  }

  /** For a value that has grown, of which only the end was made. Returns it. */
  grown(value: string, by: number): string {
    if (value.length > this.#limits.length) this.text(value);
    this.room(by);
    return value;
  }

  /** Before a value of that length is made. */
  room(length: number): void {
    if (length > this.#limits.length)
      throw new TclStop('limit', `a value has more than ${this.#limits.length} characters`);
    this.spend(length / STRING_PER_STEP);
  }

  /** Runs something that may do the same again. */
  nested<T>(run: () => T): T {
    if (++this.#depth > this.#limits.depth)
      throw new TclStop('limit', `the script is nested more than ${this.#limits.depth} deep`);
    try {
      return run();
    } finally {
      this.#depth--;
    }
  }
}
