import { MAX_REMEMBERED } from '../wire/limits.ts';

/** The values that were set last, at most `MAX_REMEMBERED`. */
export class Remembered<Value> {
  readonly #values = new Map<string, { readonly value: Value; readonly at: number }>();

  get(key: string): Value | undefined {
    return this.#values.get(key)?.value;
  }

  set(key: string, value: Value, now: number): void {
    this.#values.delete(key);
    this.#values.set(key, { value, at: now });
    if (this.#values.size > MAX_REMEMBERED) this.#values.delete(this.#values.keys().next().value!);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  /** With their keys, oldest first. */
  entries(): [string, Value][] {
    return [...this.#values].map(([key, { value }]) => [key, value]);
  }

  /** Values set at `from` or later, oldest first. */
  since(from: number): Value[] {
    return [...this.#values.values()].filter(({ at }) => at >= from).map(({ value }) => value);
  }
}
