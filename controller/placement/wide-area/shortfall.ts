/** What the real network can't give to a path, as one number. Pure: netfold adds latency and takes bandwidth, and can't do the reverse. */
import { fromMillis, micros } from '../../../proto/units.ts';
import type { PathTable, WayTable } from './tables.ts';

/** A round trip of less than twice this is not subtracted from paths (agent/underlay/round-trip.ts), so it does not count here. */
export const NEAR_MICROS = micros(250);
/** Missing microseconds count as parts of what is asked for, and of this at least: a path of 0 ms would be missed infinitely. */
const SHORTEST = fromMillis(1);
/** Less is not seen in some hundred probes. */
export const NOTICED_LOSS = 0.001;
/** Lost packets count so many times: TCP halves its rate long before half of them are lost. */
const LOSS_WEIGHT = 10;
/** As bad as a path of twice the latency. */
const NOT_MEASURED = 1;

/** Of the path between two endpoints over the way between two hosts; 0: it can be had. `path`, `way`: places in the tables. */
export function shortfall(paths: PathTable, path: number, ways: WayTable, way: number): number {
  const asked = paths.latency[path]!;
  if (Number.isNaN(asked)) return 0;
  const real = ways.latency[way]!;
  if (Number.isNaN(real)) return NOT_MEASURED;
  let sum = 0;
  if (real > asked && real > NEAR_MICROS) sum += (real - asked) / Math.max(asked, SHORTEST);
  const rate = paths.bandwidth[path]!;
  const realRate = ways.bandwidth[way]!;
  // A path without a bandwidth is as fast as its way.
  if (realRate < rate && Number.isFinite(rate)) sum += 1 - realRate / rate;
  const loss = ways.loss[way]!;
  return loss > NOTICED_LOSS ? sum + LOSS_WEIGHT * loss : sum;
}

/** The sum over all paths; `hostOf`: of each endpoint. */
export function totalShortfall(paths: PathTable, ways: WayTable, hostOf: ArrayLike<number>): number {
  let sum = 0;
  for (let from = 0; from < paths.size; from++) {
    for (let to = 0; to < paths.size; to++) {
      const [a, b] = [hostOf[from]!, hostOf[to]!];
      if (a !== b) sum += shortfall(paths, from * paths.size + to, ways, a * ways.size + b);
    }
  }
  return sum;
}
