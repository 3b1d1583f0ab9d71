/** Echo requests between endpoints for as long as a run takes, by `ping` (iputils). */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { millisToSeconds, secondsToMillis } from '../../proto/units.ts';
import { type Place, start } from '../verify/traffic.ts';
import type { Probe } from './evidence.ts';

/** An answer that is not there by now is lost. */
export const PATIENCE_MS = 2000;

/** What sends packets from one endpoint to another to measure a path. */
export interface Prober {
  /** Why there are no probes, in words; `undefined`: it works. */
  readonly problem: string | undefined;
  /** In the order of sending. */
  readonly probes: readonly Probe[];
  stop(): void;
}

export class Probes implements Prober {
  readonly #child: ChildProcess;
  readonly #intervalMs: number;
  readonly #startAt: number;
  /** By sequence number, from 1. */
  readonly #sent = new Map<number, Probe>();
  #problem: string | undefined;

  /** `startAt`: of the timeline, in milliseconds since 1970. */
  constructor(from: Place, to: Place, intervalMs: number, startAt: number) {
    this.#intervalMs = intervalMs;
    this.#startAt = startAt;
    // -O tells of each request that has no answer when the next one is sent.
    const how = ['-n', '-D', '-O', '-i', String(millisToSeconds(intervalMs)), to.address];
    this.#child = start(from, ['ping', ...how]);
    this.#child.on('error', ({ message }) => {
      this.#problem = message;
    });
    createInterface(this.#child.stdout!).on('line', (line) => this.#take(line));
    createInterface(this.#child.stderr!).on('line', (line) => {
      this.#problem ??= line;
    });
  }

  get problem(): string | undefined {
    return this.#sent.size === 0 ? this.#problem : undefined;
  }

  get probes(): Probe[] {
    return [...this.#sent].sort(([a], [b]) => a - b).map(([, probe]) => probe);
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  /** `[1767225600.123456] 64 bytes from 10.0.0.2: icmp_seq=3 ttl=64 time=1.23 ms` */
  #take(line: string): void {
    const [, at, number] = /^\[(\d+\.\d+)\].*icmp_seq=(\d+)/.exec(line) ?? [];
    if (at === undefined) return;
    const toldMs = secondsToMillis(Number(at)) - this.#startAt;
    const time = / time=([\d.]+) ms/.exec(line);
    if (time) {
      const tookMs = Number(time[1]);
      this.#sent.set(Number(number), { sentMs: toldMs - tookMs, tookMs });
    } else if (line.includes('no answer yet') && !this.#sent.has(Number(number))) {
      this.#sent.set(Number(number), { sentMs: toldMs - this.#intervalMs, tookMs: null });
    }
  }
}
