/** Which target has its turn, and whether it is looked which code its inputs reach. */

/**
 * First each target once; then the one with the least product of its inputs and their processor time. Decoders of lines and messages
 * are a hundred times faster than those of whole files: with as many inputs for each, nearly all of the time would go to the slow
 * ones, and with as much time for each, nearly all of the inputs to the fast ones. So one that is a hundred times faster has ten
 * times the inputs in a tenth of the time.
 */
export class Turns {
  readonly #inputs: Float64Array;
  readonly #ms: Float64Array;

  constructor(targets: number) {
    this.#inputs = new Float64Array(targets);
    this.#ms = new Float64Array(targets);
  }

  next(): number {
    let next = 0;
    for (let target = 1; target < this.#ms.length; target++)
      if (this.#spent(target) < this.#spent(next)) next = target;
    return next;
  }

  #spent(target: number): number {
    return this.#inputs[target]! * this.#ms[target]!;
  }

  /** `ms`: of processor time. */
  spend(target: number, inputs: number, ms: number): void {
    this.#inputs[target] = this.#inputs[target]! + inputs;
    this.#ms[target] = this.#ms[target]! + Math.max(ms, LEAST_MS);
  }
}

/** A turn takes some, also by a clock that did not move. */
const LEAST_MS = 0.001;

/** V8 runs code slower while it counts which blocks are reached, and starts to count with code that is not optimised. */
const WINDOW = 100_000;
/** One window of so many is looked at: the first finds nearly all that is found. */
const LOOKED_AT = 8;

/** Whether new code is looked for after so many inputs. */
export const isLookedAt = (inputs: number): boolean => Math.floor(inputs / WINDOW) % LOOKED_AT === 0;
