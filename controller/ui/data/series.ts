/** Samples of one thing over time, the latest ones: in memory that does not grow with what is kept. Pure. */

/** Two a second go back five minutes. */
export const MOST_SAMPLES = 600;

/** Columns of equal length, the oldest first; null: nothing was seen. */
export interface Table {
  readonly seconds: readonly number[];
  readonly columns: readonly (readonly (number | null)[])[];
}

/** A ring of numbers. All of it is there from the first sample on: lists that grow would be grown, and copied, for minutes. */
export class Series {
  readonly #seconds = new Float64Array(MOST_SAMPLES);
  /** NaN: nothing was seen. Seven digits are more than a chart shows. */
  readonly #columns: readonly Float32Array[];
  #next = 0;
  #length = 0;

  constructor(columns: number) {
    this.#columns = Array.from({ length: columns }, () => new Float32Array(MOST_SAMPLES));
  }

  get length(): number {
    return this.#length;
  }

  add(seconds: number, values: readonly (number | null)[]): void {
    const before = this.#length === 0 ? 0 : this.#seconds[this.#place(this.#length - 1)]!;
    // A chart's time never goes back.
    this.#seconds[this.#next] = Math.max(seconds, before);
    for (const [index, column] of this.#columns.entries()) column[this.#next] = values[index] ?? Number.NaN;
    this.#next = (this.#next + 1) % MOST_SAMPLES;
    this.#length = Math.min(this.#length + 1, MOST_SAMPLES);
  }

  /** Of a column; null: nothing was seen, or there is no sample. */
  last(column: number): number | null {
    return this.#length === 0 ? null : this.#value(column, this.#length - 1);
  }

  /** The latest that was seen. */
  lastSeen(column: number): number | null {
    for (let index = this.#length - 1; index >= 0; index--) {
      const value = this.#value(column, index);
      if (value !== null) return value;
    }
    return null;
  }

  table(): Table {
    const all = Array.from({ length: this.#length }, (_, index) => index);
    return {
      seconds: all.map((index) => this.#seconds[this.#place(index)]!),
      columns: this.#columns.map((_, column) => all.map((index) => this.#value(column, index))),
    };
  }

  #value(column: number, index: number): number | null {
    const value = this.#columns[column]![this.#place(index)]!;
    return Number.isNaN(value) ? null : value;
  }

  /** Of the sample with this number, the oldest being 0. */
  #place(index: number): number {
    return (this.#next - this.#length + index + MOST_SAMPLES) % MOST_SAMPLES;
  }
}
