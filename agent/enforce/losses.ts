/** What was lost for want of room, of a number that only grows: told while it grows, and gone when it no longer does. */
import { millisToSeconds } from '../../proto/units.ts';
import { LATENESS_MS } from './lateness.ts';

export class Losses {
  readonly #consequence: string;
  #before = 0;
  #problem: string | undefined;

  /** `consequence`: what is lost and why, behind "12 of the last 5 s". */
  constructor(consequence: string) {
    this.#consequence = consequence;
  }

  /** In words, if there were losses between the last two observations. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** To be called every `LATENESS_MS`, with the number since the start. */
  observe(total: number): void {
    const lost = total - this.#before;
    this.#before = total;
    const during = `the last ${millisToSeconds(LATENESS_MS)} s`;
    this.#problem = lost > 0 ? `${lost} packets of ${during} ${this.#consequence}` : undefined;
  }
}
