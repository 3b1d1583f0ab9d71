/** Which parts of netfold's code were executed, by V8's block coverage. */
import { type Profiler, Session } from 'node:inspector';

/** Netfold's own code, without what fuzzes it. */
const OWN = /\/(?:topology|agent|controller|proto)\/(?!.*(?:node_modules|generated))/;

export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  #isOn = false;

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Begins to count, or ends it; what was reached before stays known. */
  turn(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    if (isOn) this.#start();
    else {
      this.#session.post('Profiler.stopPreciseCoverage');
      this.#session.disconnect();
    }
  }

  #start(): void {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    for (const block of this.take()) this.#seen.add(block);
  }

  /** The blocks that were executed since the last call. */
  take(): string[] {
    return this.#scripts()
      .filter(({ url }) => OWN.test(url))
      .flatMap(({ scriptId, functions }) =>
        functions.flatMap(({ ranges }) =>
          ranges
            .filter(({ count }) => count > 0)
            .map(({ startOffset, endOffset }) => `${scriptId} ${startOffset} ${endOffset}`),
        ),
      );
  }

  /** Which of these blocks were never executed before. */
  unseen(blocks: readonly string[]): string[] {
    return blocks.filter((block) => !this.#seen.has(block));
  }

  add(blocks: readonly string[]): void {
    for (const block of blocks) this.#seen.add(block);
  }

  get blocks(): number {
    return this.#seen.size;
  }

  #scripts(): Profiler.ScriptCoverage[] {
    let found: Profiler.ScriptCoverage[] = [];
    // The answer comes before `post` returns: the session is of this thread.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (!error) found = answer.result;
    });
    return found;
  }
}
