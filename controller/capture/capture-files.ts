/** Where packets go: one file, the last ones of several, or a stream. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { extname } from 'node:path';
import type { Micros } from '../../proto/units.ts';
import { MOST_CAPTURED } from './address-filter.ts';
import {
  type CapturedInterface,
  interfaceBlock,
  packetBlock,
  sectionBlock,
  statisticsBlock,
  type WrittenPacket,
} from './format/pcapng.ts';

export interface CaptureHead {
  readonly program: string;
  readonly comment: string;
  readonly interfaces: readonly CapturedInterface[];
}

/** Takes bytes in their order. */
export interface Sink {
  /** A new section begins, whose blocks depend on nothing before. */
  begin(): void;
  write(bytes: Uint8Array): void;
  /** What was written is with its reader then. */
  flush(): void;
  /** Bytes of this section so far. */
  readonly size: number;
  close(): void;
}

export interface FileLimits {
  /** Bytes of a file, about; absent: it is as long as all. */
  readonly size?: number | undefined;
  /** How many files are kept; absent: all. */
  readonly files?: number | undefined;
}

/** So much is written at once. */
const PIECE = 1 << 16;

/** One file, or with a bound several, which are numbered: `NAME-00001.pcapng`. What is there is replaced. Throws system errors. */
export class FileSink implements Sink {
  /** Those that are kept, the oldest first. */
  readonly files: string[] = [];
  size = 0;
  readonly #path: string;
  readonly #isNumbered: boolean;
  readonly #most: number;
  #number = 0;
  #descriptor: number | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(path: string, { size, files }: FileLimits) {
    this.#path = path;
    this.#isNumbered = size !== undefined;
    this.#most = files ?? Number.POSITIVE_INFINITY;
  }

  begin(): void {
    this.#end();
    const path = this.#isNumbered ? numbered(this.#path, ++this.#number) : this.#path;
    // What was on the way may be secret.
    this.#descriptor = openSync(path, 'w', 0o600);
    this.size = 0;
    this.files.push(path);
    if (this.files.length > this.#most) rmSync(this.files.shift()!, { force: true });
  }

  write(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    this.size += bytes.length;
    if (this.#heldBytes >= PIECE) this.flush();
  }

  flush(): void {
    if (this.#descriptor === undefined || this.#heldBytes === 0) return;
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
  }

  #end(): void {
    if (this.#descriptor === undefined) return;
    this.flush();
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  close(): void {
    this.#end();
  }
}

function numbered(path: string, number: number): string {
  const extension = extname(path);
  const stem = extension === '' ? path : path.slice(0, -extension.length);
  return `${stem}-${String(number).padStart(5, '0')}${extension}`;
}

export class CaptureWriter {
  readonly #sink: Sink;
  readonly #head: Buffer;
  readonly #limits: FileLimits;
  packets = 0;

  constructor(sink: Sink, { program, comment, interfaces }: CaptureHead, limits: FileLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#head = Buffer.concat([
      sectionBlock(program, comment),
      ...interfaces.map((one) => interfaceBlock(one, MOST_CAPTURED)),
    ]);
    sink.begin();
    sink.write(this.#head);
  }

  write(packet: WrittenPacket): void {
    const { size = Number.POSITIVE_INFINITY } = this.#limits;
    if (this.#sink.size >= size) {
      this.#sink.begin();
      this.#sink.write(this.#head);
    }
    this.#sink.write(packetBlock(packet));
    this.packets++;
  }

  /** `counts`: of each interface, in their order. */
  close(at: Micros, counts: readonly { readonly received: number; readonly dropped: number }[]): void {
    for (const [number, count] of counts.entries()) this.#sink.write(statisticsBlock(number, at, count));
    this.#sink.close();
  }
}
