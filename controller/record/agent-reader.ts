/** Reads one agent's socket: its status, and what is new in its run log. One request at a time, so a stopped agent holds up nobody. */
import { callJson } from '../../proto/http-json.ts';
import type { RunLogEntry, RunLogPage } from '../../proto/run-log.ts';
import { MAX_PAGE_ENTRIES } from '../../proto/run-log.ts';
import type { AgentStatus } from '../../proto/status.ts';
import type { AgentProofs, PathProof } from '../../proto/view.ts';
import { agentSocket } from '../names.ts';
import { KEPT_KINDS } from './happened.ts';
import type { LogPosition } from './rows.ts';

export interface News {
  readonly status: AgentStatus;
  /** Paths that carried traffic lately, with what TCP measured since the last time. */
  readonly paths: readonly PathProof[];
  readonly entries: readonly RunLogEntry[];
  /** Entries that the agent has no longer kept. */
  readonly forgotten: number;
}

const NEVER = -1;
const ENDPOINTS_A_SECOND = 500;

export class AgentReader {
  readonly host: string;
  readonly #address: string;
  #incarnation = NEVER;
  #next = 0;
  #isAsking = false;
  #reads = 0;
  /** Of the last measurement of each path. */
  readonly #measuredAt = new Map<string, string>();

  constructor(experiment: string, host: string, position?: LogPosition) {
    this.host = host;
    this.#address = `unix:${agentSocket(experiment, host)}`;
    if (!position) return;
    this.#incarnation = position.incarnation;
    this.#next = position.next;
  }

  get position(): LogPosition {
    return { host: this.host, incarnation: this.#incarnation, next: this.#next };
  }

  /** `undefined` if it does not answer, or the last question has no answer yet. */
  async read(): Promise<News | undefined> {
    if (this.#isAsking) return undefined;
    this.#isAsking = true;
    try {
      const status = (await callJson(this.#address, '/status')) as AgentStatus;
      return { status, paths: await this.#newMeasurements(status), ...(await this.#newEntries()) };
    } catch {
      // It starts, has ended, or is stopped: what it knows is read when it answers again.
      return undefined;
    } finally {
      this.#isAsking = false;
    }
  }

  /** The proofs of many endpoints are long, so they are asked for less often. */
  async #newMeasurements({ endpoints }: AgentStatus): Promise<PathProof[]> {
    if (this.#reads++ % (1 + Math.floor(endpoints.length / ENDPOINTS_A_SECOND)) > 0) return [];
    const { paths } = (await callJson(this.#address, '/verdict')) as AgentProofs;
    return paths.filter(({ from, to, measuredAt }) => {
      const path = `${from} ${to}`;
      const isNew = measuredAt !== null && this.#measuredAt.get(path) !== measuredAt;
      if (isNew) this.#measuredAt.set(path, measuredAt);
      return isNew;
    });
  }

  async #newEntries(): Promise<Pick<News, 'entries' | 'forgotten'>> {
    const entries: RunLogEntry[] = [];
    let forgotten = 0;
    for (;;) {
      const query = `from=${this.#next}&kinds=${KEPT_KINDS.join(',')}`;
      const page = (await callJson(this.#address, `/log?${query}`)) as RunLogPage;
      if (page.incarnation !== this.#incarnation) {
        // Another run of the agent counts from 0.
        this.#incarnation = page.incarnation;
        if (this.#next > 0) {
          this.#next = 0;
          continue;
        }
      }
      this.#next = page.next;
      entries.push(...page.entries);
      forgotten += page.forgotten;
      if (page.entries.length < MAX_PAGE_ENTRIES) return { entries, forgotten };
    }
  }
}
