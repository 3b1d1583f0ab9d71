/** Paths of a topology and ways between hosts as tables of numbers. Pure. */
import { bps, UNLIMITED } from '../../../proto/units.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { ControllerError } from '../../errors.ts';
import type { Way } from '../../inventory/network.ts';

/** `from * size + to`, of endpoints. */
export interface PathTable {
  readonly size: number;
  /** µs; NaN: there is no path. */
  readonly latency: Float64Array;
  /** bit/s; infinite: nothing bounds it. */
  readonly bandwidth: Float64Array;
  /** How many there are. */
  readonly paths: number;
  /** bit/s, of all paths together; one without a bandwidth counts as the fastest that has one, and at least as 1 Gb/s. */
  readonly totalBps: number;
  /** What one without a bandwidth counts as. */
  readonly unlimitedBps: number;
}

/** `from * size + to`, of hosts. What a host sends to itself crosses no network. */
export interface WayTable {
  readonly size: number;
  /** µs; NaN: it was not measured. */
  readonly latency: Float64Array;
  readonly loss: Float64Array;
  /** bit/s; infinite: it was not measured. */
  readonly bandwidth: Float64Array;
}

/** All pairs of these are looked at, again and again. */
export const MOST_ENDPOINTS = 500;
const LEAST_UNLIMITED = bps(1e9);

/** At the start of the timeline. Throws `PLACEMENT_TOO_LARGE`. */
export function pathTable(graph: Graph): PathTable {
  const size = graph.endpoints.length;
  if (size > MOST_ENDPOINTS)
    throw new ControllerError(
      'PLACEMENT_TOO_LARGE',
      `${size} endpoints are too many to be matched with the real network`,
      `match at most ${MOST_ENDPOINTS}, or place them without --network`,
    );
  const folding = new Folding(graph);
  const latency = new Float64Array(size * size).fill(Number.NaN);
  const bandwidth = new Float64Array(size * size).fill(UNLIMITED);
  let paths = 0;
  for (let from = 0; from < size; from++) {
    for (let to = 0; to < size; to++) {
      const path = folding.path(from, to);
      if (!path) continue;
      paths++;
      latency[from * size + to] = path.latency;
      bandwidth[from * size + to] = path.bandwidth;
    }
  }
  const rates = bandwidth.filter((rate, at) => rate < UNLIMITED && !Number.isNaN(latency[at]!));
  const unlimitedBps = rates.reduce((most, rate) => Math.max(most, rate), LEAST_UNLIMITED as number);
  const known = rates.reduce((sum, rate) => sum + rate, 0);
  return {
    ...{ size, latency, bandwidth, paths, unlimitedBps },
    totalBps: known + (paths - rates.length) * unlimitedBps,
  };
}

/**
 * `hosts`: names, in the order of the table; ways of others are left out. A round trip is of both directions: the least that is
 * given for a pair counts, since measurements are only ever too long. Of losses and bandwidths of a direction, the last counts.
 */
export function wayTable(ways: readonly Way[], hosts: readonly string[]): WayTable {
  const size = hosts.length;
  const indexOf = new Map(hosts.map((name, index) => [name, index]));
  const latency = new Float64Array(size * size).fill(Number.NaN);
  const loss = new Float64Array(size * size);
  const bandwidth = new Float64Array(size * size).fill(UNLIMITED);
  for (let host = 0; host < size; host++) latency[host * size + host] = 0;
  for (const way of ways) {
    const [from, to] = [indexOf.get(way.from), indexOf.get(way.to)];
    if (from === undefined || to === undefined) continue;
    const [there, back] = [from * size + to, to * size + from];
    if (way.latency !== undefined) {
      const before = latency[there]!;
      const least = Number.isNaN(before) ? way.latency : Math.min(before, way.latency);
      latency[there] = least;
      latency[back] = least;
    }
    if (way.loss !== undefined) loss[there] = way.loss;
    if (way.bandwidth !== undefined) bandwidth[there] = way.bandwidth;
  }
  return { size, latency, loss, bandwidth };
}
