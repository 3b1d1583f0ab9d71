/** What was seen in the last minutes: rates and shares of flows, round trips of paths, load of agents. In bounded memory. */
import type { LiveState } from '../../../proto/api/v1/live-state.ts';
import { millisToSeconds } from '../../../proto/units.ts';
import type { Verdict } from './network.ts';
import { Series } from './series.ts';

const SAMPLE_MS = 500;
/** Of series; those that changed longest ago are forgotten. */
const MOST_SERIES = 2000;

export class Trail {
  /** By `from>to`: rate, share. */
  readonly rates = new Map<string, Series>();
  /** By `from>to`: asked, measured, in milliseconds. */
  readonly roundTrips = new Map<string, Series>();
  /** By host: processor, as a part of one core. */
  readonly cores = new Map<string, Series>();
  readonly #cpu = new Map<string, { readonly seconds: number; readonly atMs: number }>();
  #keptAt = Number.NEGATIVE_INFINITY;

  /** Keeps a sample, if the last one is old enough. */
  keep(nowMs: number | null, { flows, agents }: LiveState, verdict: Verdict | undefined): void {
    if (nowMs === null || nowMs - this.#keptAt < SAMPLE_MS) return;
    this.#keptAt = nowMs;
    for (const [pair, { rateBps, shareBps }] of flows) add(this.rates, pair, nowMs, [rateBps, shareBps]);
    for (const [pair, series] of this.rates) {
      if (!flows.has(pair) && series.last(0) !== 0) add(this.rates, pair, nowMs, [0, null]);
    }
    for (const { from, to, roundTripMs, measuredMs } of verdict?.paths ?? []) {
      const isFlowing = flows.has(`${from}>${to}`);
      add(this.roundTrips, `${from}>${to}`, nowMs, [roundTripMs, isFlowing ? measuredMs : null]);
    }
    for (const [host, { cpuSeconds }] of agents) this.#keepCpu(host, cpuSeconds, nowMs);
  }

  /** A round trip that somebody has measured now. */
  measured(pair: string, nowMs: number, targetMs: number | null, ms: number | null): void {
    add(this.roundTrips, pair, nowMs, [targetMs, ms]);
  }

  /** The agent's load is told every two seconds. */
  #keepCpu(host: string, seconds: number, atMs: number): void {
    const before = this.#cpu.get(host);
    if (before?.seconds === seconds) return;
    this.#cpu.set(host, { seconds, atMs });
    if (!before || seconds < before.seconds) return;
    add(this.cores, host, atMs, [(seconds - before.seconds) / millisToSeconds(atMs - before.atMs)]);
  }
}

function add(all: Map<string, Series>, key: string, atMs: number, values: readonly (number | null)[]): void {
  const series = all.get(key) ?? new Series(values.length);
  all.delete(key);
  all.set(key, series);
  if (all.size > MOST_SERIES) all.delete(all.keys().next().value!);
  series.add(millisToSeconds(atMs), values);
}
