/** What numbers that only grow have grown by in the last seconds. Pure. */

export class Window<Name extends string> {
  readonly #spanMs: number;
  readonly #samples: { readonly at: number; readonly values: Readonly<Record<Name, number>> }[] = [];

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** Takes the numbers of now. Returns the growth since the oldest that is kept, and over how long, ms; of the first: nothing. */
  add(
    at: number,
    values: Readonly<Record<Name, number>>,
  ): { readonly grown: Record<Name, number>; readonly ms: number } {
    this.#samples.push({ at, values });
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= this.#spanMs) this.#samples.shift();
    const first = this.#samples[0]!;
    const grown = Object.fromEntries(
      Object.entries<number>(values).map(([name, value]) => [name, value - first.values[name as Name]]),
    ) as Record<Name, number>;
    return { grown, ms: at - first.at };
  }

  /** Begins anew: what was before does not count. */
  forget(): void {
    this.#samples.length = 0;
  }
}
