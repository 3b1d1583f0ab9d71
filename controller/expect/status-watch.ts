/** What agents tell of a run while it goes on: which commands run, how they ended, and why it is not faithful. */
import type { AgentStatus } from '../../proto/status.ts';
import type { Exit, Life } from '../../topology/judge/evidence.ts';
import { Lives } from '../../topology/judge/lives.ts';

/** An agent that starts again answers within this time. */
const SILENT_MS = 5000;

export class StatusWatch {
  readonly #lives = new Lives();
  readonly #doubts = new Map<string, string>();
  readonly #heardMs = new Map<string, number>();

  /** `nowMs`: since the timeline began. `hosts`: of all agents. */
  take(nowMs: number, statuses: readonly AgentStatus[], hosts: readonly string[]): void {
    for (const { host, endpoints, processes, verdict } of statuses) {
      this.#heardMs.set(host, nowMs);
      for (const endpoint of endpoints) this.#lives.take(nowMs, endpoint, processes[endpoint]);
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
    return this.#lives.exit(endpoint);
  }

  lives(endpoint: string): readonly Life[] {
    return this.#lives.lives(endpoint);
  }

  neverRan(endpoint: string): string | undefined {
    return this.#lives.neverRan(endpoint);
  }

  get doubts(): string[] {
    return [...this.#doubts.values()];
  }
}
