/**
 * A line that is overwritten: the progress of a step. On a terminal only, where it replaces many lines; in a file or
 * a pipe it would be noise.
 */
import type { Progress } from '../../progress.ts';

/** Ten times a second looks steady and costs nothing. */
const INTERVAL_MS = 100;
/** For a terminal that does not know its width. */
const USUAL_COLUMNS = 80;
const TO_LINE_START_AND_ERASE = '\r\u001b[K';

/** Replaces the line by another one; the empty text removes it. */
type Write = (text: string) => void;

export class ProgressLine {
  readonly #write: Write | undefined;
  readonly #now: () => number;
  #shownAt = Number.NEGATIVE_INFINITY;
  #isShown = false;

  /** `write`: undefined without a terminal. `now`: in milliseconds. */
  constructor(write: Write | undefined, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  /** Shows `text` unless another line was shown just before. */
  show(text: string): void {
    const now = this.#now();
    if (!this.#write || now - this.#shownAt < INTERVAL_MS) return;
    this.#shownAt = now;
    this.#isShown = true;
    this.#write(text);
  }

  /** Removes the line, if one is shown, so that other output can take its place. */
  clear(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#write?.('');
  }
}

/**
 * `undefined` if the stream is no terminal that can erase. Lines longer than the terminal are cut: two lines could
 * not be erased.
 */
export function terminalWriter(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>,
  term = process.env.TERM,
): Write | undefined {
  if (!stream.isTTY || term === 'dumb') return undefined;
  return (text) => {
    const width = stream.columns > 1 ? stream.columns : USUAL_COLUMNS;
    stream.write(`${TO_LINE_START_AND_ERASE}${text.slice(0, width - 1)}`);
  };
}

/** `making endpoints 1,200 of 2,668` */
export function progressText({ doing, done, of }: Progress): string {
  return `${doing} ${done.toLocaleString('en')} of ${of.toLocaleString('en')}`;
}
