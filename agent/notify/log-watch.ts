/** Texts in the logs of endpoints for which sequences wait: found as applications write them, and told once of each endpoint. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { NOTIFIED } from '../../proto/control.ts';
import type { Timers } from '../clock/clock.ts';

/** A text that an endpoint may log, and what it means then. */
export interface Awaited {
  readonly name: string;
  readonly text: string;
  /** Names. */
  readonly endpoints: readonly string[];
}

export interface LogWatchPorts {
  readonly timers: Timers;
  readonly fileOf: (endpoint: string) => string;
  /** Tells all agents; returns `NOTIFIED`, or why not. */
  readonly tell: (endpoint: string, name: string) => string;
}

/** A text is told so much after it is written, and a tenth of a second later it counts on all hosts. */
const LOOK_MS = 100;
/** Of one log in one look. */
const MOST_BYTES = 1 << 20;

interface Watched {
  readonly endpoint: string;
  /** Those that have not been told. */
  readonly open: { readonly name: string; readonly text: Buffer; isFound: boolean }[];
  offset: number;
  /** The end of what was read, in which a text may have begun. */
  tail: Buffer;
}

export class LogWatch {
  readonly #ports: LogWatchPorts;
  readonly #awaited: readonly Awaited[];
  readonly #watched = new Map<string, Watched>();
  #cancel: (() => void) | undefined;

  constructor(ports: LogWatchPorts, awaited: readonly Awaited[]) {
    this.#ports = ports;
    this.#awaited = awaited;
  }

  /** Those of this host. What was found in one that is gone stays told. */
  set(endpoints: readonly { readonly name: string }[]): void {
    const names = new Set(endpoints.map(({ name }) => name));
    for (const name of this.#watched.keys()) if (!names.has(name)) this.#watched.delete(name);
    for (const endpoint of names) {
      const wanted = this.#awaited.filter((one) => one.endpoints.includes(endpoint));
      if (wanted.length === 0 || this.#watched.has(endpoint)) continue;
      const open = wanted.map(({ name, text }) => ({ name, text: Buffer.from(text), isFound: false }));
      this.#watched.set(endpoint, { endpoint, open, offset: 0, tail: Buffer.alloc(0) });
    }
    if (this.#watched.size > 0) this.#cancel ??= this.#ports.timers.every(LOOK_MS, () => this.#look());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    for (const one of this.#watched.values()) {
      if (one.open.length === 0) continue;
      if (one.open.some(({ isFound }) => !isFound)) this.#read(one);
      // Before the start, and while this host is alone, it is told later.
      for (const found of one.open.filter(({ isFound }) => isFound))
        if (this.#ports.tell(one.endpoint, found.name) === NOTIFIED)
          one.open.splice(one.open.indexOf(found), 1);
    }
  }

  #read(one: Watched): void {
    let fd: number;
    try {
      fd = openSync(this.#ports.fileOf(one.endpoint), constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch {
      // Nothing has been written yet.
      return;
    }
    try {
      const { size } = fstatSync(fd);
      if (size < one.offset) Object.assign(one, { offset: 0, tail: Buffer.alloc(0) });
      const data = Buffer.alloc(Math.min(MOST_BYTES, size - one.offset));
      const read = readSync(fd, data, 0, data.length, one.offset);
      one.offset += read;
      const text = Buffer.concat([one.tail, data.subarray(0, read)]);
      for (const wanted of one.open) wanted.isFound ||= text.includes(wanted.text);
      const kept = Math.max(...one.open.map((wanted) => wanted.text.length)) - 1;
      one.tail = Buffer.from(text.subarray(Math.max(0, text.length - kept)));
    } finally {
      closeSync(fd);
    }
  }
}
