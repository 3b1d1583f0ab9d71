/** What leaves an endpoint of netfold's own traffic: of each datagram, which source it is of and when it left, by the kernel's date. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HEAD_BYTES, readHead } from '../../agent/traffic/datagram.ts';
import { TRAFFIC_PORT } from '../../agent/traffic/messages.ts';
import { type Place, start } from '../../controller/verify/traffic.ts';
import { nanosToMillis, secondsToMillis } from '../../proto/units.ts';
import { BenchError } from '../errors.ts';

export interface Sent {
  readonly source: number;
  /** Since 1970. */
  readonly atMs: number;
  /** Of its payload. */
  readonly bytes: number;
}

/** Ethernet, IPv4 without options, UDP. */
const HEADERS = 14 + 20 + 8;
/** pcap-savefile(5): of a file with nanoseconds, as a machine of this byte order writes it. */
const PCAP = { magic: 0xa1b23c4d, headBytes: 24, recordBytes: 16, kept: 8, length: 12 } as const;

export class Capture {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #closed: Promise<unknown>;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#closed = once(child, 'close');
  }

  /** Resolves when it captures. Throws `COMMAND_FAILED` without tcpdump. */
  static async start(place: Place): Promise<Capture> {
    const folder = mkdtempSync(join(tmpdir(), 'netfold-bench-'));
    const options = ['-Z', 'root', '-Q', 'out', '-B', '16384', '-s', String(HEADERS + HEAD_BYTES), '-U'];
    const precise = ['--time-stamp-precision=nano', '-w', fileIn(folder)];
    const words = ['tcpdump', '-n', ...options, ...precise, `udp dst port ${TRAFFIC_PORT}`];
    const child = start(place, words);
    const capture = new Capture(child, folder);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const fail = (): void =>
        reject(new BenchError('COMMAND_FAILED', `tcpdump: ${said}`, 'install tcpdump'));
      child.stderr!.on('data', (text: Buffer) => {
        said += text.toString();
        if (said.includes('listening on')) resolve();
      });
      child.on('error', fail);
      child.on('exit', fail);
    }).catch((error: unknown) => {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    });
    return capture;
  }

  /** Ends it, and returns what it has seen, in order. */
  async stop(): Promise<Sent[]> {
    try {
      this.#child.kill('SIGINT');
      await this.#closed;
      return parsePcap(readFileSync(fileIn(this.#folder)));
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

const fileIn = (folder: string): string => join(folder, 'sent.pcap');

/** The datagrams of netfold's own traffic in a capture of Ethernet frames. Throws `OUTPUT_UNREADABLE`. */
export function parsePcap(file: Buffer): Sent[] {
  if (file.length < PCAP.headBytes || file.readUInt32LE(0) !== PCAP.magic)
    throw new BenchError('OUTPUT_UNREADABLE', 'this is no capture with nanoseconds');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const found: Sent[] = [];
  for (let at = PCAP.headBytes; at + PCAP.recordBytes <= file.length; ) {
    const kept = file.readUInt32LE(at + PCAP.kept);
    const data = at + PCAP.recordBytes;
    const bytes = file.readUInt32LE(at + PCAP.length) - HEADERS;
    const head = data + kept <= file.length ? readHead(view, data + HEADERS, kept - HEADERS) : undefined;
    const atMs = secondsToMillis(file.readUInt32LE(at)) + nanosToMillis(file.readUInt32LE(at + 4));
    if (head) found.push({ source: head.source, atMs, bytes });
    at = data + kept;
  }
  return found;
}
