/** The run log in pages, for readers outside of the agent: at once, or when there are new entries. */
import { MAX_PAGE_ENTRIES, type RunLogPage, type RunLogQuery } from '../../proto/run-log.ts';
import type { Timers } from '../clock/clock.ts';
import type { RunLog } from '../runlog/run-log.ts';

export interface LogPagesSources {
  readonly host: string;
  readonly incarnation: number;
  readonly runLog: RunLog;
  readonly timers: Timers;
}

export class LogPages {
  readonly #sources: LogPagesSources;
  /** Functions that end each wait. */
  readonly #waiting = new Set<() => void>();

  constructor(sources: LogPagesSources) {
    this.#sources = sources;
  }

  /** Waits for the first entry from the position on, at most for the given time; then returns the present entries. */
  async read({ from = this.#sources.runLog.next, waitMs, kinds }: RunLogQuery): Promise<RunLogPage> {
    const { host, incarnation, runLog } = this.#sources;
    if (waitMs > 0 && runLog.next <= from) await this.#newEntry(waitMs);
    return { host, incarnation, ...runLog.since(from, MAX_PAGE_ENTRIES, kinds) };
  }

  /** Waiting readers get the present entries. */
  stop(): void {
    for (const end of [...this.#waiting]) end();
  }

  #newEntry(waitMs: number): Promise<void> {
    const { runLog, timers } = this.#sources;
    return new Promise((resolve) => {
      const end = (): void => {
        stopFollowing();
        cancel();
        this.#waiting.delete(end);
        resolve();
      };
      const stopFollowing = runLog.follow(end);
      const cancel = timers.after(waitMs, end);
      this.#waiting.add(end);
    });
  }
}
