/** Echo requests by `ping`, in the network namespace of an endpoint. Who crashes the endpoint ends it, and it begins anew. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { millisToSeconds } from '../../proto/units.ts';
import type { Probe } from '../../topology/judge/evidence.ts';
import type { Timers } from '../clock/clock.ts';
import { within } from '../kernel/netns/namespaces.ts';
import { PingLines, pingWords } from './ping-lines.ts';
import type { EchoSeries } from './senses.ts';

const AGAIN_MS = 500;

export interface PingsOptions {
  /** Its path. */
  readonly namespace: string;
  readonly address: string;
  readonly intervalMs: number;
  /** Of the timeline, in milliseconds since 1970. */
  readonly startAt: number;
  readonly timers: Timers;
}

export class Pings implements EchoSeries {
  readonly #options: PingsOptions;
  #lines: PingLines;
  #child: ChildProcess | undefined;
  #problem: string | undefined;
  #cancel: () => void = () => {};

  constructor(options: PingsOptions) {
    this.#options = options;
    this.#lines = this.#start();
  }

  get problem(): string | undefined {
    return this.#lines.isEmpty ? this.#problem : undefined;
  }

  get probes(): readonly Probe[] {
    return this.#lines.probes;
  }

  settledMs(nowMs: number): number {
    return this.#lines.settledMs(nowMs);
  }

  forgetBefore(ms: number): void {
    this.#lines.forgetBefore(ms);
  }

  stop(): void {
    this.#cancel();
    this.#child?.removeAllListeners('exit');
    this.#child?.kill('SIGKILL');
  }

  #start(): PingLines {
    const { namespace, address, intervalMs, startAt } = this.#options;
    const lines = new PingLines(intervalMs, startAt);
    const [program, ...args] = pingWords(address, millisToSeconds(intervalMs));
    try {
      // A child is in the namespace of the thread that starts it.
      const child = within(namespace, () => spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
      this.#follow(child, lines);
    } catch (error) {
      this.#fail((error as Error).message);
    }
    return lines;
  }

  #follow(child: ChildProcess, lines: PingLines): void {
    this.#child = child;
    child.on('error', ({ message }) => this.#fail(message));
    child.on('exit', () => this.#fail(undefined));
    createInterface(child.stdout!).on('line', (line) => lines.take(line));
    createInterface(child.stderr!).on('line', (line) => {
      this.#problem = line;
    });
  }

  #fail(problem: string | undefined): void {
    this.#problem = problem ?? this.#problem;
    this.#cancel();
    this.#cancel = this.#options.timers.after(AGAIN_MS, () => {
      this.#lines = this.#start();
    });
  }
}
