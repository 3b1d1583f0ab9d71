/** Looks whether a service is ready, from the start of its command on, until it is or its life has ended. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Timers } from '../clock/clock.ts';
import { readCut } from '../files/log-cut.ts';

/** A look at a port or a log takes some tenths of a millisecond. A command costs as much as a process. */
const LOOK_MS = 200;
const COMMAND_LOOK_MS = 500;
/** What is not ready after half a minute is looked at less often; there may be thousands of them. */
const LONGEST_LOOK_MS = 2000;
const LOOK_GROWTH = 1.05;
/** At most so much of a log in one look. */
const LOG_BYTES = 4 * 2 ** 20;

export interface ReadinessPorts {
  readonly timers: Timers;
  readonly check: () => boolean | Promise<boolean>;
  readonly onReady: () => void;
}

export interface ReadinessPlan {
  /** The check starts a process. */
  readonly isCostly: boolean;
  readonly timeoutMs: number;
}

export class Readiness {
  readonly #ports: ReadinessPorts;
  #lookMs: number;
  readonly #cancelTimeout: () => void;
  #cancelLook: () => void = () => {};
  #isOver = false;
  #isReady = false;
  #isLate = false;

  /** The first look comes a little later: nothing is ready when it has just started. */
  constructor(ports: ReadinessPorts, { isCostly, timeoutMs }: ReadinessPlan) {
    this.#ports = ports;
    this.#lookMs = isCostly ? COMMAND_LOOK_MS : LOOK_MS;
    this.#cancelTimeout = ports.timers.after(timeoutMs, () => {
      this.#isLate = true;
    });
    this.#lookLater();
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Not ready, though its time is over; it may still become ready. */
  get isLate(): boolean {
    return this.#isLate;
  }

  stop(): void {
    this.#isOver = true;
    this.#cancelLook();
    this.#cancelTimeout();
  }

  #lookLater(): void {
    this.#cancelLook = this.#ports.timers.after(this.#lookMs, () => void this.#look());
    this.#lookMs = Math.min(LONGEST_LOOK_MS, this.#lookMs * LOOK_GROWTH);
  }

  /** Never rejects: what can't be checked is not ready. */
  async #look(): Promise<void> {
    let isReady = false;
    try {
      isReady = await this.#ports.check();
    } catch {}
    if (this.#isOver) return;
    if (!isReady) return this.#lookLater();
    this.stop();
    this.#isReady = true;
    this.#isLate = false;
    this.#ports.onReady();
  }
}

/** Looks for a text in what is written to a log from a position on. */
export class LogText {
  readonly #file: string;
  readonly #text: Buffer;
  #at: number;
  /** The end of what was read before: the text may begin in it. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(file: string, text: string, from: number) {
    this.#file = file;
    this.#text = Buffer.from(text);
    this.#at = from;
  }

  /** Whether it has been written. Throws system errors. */
  isThere(): boolean {
    const descriptor = openSync(this.#file, 'r');
    try {
      // A log that grows faster than it is read loses its start.
      const cut = readCut(this.#file);
      const { size } = fstatSync(descriptor);
      // Or it was emptied.
      if (cut > this.#at || size < this.#at) {
        this.#at = cut <= size ? cut : 0;
        this.#tail = Buffer.alloc(0);
      }
      const chunk = Buffer.alloc(LOG_BYTES);
      const read = readSync(descriptor, chunk, 0, LOG_BYTES, this.#at);
      this.#at += read;
      const bytes = Buffer.concat([this.#tail, chunk.subarray(0, read)]);
      this.#tail = bytes.subarray(Math.max(0, bytes.length - this.#text.length + 1));
      return bytes.includes(this.#text);
    } finally {
      closeSync(descriptor);
    }
  }
}
