/** Reads what is new of one agent by its socket, once at a time, so a stopped agent holds up nobody. */
import { callJson } from '../../proto/http-json.ts';
import type { RunLogEntry } from '../../proto/run-log.ts';
import { MAX_PAGE_ENTRIES } from '../../proto/run-log.ts';
import type { AgentNews, PathMeasurement } from '../../proto/view.ts';
import { agentSocket } from '../names.ts';
import { KEPT_KINDS } from './happened.ts';
import type { LogPosition } from './rows.ts';

export interface News {
  /** The answer; the last of several. */
  readonly status: Omit<AgentNews, 'log' | 'measured'>;
  /** What TCP measured since the last time, of paths that carried traffic lately. */
  readonly measured: readonly PathMeasurement[];
  readonly entries: readonly RunLogEntry[];
  /** Entries that the agent has no longer kept. */
  readonly forgotten: number;
}

const NEVER = -1;

export class AgentReader {
  readonly host: string;
  readonly #address: string;
  #incarnation = NEVER;
  #next = 0;
  #isAsking = false;
  /** Of the last answer, by the agent's own clock. */
  #measuredUntil = 0;

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
      return await this.#read();
    } catch {
      // It starts, has ended, or is stopped: what it knows is read when it answers again.
      return undefined;
    } finally {
      this.#isAsking = false;
    }
  }

  /** Mostly one answer; several if more has happened than a page has. Of an answer that fails, all is asked for again. */
  async #read(): Promise<News> {
    const measured: PathMeasurement[] = [];
    const entries: RunLogEntry[] = [];
    let forgotten = 0;
    let [incarnation, next, measuredUntil] = [this.#incarnation, this.#next, this.#measuredUntil];
    for (;;) {
      const query = `from=${next}&kinds=${KEPT_KINDS.join(',')}&measuredAfter=${measuredUntil}`;
      const { log, ...status } = (await callJson(this.#address, `/news?${query}`)) as AgentNews;
      if (log.incarnation !== incarnation) {
        // Another run of the agent counts from 0.
        incarnation = log.incarnation;
        if (next > 0) {
          [next, measuredUntil] = [0, 0];
          continue;
        }
      }
      [next, measuredUntil] = [log.next, status.measuredUntil];
      measured.push(...status.measured);
      entries.push(...log.entries);
      forgotten += log.forgotten;
      if (log.entries.length === MAX_PAGE_ENTRIES) continue;
      [this.#incarnation, this.#next, this.#measuredUntil] = [incarnation, next, measuredUntil];
      return { status, measured, entries, forgotten };
    }
  }
}
