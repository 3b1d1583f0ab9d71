/** Datagrams from one endpoint to another for as long as a run takes, whose latency is measured one way: by one clock, so on one machine. */
import type { ChildProcess } from 'node:child_process';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { millisToNanos, nanosToMillis } from '../../proto/units.ts';
import type { Probe } from '../../topology/judge/evidence.ts';
import { type Place, start } from '../verify/traffic.ts';
import type { Prober } from './probes.ts';

const PROGRAM = join(import.meta.dirname, `datagram-program${extname(import.meta.filename)}`);

export class Datagrams implements Prober {
  readonly #children: ChildProcess[] = [];
  /** When the timeline began, by the monotonic clock. */
  readonly #startNs: bigint;
  /** By sequence number, from 0. */
  readonly #sent = new Map<number, number>();
  readonly #arrived = new Map<number, number>();
  #problem: string | undefined;
  #isStopped = false;

  /** `startAt`: of the timeline, in milliseconds since 1970. */
  constructor(from: Place, to: Place, intervalMs: number, startAt: number) {
    this.#startNs = process.hrtime.bigint() - BigInt(millisToNanos(Math.round(Date.now() - startAt)));
    this.#start(to, ['receive', to.address], (words) => {
      if (words[0] === 'port') this.#send(from, to.address, words[1]!, intervalMs);
      else this.#arrived.set(Number(words[0]), this.#millis(words[1]!));
    });
  }

  get problem(): string | undefined {
    return this.#sent.size === 0 ? this.#problem : undefined;
  }

  get probes(): Probe[] {
    return [...this.#sent].map(([number, sentMs]) => {
      const arrivedMs = this.#arrived.get(number);
      return { sentMs, tookMs: arrivedMs === undefined ? null : arrivedMs - sentMs };
    });
  }

  stop(): void {
    this.#isStopped = true;
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #send(from: Place, address: string, port: string, intervalMs: number): void {
    if (this.#isStopped) return;
    this.#start(from, ['send', address, port, String(intervalMs)], ([number, at]) => {
      this.#sent.set(Number(number), this.#millis(at!));
    });
  }

  #start(place: Place, args: readonly string[], take: (words: string[]) => void): void {
    const child = start(place, [process.execPath, PROGRAM, ...args]);
    this.#children.push(child);
    child.on('error', ({ message }) => {
      this.#problem ??= message;
    });
    createInterface(child.stdout!).on('line', (line) => take(line.split(' ')));
    createInterface(child.stderr!).on('line', (line) => {
      this.#problem ??= line;
    });
  }

  #millis(at: string): number {
    return nanosToMillis(Number(BigInt(at) - this.#startNs));
  }
}
