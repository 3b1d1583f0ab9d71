/**
 * Bytes that pass interfaces, read every few milliseconds without entering a namespace again: a file of /proc/net
 * that was opened in a namespace continues to report on that namespace (fs/proc/proc_net.c), and one reading takes
 * microseconds.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { namespacePath, within } from '../../../agent/kernel/netns/namespaces.ts';
import type { Place } from '../../../controller/verify/traffic.ts';

const ENOUGH_BYTES = 8192;

export interface Bytes {
  readonly received: number;
  readonly sent: number;
}

/** All places at one time. */
export interface Sample {
  /** `Date.now()`, with parts of milliseconds. */
  readonly atMs: number;
  /** In the order of the places. */
  readonly bytes: readonly Bytes[];
}

export class ByteCounters {
  readonly #files: readonly number[];
  readonly #buffer = Buffer.alloc(ENOUGH_BYTES);
  readonly samples: Sample[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(places: readonly Place[]) {
    this.#files = places.map(({ namespace }) =>
      within(namespacePath(namespace), () => openSync('/proc/thread-self/net/dev', 'r')),
    );
  }

  /** Samples every `ms` from now on. */
  start(ms: number): void {
    this.#timer = setInterval(() => this.#sample(), ms);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const file of this.#files) closeSync(file);
  }

  #sample(): void {
    const atMs = performance.timeOrigin + performance.now();
    this.samples.push({ atMs, bytes: this.#files.map((file) => this.#read(file)) });
  }

  #read(file: number): Bytes {
    const length = readSync(file, this.#buffer, 0, ENOUGH_BYTES, 0);
    return parseInterface(this.#buffer.toString('latin1', 0, length));
  }
}

/** The line of eth0 in /proc/net/dev: eight columns of received data, then those of sent data, bytes first. */
export function parseInterface(text: string): Bytes {
  const line = /^\s*eth0:\s*(.*)$/m.exec(text)?.[1] ?? '';
  const columns = line.trim().split(/\s+/).map(Number);
  return { received: columns[0] ?? Number.NaN, sent: columns[8] ?? Number.NaN };
}
