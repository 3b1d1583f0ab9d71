/**
 * Room for what endpoints write. It is the machine's: an application that fills it stops others that write, and
 * agents' logs. No bound can be set for a folder, so status says when little is left, and who takes it is stopped.
 */
import { lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { OUT_FOLDER } from '../../proto/bootstrap.ts';
import type { Timers } from '../clock/clock.ts';

const MEBIBYTE = 1 << 20;
/** Little is left with less than both: a part of the whole file system, which may be small, and this much of a large one. */
const LEAST_FREE = { part: 0.1, bytes: 64 * MEBIBYTE } as const;

/** statfs(2): sizes in blocks of `bsize` bytes. `bavail`: for users that are not root. */
export interface FileSystemRoom {
  readonly bsize: number;
  readonly blocks: number;
  readonly bavail: number;
}

export class DataRoom {
  readonly #folder: string | undefined;
  readonly #read: (folder: string) => Promise<FileSystemRoom>;
  #problem: string | undefined;
  #found: FileSystemRoom | undefined;

  /** `folder`: absent where endpoints have none. */
  constructor(folder: string | undefined, read: (folder: string) => Promise<FileSystemRoom> = statfs) {
    this.#folder = folder;
    this.#read = read;
  }

  /** In words, while little is left. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get folder(): string | undefined {
    return this.#folder;
  }

  /** Bytes that were free at the last look, and how few are little; `undefined`: not known. */
  get free(): { readonly bytes: number; readonly little: number } | undefined {
    return this.#found && { bytes: this.#found.bavail * this.#found.bsize, little: littleOf(this.#found) };
  }

  /** Never rejects: a folder that is gone has no room that could be short. */
  async look(): Promise<void> {
    if (this.#folder === undefined) return;
    const room = await this.#read(this.#folder).catch(() => undefined);
    this.#found = room;
    this.#problem = room && isShort(room) ? describe(this.#folder, room) : undefined;
  }
}

const littleOf = ({ bsize, blocks }: FileSystemRoom): number =>
  Math.min(LEAST_FREE.bytes, LEAST_FREE.part * blocks * bsize);

const isShort = (room: FileSystemRoom): boolean => room.bavail * room.bsize < littleOf(room);

function describe(folder: string, { bsize, bavail }: FileSystemRoom): string {
  const free = Math.floor((bavail * bsize) / MEBIBYTE);
  return `only ${free} MiB are free where ${folder} is: what applications write there may fail; remove files of theirs, or keep them elsewhere`;
}

const LOOK_MS = 200;
/** Folders are measured from so many times the little on, so that it is known who has grown since. */
const NEAR = 4;
/** Who has written less is not stopped, … */
const LEAST_GROWTH = MEBIBYTE;
/** … nor who has written less than this part of what has gone: another experiment or program takes it. */
const PART_OF_LOSS = 0.5;

export interface DataGuardPorts {
  readonly timers: Timers;
  readonly room: Pick<DataRoom, 'folder' | 'free' | 'look'>;
  /** Bytes in the folder of each endpoint below a folder, also of those of other hosts on this machine. */
  readonly sizes: (folder: string) => Promise<ReadonlyMap<string, number>>;
  /** Ends the life of an endpoint; of one that is not local, does nothing. `why`: in words, behind its name. */
  readonly stop: (endpoint: string, why: string) => void;
}

interface Measured {
  readonly free: number;
  readonly sizes: ReadonlyMap<string, number>;
}

/** Stops the endpoint that has written the most since room became short. What it has written stays. */
export class DataGuard {
  readonly #ports: DataGuardPorts;
  /** When room came near its end, or when somebody was stopped last. */
  #before: Measured | undefined;
  /** Bytes; below 0 before the first look. */
  #lastFree = -1;
  #isLooking = false;
  #cancel: () => void = () => {};

  constructor(ports: DataGuardPorts) {
    this.#ports = ports;
  }

  start(): void {
    const { timers, room } = this.#ports;
    if (room.folder !== undefined) this.#cancel = timers.every(LOOK_MS, () => void this.#lookInTurn());
  }

  stop(): void {
    this.#cancel();
  }

  async #lookInTurn(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#look().catch(() => {});
    this.#isLooking = false;
  }

  async #look(): Promise<void> {
    const { room, sizes } = this.#ports;
    await room.look();
    const free = room.free;
    const isFirst = this.#lastFree < 0;
    if (!free || free.bytes >= NEAR * free.little) this.#before = undefined;
    else {
      const now = { free: free.bytes, sizes: await sizes(room.folder!) };
      // What was there before this agent is nobody's fault. Where plenty was left at the last look, all has been taken since.
      const isSudden = !isFirst && free.bytes < free.little;
      this.#before ??= isSudden ? { free: this.#lastFree, sizes: new Map() } : now;
      if (free.bytes < free.little) this.#judge(this.#before, now);
    }
    this.#lastFree = free?.bytes ?? -1;
  }

  #judge(before: Measured, now: Measured): void {
    const grown = [...now.sizes].map(([name, size]) => ({ name, by: size - (before.sizes.get(name) ?? 0) }));
    const most = grown.reduce((one, other) => (other.by > one.by ? other : one), { name: '', by: 0 });
    if (most.by < LEAST_GROWTH || most.by < PART_OF_LOSS * (before.free - now.free)) return;
    const mebibytes = (bytes: number): number => Math.floor(bytes / MEBIBYTE);
    const why = `it has written ${mebibytes(most.by)} MiB to $NETFOLD_DATA, and only ${mebibytes(now.free)} MiB were left there; remove files of it, then crash it and let it join`;
    this.#ports.stop(most.name, why);
    // The next one is who goes on.
    this.#before = now;
  }
}

/** `DataGuardPorts.sizes` of this machine: what files take on the disk. What vanishes meanwhile has no size. */
export async function sizesBelow(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const out = join(folder, OUT_FOLDER);
  for (const below of [folder, out])
    for (const name of await readdir(below).catch(() => [])) {
      if (name === OUT_FOLDER) continue;
      sizes.set(name, (sizes.get(name) ?? 0) + (await bytesIn(join(below, name))));
    }
  return sizes;
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  let bytes = 0;
  for (const { parentPath, name } of entries)
    bytes += ((await lstat(join(parentPath, name)).catch(() => undefined))?.blocks ?? 0) * BLOCK;
  return bytes;
}

/** `st_blocks` counts in these (stat(2)). */
const BLOCK = 512;
