/** What agents tell of a run while it goes on: which commands run, how they ended, and why it is not faithful. */
import type { AgentStatus } from '../../proto/status.ts';
import type { Exit, Life } from './evidence.ts';

/** An agent that starts again answers within this time. */
const SILENT_MS = 5000;

export class StatusWatch {
  readonly #exits = new Map<string, Exit>();
  readonly #lives = new Map<string, Life[]>();
  /** What was said last of endpoints whose commands have never run. */
  readonly #neverRan = new Map<string, string>();
  readonly #doubts = new Map<string, string>();
  readonly #heardMs = new Map<string, number>();

  /** `nowMs`: since the timeline began. `hosts`: of all agents. */
  take(nowMs: number, statuses: readonly AgentStatus[], hosts: readonly string[]): void {
    for (const { host, endpoints, processes, verdict } of statuses) {
      this.#heardMs.set(host, nowMs);
      for (const endpoint of endpoints) this.#takeWords(nowMs, endpoint, processes[endpoint]);
      for (const cause of verdict?.causes ?? []) {
        const where = cause.path === null ? cause.host : `${cause.host}, ${cause.path}`;
        this.#doubts.set(`${cause.code} ${where}`, `${where}: ${cause.message}`);
      }
    }
    for (const host of hosts) {
      const since = this.#heardMs.get(host) ?? 0;
      if (nowMs - since > SILENT_MS) this.doubt(`${host}: its agent did not answer`);
    }
  }

  /** Something else that makes what fails inconclusive. */
  doubt(why: string): void {
    this.#doubts.set(why, why);
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

  get doubts(): string[] {
    return [...this.#doubts.values()];
  }

  #takeWords(tMs: number, endpoint: string, words: string | undefined): void {
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
}
