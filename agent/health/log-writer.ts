/**
 * Where the lines of an agent's log go. A line that can't be written, since the disk is full, is kept and written as soon as there is
 * room; the agent goes on meanwhile, and says so in its status.
 */
import { writeSync } from 'node:fs';

/** What waits, at most; lines beyond are counted, and the log says how many there were. */
const MOST_WAITING_BYTES = 256 * 1024;

type Write = (descriptor: number, bytes: Buffer) => number;

export class LogWriter {
  readonly #descriptor: number;
  readonly #write: Write;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #lost = 0;
  /** Called when a line could not be written, and those before it could. */
  onFailure: () => void = () => {};

  constructor(descriptor: number, write: Write = writeSync) {
    this.#descriptor = descriptor;
    this.#write = write;
  }

  /** Whether lines wait. */
  get isBehind(): boolean {
    return this.#waitingBytes > 0;
  }

  /** A line with its end. Never throws. */
  write(line: string): void {
    const wasBehind = this.isBehind;
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > MOST_WAITING_BYTES) this.#lost++;
    else this.#keep(bytes);
    try {
      this.flush();
    } catch {
      if (!wasBehind) this.onFailure();
    }
  }

  #keep(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** Writes what waits. Throws what the kernel says, such as ENOSPC; the rest goes on waiting. */
  flush(): void {
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const written = this.#write(this.#descriptor, first);
      this.#waitingBytes -= written;
      if (written === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(written);
      if (this.#waiting.length === 0 && this.#lost > 0) {
        this.#keep(
          Buffer.from(`${JSON.stringify({ msg: `${this.#lost} lines were lost: no room for the log` })}\n`),
        );
        this.#lost = 0;
      }
    }
  }
}
