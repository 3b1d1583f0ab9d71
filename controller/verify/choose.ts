/**
 * What to measure of a topology so that the result is representative: a few different paths, one flow alone, and
 * flows that compete for one link. Pure.
 */
import { isPlain } from '../../proto/impairment.ts';
import type { Folding } from '../../topology/fold/fold.ts';
import type { Path } from '../../topology/model/model.ts';
import { flightBytes, isFilledInTime, planPings } from './durations.ts';
import { PING6_FRAME_BYTES } from './traffic.ts';

export interface Pair {
  readonly from: number;
  readonly to: number;
}

export interface Choice {
  /** For round-trip time and loss. */
  readonly paths: readonly Pair[];
  /** For bandwidth; absent if every path is lossy or unlimited. */
  readonly alone: Pair | undefined;
  /** At least two, from different sources to different destinations; empty if no link has two such flows. */
  readonly competing: readonly Pair[];
  /** What can't be measured, and why: one sentence for each reason. */
  readonly leftOut: readonly string[];
}

const MAX_PATHS = 5;
const MAX_COMPETING = 4;
/** How many sources and destinations are considered; the rest of a large topology repeats them. */
const MAX_LOOKED_AT = 60;
/** Two cores carry this much traffic in addition to the emulator without becoming the bottleneck. */
const MAX_MEASURED_BPS = 1e9;
const MIN_MEASURED_BPS = 16e3;
/** So many deviations of the jitter hardly any packet is early by; a queue has room for what the latency holds. */
const MOST_DEVIATIONS = 3;

/** `windowBytes`: the most that one flow of TCP may have under way, by the socket buffers. */
export function chooseMeasurements(folding: Folding, windowBytes = Number.POSITIVE_INFINITY): Choice {
  const back = (path: Path): Path => folding.path(path.to, path.from)!;
  const { several, seen } = lookAt(folding);
  const all = seen.filter((path) => isPlain(path) && isPlain(back(path)));
  const paths = all.filter((path) => planPings(path, back(path), PING6_FRAME_BYTES) !== undefined);
  const fit = all.filter((path) => isMeasurable(path, back(path)));
  const buffered = fit.filter((path) => flightBytes(path, back(path)) <= windowBytes);
  const measurable = buffered.filter((path) => isFilledInTime(path, back(path)));
  const leftOut = (what: string, some: readonly Path[], others: readonly Path[]): string[] => {
    const kept = new Set(others);
    const missing = some.filter((path) => !kept.has(path));
    if (missing.length === 0) return [];
    const { endpoints } = folding.graph;
    const { from, to } = missing[0]!;
    const rest = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
    return [`${endpoints[from]} > ${endpoints[to]}${rest}: ${what}`];
  };
  return {
    paths: differing(paths, folding),
    alone: widest(measurable),
    competing: mostContended(measurable),
    leftOut: [
      ...leftOut(
        'nothing, since it has several paths (ecmp), and which of them is measured depends on ports',
        several,
        [],
      ),
      ...leftOut(
        'nothing, since models of loss, duplicates, corruption, reordering, slots and rules vary too much for a short measurement',
        seen,
        all,
      ),
      ...leftOut('no pings, since ten of them would take more than half a minute', all, paths),
      ...leftOut('no TCP, since the path holds more than the socket buffers (netfold check)', fit, buffered),
      ...leftOut(
        'no TCP, since one flow would take more than half a minute to fill it',
        buffered,
        measurable,
      ),
    ],
  };
}

/** Pairs with a way there and back, those with several paths apart. */
function lookAt(folding: Folding): { readonly seen: Path[]; readonly several: Path[] } {
  const endpoints = folding.graph.endpoints.length;
  const stride = Math.max(1, Math.floor(endpoints / MAX_LOOKED_AT));
  const [seen, several] = [[], []] as [Path[], Path[]];
  for (let from = 0; from < endpoints; from += stride) {
    for (let to = 0; to < endpoints; to += stride) {
      const path = folding.path(from, to);
      if (!path || !folding.path(to, from)) continue;
      const isSingle = folding.count(from, to) === 1 && folding.count(to, from) === 1;
      (isSingle ? seen : several).push(path);
    }
  }
  return { seen, several };
}

/**
 * TCP fills such a path within seconds: no loss in either direction, a rate between a slow modem's and Gigabit
 * Ethernet's, and no jitter that exceeds the latency.
 */
function isMeasurable(path: Path, back: Path | undefined): boolean {
  const isRateFit = path.bandwidth >= MIN_MEASURED_BPS && path.bandwidth <= MAX_MEASURED_BPS;
  return isRateFit && back !== undefined && [path, back].every((one) => one.loss === 0 && isSteady(one));
}

const isSteady = ({ latency, jitter }: Path): boolean => MOST_DEVIATIONS * jitter <= latency;

/** One path of each kind, lossy ones first, then by round-trip time from both ends of the scale. */
function differing(paths: readonly Path[], folding: Folding): Pair[] {
  const kinds = new Map<string, Path>();
  for (const path of paths) {
    const back = folding.path(path.to, path.from)!;
    const kind = `${path.latency + back.latency} ${path.loss + back.loss}`;
    if (!kinds.has(kind)) kinds.set(kind, path);
  }
  const all = [...kinds.values()].sort((a, b) => b.loss - a.loss || a.latency - b.latency);
  const lossy = all.filter(({ loss }) => loss > 0).slice(0, 2);
  const rest = all.filter((path) => !lossy.includes(path));
  const room = Math.min(rest.length, MAX_PATHS - lossy.length);
  const spread = Array.from(
    { length: room },
    (_, i) => rest[Math.round((i * (rest.length - 1)) / Math.max(1, room - 1))]!,
  );
  return [...lossy, ...spread];
}

function widest(paths: readonly Path[]): Pair | undefined {
  return paths.reduce<Path | undefined>(
    (best, path) => (best && best.bandwidth >= path.bandwidth ? best : path),
    undefined,
  );
}

/** The flows with different sources and destinations on the link with the most of them. */
function mostContended(paths: readonly Path[]): Pair[] {
  const crossing = new Map<number, Path[]>();
  for (const path of paths) {
    for (const link of path.links) {
      const flows = crossing.get(link) ?? [];
      crossing.set(link, flows);
      const isFree = flows.every(
        ({ from, to }) => from !== path.from && to !== path.to && from !== path.to && to !== path.from,
      );
      if (isFree && flows.length < MAX_COMPETING) flows.push(path);
    }
  }
  const most = [...crossing.values()].reduce(
    (best, flows) => (flows.length > best.length ? flows : best),
    [] as Path[],
  );
  return most.length >= 2 ? most : [];
}
