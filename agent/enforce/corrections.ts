/** What others have changed of netfold's objects in the kernel, and was put back: counted, and named if it goes on. */
import { millisToSeconds } from '../../proto/units.ts';

/** So many corrections of one endpoint within this time are no accident. */
const OFTEN = 3;
const WINDOW_MS = 60_000;

export class Corrections {
  #total = 0;
  /** Endpoint → when it was corrected last, the latest at the end. */
  readonly #times = new Map<string, number[]>();

  /** Since the start. */
  get total(): number {
    return this.#total;
  }

  note(endpoint: string, nowMs: number): void {
    this.#total++;
    this.#times.set(endpoint, [...(this.#times.get(endpoint) ?? []), nowMs].slice(-OFTEN));
  }

  /** In words: the endpoints that are changed again and again. */
  problems(nowMs: number): string[] {
    return [...this.#times]
      .filter(([, times]) => times.length === OFTEN && nowMs - times[0]! <= WINDOW_MS)
      .map(
        ([endpoint]) =>
          `${endpoint}: somebody removes what netfold has installed there, ${OFTEN} times or more in ${millisToSeconds(WINDOW_MS)} s; it is put back each time, and meanwhile traffic is neither delayed nor limited (the agent's log says what)`,
      );
  }
}
