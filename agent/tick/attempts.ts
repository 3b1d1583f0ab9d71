/** Work that is tried again and again, of which no failure ends the agent: it is counted, told once, and named until it succeeds. */

interface Failing {
  readonly message: string;
  readonly times: number;
}

export class Attempts {
  readonly #onFailure: (error: Error) => void;
  readonly #failing = new Map<string, Failing>();

  /** `onFailure`: called for the first failure in a row, and then for every one at which their number has doubled. */
  constructor(onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
  }

  /** Returns whether the work succeeded. Never throws. */
  run(what: string, work: () => void): boolean {
    try {
      work();
      this.#failing.delete(what);
      return true;
    } catch (thrown) {
      this.#note(what, thrown instanceof Error ? thrown : new Error(String(thrown)));
      return false;
    }
  }

  #note(what: string, error: Error): void {
    const times = (this.#failing.get(what)?.times ?? 0) + 1;
    this.#failing.set(what, { message: error.message, times });
    if (Number.isInteger(Math.log2(times))) this.#onFailure(error);
  }

  /** What fails now, in words. */
  get problems(): string[] {
    return Array.from(
      this.#failing,
      ([what, { message, times }]) => `${what} fails and is tried again (${times} times so far): ${message}`,
    );
  }
}
