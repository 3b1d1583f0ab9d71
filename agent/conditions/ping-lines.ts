/** What `ping -n -D -O` (iputils) prints → what became of each echo request. */
import { secondsToMillis } from '../../proto/units.ts';
import type { Probe } from '../../topology/judge/evidence.ts';

/** An answer that is not there by now is lost. */
export const PATIENCE_MS = 2000;

/** `-O` tells of each request that has no answer when the next one is sent. */
export const pingWords = (address: string, intervalSeconds: number): string[] => [
  ...['ping', '-n', '-D', '-O', '-i', String(intervalSeconds)],
  address,
];

export class PingLines {
  readonly #intervalMs: number;
  readonly #startAt: number;
  /** By sequence number, from 1. */
  readonly #sent = new Map<number, Probe>();

  /** `startAt`: of the timeline, in milliseconds since 1970. */
  constructor(intervalMs: number, startAt: number) {
    this.#intervalMs = intervalMs;
    this.#startAt = startAt;
  }

  get isEmpty(): boolean {
    return this.#sent.size === 0;
  }

  /** In the order of sending. */
  get probes(): Probe[] {
    return [...this.#sent].sort(([a], [b]) => a - b).map(([, probe]) => probe);
  }

  /** `[1767225600.123456] 64 bytes from 10.0.0.2: icmp_seq=3 ttl=64 time=1.23 ms` */
  take(line: string): void {
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

  /**
   * Until when it is known what became of all that was sent: one without an answer may have it yet, and of the last ones nothing
   * was told. Milliseconds, as `nowMs`.
   */
  settledMs(nowMs: number): number {
    const open = [...this.#sent.values()].filter(
      ({ sentMs, tookMs }) => tookMs === null && sentMs > nowMs - PATIENCE_MS,
    );
    return Math.min(nowMs - 2 * this.#intervalMs, ...open.map(({ sentMs }) => sentMs));
  }

  forgetBefore(ms: number): void {
    for (const [number, { sentMs }] of this.#sent) if (sentMs < ms) this.#sent.delete(number);
  }
}
