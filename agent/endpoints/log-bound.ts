/**
 * Bounds the logs of endpoints while commands write them. What is too much is dropped from the start of the file, as a hole:
 * commands go on at the end of it, and nothing that is kept is copied, lost or written twice.
 *
 * Commands write straight into their files, so that they depend on no process of netfold's. Between two looks they write as
 * much as they can; so the logs that grow fast are looked at more often.
 */
import { closeSync, ftruncateSync, lstatSync, readSync, rmSync } from 'node:fs';
import type { Timers } from '../clock/clock.ts';
import { cutFileOf, missingAtStart, readCut } from '../files/log-cut.ts';
import { appendTo, openToChange, PRIVATE_FILE, replaceFile } from '../files/own-files.ts';
import { punchHole } from '../kernel/sys/sparse-file.ts';

export interface LogLimits {
  /** A log with more bytes loses its first half. */
  readonly each: number;
  /** If all logs of this agent have more bytes together, each has its part of this instead, but never below `least`. */
  readonly all: number;
  readonly least: number;
}

/** Some 400,000 lines for each; /run has a tenth or a fifth of the memory. */
export const LOG_LIMITS: LogLimits = { each: 32 * 2 ** 20, all: 256 * 2 ** 20, least: 64 * 2 ** 10 };

/** A look at a file takes some microseconds. What grows fast is looked at each time … */
export const HOT_LOOK_MS = 40;
/** … everything else each fifth time, unless there are more than 500: then later. */
const COLD_TURNS = 5;
const LOOKS_AT_ONCE = 100;
/** So much in one look is fast: a log takes hundreds of them to be too long otherwise. */
const HOT_BYTES = 64 * 2 ** 10;
/** A longer line is cut anywhere. */
const LINE_BYTES = 65_536;
const NEWLINE = 10;

interface Watched {
  readonly file: string;
  size: number;
  cut: number;
  isHot: boolean;
  /** While its start is being dropped. */
  isBusy: boolean;
}

export interface LogBoundPorts {
  readonly timers: Timers;
  /** Called with what could not be done, in words. */
  readonly onProblem: (problem: string) => void;
}

export class LogBound {
  readonly #ports: LogBoundPorts;
  readonly #limits: LogLimits;
  /** By endpoint's name. */
  readonly #watched = new Map<string, Watched>();
  #cold: Watched[] = [];
  #total = 0;
  #stop: (() => void) | undefined;
  readonly #cutting = new Set<Promise<void>>();

  constructor(ports: LogBoundPorts, limits = LOG_LIMITS) {
    this.#ports = ports;
    this.#limits = limits;
  }

  /** From now on; the file need not be there yet. */
  watch(name: string, file: string): void {
    const known = this.#watched.get(name);
    if (known) known.isHot = true;
    // A command that writes without end does it at once, mostly.
    else {
      const cut = readCutOf(file);
      this.#watched.set(name, { file, size: cut, cut, isHot: true, isBusy: false });
    }
    this.#stop ??= this.#ports.timers.every(HOT_LOOK_MS, () => this.#look());
  }

  /** Bytes that an endpoint's log has lost. */
  lost(name: string): number {
    return this.#watched.get(name)?.cut ?? 0;
  }

  /** Resolves when nothing is being dropped. */
  async settled(): Promise<void> {
    await Promise.all(this.#cutting);
  }

  async stop(): Promise<void> {
    this.#stop?.();
    this.#stop = undefined;
    await this.settled();
  }

  #look(): void {
    for (const one of this.#watched.values()) if (one.isHot) this.#bound(one);
    if (this.#cold.length === 0) this.#cold = [...this.#watched.values()];
    const turn = Math.min(LOOKS_AT_ONCE, Math.ceil(this.#watched.size / COLD_TURNS));
    for (const one of this.#cold.splice(0, turn)) if (!one.isHot) this.#bound(one);
  }

  #bound(one: Watched): void {
    if (one.isBusy) return;
    try {
      const size = lstatSync(one.file, { throwIfNoEntry: false })?.size ?? 0;
      if (size < one.cut) forgetCut(one);
      one.isHot = size - one.size > HOT_BYTES;
      this.#total += size - one.size;
      one.size = size;
      const { each, all, least } = this.#limits;
      const part = Math.max(least, all / this.#watched.size);
      const most = this.#total > all ? Math.min(each, part) : each;
      if (size - one.cut > most) this.#cutAside(one, size - Math.floor(most / 2));
    } catch (error) {
      this.#failed(one, error as Error);
    }
  }

  #failed(one: Watched, { message }: Error): void {
    this.#ports.onProblem(`${one.file} can't be bounded: ${message}`);
    one.isHot = false;
  }

  #cutAside(one: Watched, least: number): void {
    one.isBusy = true;
    const cutting = this.#cut(one, least)
      .catch((error: Error) => this.#failed(one, error))
      .then(() => {
        one.isBusy = false;
        this.#cutting.delete(cutting);
      });
    this.#cutting.add(cutting);
  }

  async #cut(one: Watched, least: number): Promise<void> {
    const descriptor = openToChange(one.file);
    try {
      const cut = lineStart(descriptor, least, one.size);
      // Of a full file system the room comes first, and the note after it.
      const isNoted = noteCut(one.file, cut);
      if (await punchHole(descriptor, 0, cut)) {
        if (!isNoted) noteCut(one.file, cut);
        this.#total -= cut - one.cut;
        one.cut = cut;
      } else this.#empty(one, descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Where files can't have holes. */
  #empty(one: Watched, descriptor: number): void {
    ftruncateSync(descriptor, 0);
    rmSync(cutFileOf(one.file), { force: true });
    appendTo(one.file, missingAtStart(one.size), PRIVATE_FILE);
    this.#total -= one.size - one.cut;
    Object.assign(one, { size: 0, cut: 0 });
  }
}

/** Somebody has emptied the file. */
function forgetCut(one: Watched): void {
  rmSync(cutFileOf(one.file), { force: true });
  Object.assign(one, { size: 0, cut: 0 });
}

function readCutOf(file: string): number {
  try {
    return readCut(file);
  } catch {
    return 0;
  }
}

/** Returns whether there was room for it. */
function noteCut(file: string, cut: number): boolean {
  try {
    replaceFile(cutFileOf(file), `${cut}\n`, { mode: PRIVATE_FILE });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    return false;
  }
}

/** The first start of a line from `from` on, if it is near. */
function lineStart(descriptor: number, from: number, size: number): number {
  const chunk = Buffer.alloc(Math.min(LINE_BYTES, size - from));
  const read = readSync(descriptor, chunk, 0, chunk.length, from - 1);
  return from + Math.max(0, chunk.subarray(0, read).indexOf(NEWLINE));
}
