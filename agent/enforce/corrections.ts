/** What others have changed of netfold's objects in the kernel, and was put back: counted, and named while it goes on. */
import { millisToSeconds } from '../../proto/units.ts';

/** So many corrections of one endpoint within this time are no accident. */
const OFTEN = 3;
const WINDOW_MS = 60_000;
/** Who has not done it for so long has stopped. */
const OVER_MS = 10_000;
/** With an audit in turn and looks at what is announced, there are some 150 in the window. */
const MOST = 256;

export class Corrections {
  #total = 0;
  /** Endpoint → when it was corrected, within the window; the latest at the end. */
  readonly #times = new Map<string, number[]>();

  /** Since the start. */
  get total(): number {
    return this.#total;
  }

  /** Returns how often that was within the window. */
  note(endpoint: string, nowMs: number): number {
    this.#total++;
    const times = [...this.#recent(endpoint, nowMs), nowMs].slice(-MOST);
    this.#times.set(endpoint, times);
    return times.length;
  }

  #recent(endpoint: string, nowMs: number): readonly number[] {
    return (this.#times.get(endpoint) ?? []).filter((time) => nowMs - time <= WINDOW_MS);
  }

  /** In words: the endpoints that are changed again and again. */
  problems(nowMs: number): string[] {
    return [...this.#times.keys()].flatMap((endpoint) => {
      const times = this.#recent(endpoint, nowMs);
      if (times.length < OFTEN || nowMs - times.at(-1)! > OVER_MS) return [];
      return `${endpoint}: somebody removes what netfold has installed there; it was put back ${times.length} times in the last ${millisToSeconds(WINDOW_MS)} s, and until then traffic is neither delayed nor limited (the agent's log says what)`;
    });
  }
}
