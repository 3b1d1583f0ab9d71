/** Puts a name before every line of a stream of bytes. */

const NEWLINE = 10;
/** A longer line is cut: its end may never come. */
const MOST_BYTES = 2 ** 20;

export class LinePrefix {
  readonly #prefix: Buffer;
  /** Of a line whose end has not come. */
  #started: Buffer[] = [];
  #bytes = 0;

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix);
  }

  /** The lines that are whole now. */
  push(bytes: Buffer): Buffer {
    const out: Buffer[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      out.push(this.#prefix, ...this.#started, bytes.subarray(from, at + 1));
      this.#started = [];
      this.#bytes = 0;
      from = at + 1;
    }
    this.#started.push(bytes.subarray(from));
    this.#bytes += bytes.length - from;
    if (this.#bytes > MOST_BYTES) out.push(this.end());
    return Buffer.concat(out);
  }

  /** The last line, if it has no end of its own. */
  end(): Buffer {
    const started = Buffer.concat(this.#started);
    this.#started = [];
    this.#bytes = 0;
    return started.length === 0 ? started : Buffer.concat([this.#prefix, started, Buffer.from('\n')]);
  }
}
