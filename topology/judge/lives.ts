/** Which commands run, and how they ended, from what agents say of them (`processes` of their status). */
import type { Exit, Life } from './evidence.ts';

export class Lives {
  readonly #exits = new Map<string, Exit>();
  readonly #lives = new Map<string, Life[]>();
  /** What was said last of endpoints whose commands have never run. */
  readonly #neverRan = new Map<string, string>();

  /** `words`: of the endpoint's command, at this instant; `undefined`: nothing is said. */
  take(tMs: number, endpoint: string, words: string | undefined): void {
    const runs = /^(pid|container) /.test(words ?? '');
    const lives = this.#lives.get(endpoint) ?? [];
    if (lives.at(-1)?.runs !== runs) lives.push({ tMs, runs });
    this.#lives.set(endpoint, lives);
    // What stands behind it is about readiness and logs.
    const [how] = /^(exited with \d+|ended by \w+|failed: .*)/.exec(words ?? '') ?? [];
    if (how === undefined) this.#exits.delete(endpoint);
    else if (this.#exits.get(endpoint)?.how !== how) this.#exits.set(endpoint, { tMs, how });
    if (runs || how !== undefined) this.#neverRan.delete(endpoint);
    else if (words !== undefined && lives.length === 1) this.#neverRan.set(endpoint, words);
  }

  exit(endpoint: string): Exit | undefined {
    return this.#exits.get(endpoint);
  }

  lives(endpoint: string): readonly Life[] {
    return this.#lives.get(endpoint) ?? [];
  }

  neverRan(endpoint: string): string | undefined {
    return this.#neverRan.get(endpoint);
  }
}
