/** Echo requests between endpoints for as long as a run takes, by `ping` (iputils). */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PingLines, pingWords } from '../../agent/conditions/ping-lines.ts';
import { millisToSeconds } from '../../proto/units.ts';
import type { Probe } from '../../topology/judge/evidence.ts';
import { type Place, start } from '../verify/traffic.ts';

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
  readonly #lines: PingLines;
  #problem: string | undefined;

  /** `startAt`: of the timeline, in milliseconds since 1970. */
  constructor(from: Place, to: Place, intervalMs: number, startAt: number) {
    this.#lines = new PingLines(intervalMs, startAt);
    this.#child = start(from, pingWords(to.address, millisToSeconds(intervalMs)));
    this.#child.on('error', ({ message }) => {
      this.#problem = message;
    });
    createInterface(this.#child.stdout!).on('line', (line) => this.#lines.take(line));
    createInterface(this.#child.stderr!).on('line', (line) => {
      this.#problem ??= line;
    });
  }

  get problem(): string | undefined {
    return this.#lines.isEmpty ? this.#problem : undefined;
  }

  get probes(): Probe[] {
    return this.#lines.probes;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
