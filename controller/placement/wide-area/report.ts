/** What `netfold place --network` says: paths that the real network can't give. */
import { formatMicros, formatRate, formatRatio, micros, toMillis } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import type { Graph } from '../../../topology/model/model.ts';
import type { Placement } from '../model.ts';
import { NEAR_MICROS, NOTICED_LOSS, shortfall } from './shortfall.ts';
import type { PathTable, WayTable } from './tables.ts';

export interface MissedPath {
  readonly from: string;
  readonly to: string;
  /** Names of their hosts. */
  readonly fromHost: string;
  readonly toHost: string;
  readonly latencyMs: number;
  /** In this direction; null: it was not measured. */
  readonly realLatencyMs: number | null;
  /** null: nothing bounds it, or it was not measured. */
  readonly bandwidthBps: number | null;
  readonly realBandwidthBps: number | null;
  readonly realLoss: number;
  /** One sentence each: what it lacks. */
  readonly lacks: readonly string[];
}

export interface NetworkReport {
  /** How many there are, also within hosts. */
  readonly paths: number;
  readonly missed: number;
  /** Mean shortfall of all paths: 1 is as bad as twice the latency of each. */
  readonly meanShortfall: number;
  /** The worst first. */
  readonly worst: readonly MissedPath[];
}

/** So many are told as JSON; people see fewer. */
const MOST_TOLD = 1000;
const MOST_SHOWN = 10;

export function networkReport(
  { endpoints }: Graph,
  { hostOf, hosts }: Placement,
  paths: PathTable,
  ways: WayTable,
): NetworkReport {
  const missed: { readonly from: number; readonly to: number; readonly by: number }[] = [];
  let sum = 0;
  for (let from = 0; from < paths.size; from++) {
    for (let to = 0; to < paths.size; to++) {
      const [a, b] = [hostOf[from]!, hostOf[to]!];
      if (a === b) continue;
      const by = shortfall(paths, from * paths.size + to, ways, a * ways.size + b);
      if (by === 0) continue;
      sum += by;
      missed.push({ from, to, by });
    }
  }
  missed.sort((one, other) => other.by - one.by);
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const worst = missed.slice(0, MOST_TOLD).map(({ from, to }): MissedPath => {
    const [path, way] = [from * paths.size + to, hostOf[from]! * ways.size + hostOf[to]!];
    const real = ways.latency[way]!;
    return {
      ...{ from: endpoints[from]!, to: endpoints[to]! },
      ...{ fromHost: hosts[hostOf[from]!]!.name, toHost: hosts[hostOf[to]!]!.name },
      latencyMs: toMillis(micros(paths.latency[path]!)),
      realLatencyMs: Number.isNaN(real) ? null : toMillis(micros(real)),
      bandwidthBps: finite(paths.bandwidth[path]!),
      realBandwidthBps: finite(ways.bandwidth[way]!),
      realLoss: ways.loss[way]!,
      lacks: lacksOf(paths, path, ways, way),
    };
  });
  const meanShortfall = paths.paths > 0 ? sum / paths.paths : 0;
  return { paths: paths.paths, missed: missed.length, meanShortfall, worst };
}

function lacksOf(paths: PathTable, path: number, ways: WayTable, way: number): string[] {
  const [asked, real] = [paths.latency[path]!, ways.latency[way]!];
  if (Number.isNaN(real)) return ['the round trip between its hosts was not measured'];
  const [rate, realRate] = [paths.bandwidth[path]!, ways.bandwidth[way]!];
  const loss = ways.loss[way]!;
  return [
    ...(real > asked && real > NEAR_MICROS
      ? [`${formatMicros(asked)} asked for, the real network takes ${formatMicros(real)}`]
      : []),
    ...(Number.isFinite(rate) && realRate < rate
      ? [`${formatRate(rate)} asked for, the real network has ${formatRate(realRate)}`]
      : []),
    ...(loss > NOTICED_LOSS
      ? [`the real network loses ${formatRatio(loss)}, on top of what is asked for`]
      : []),
  ];
}

/** Below the placement. */
export function networkText({ paths, missed, worst }: NetworkReport): string {
  if (missed === 0) return `The real network gives all of the ${count(paths, 'path')}.`;
  const shown = worst.slice(0, MOST_SHOWN);
  const lines = [
    `The real network can't give ${missed} of ${count(paths, 'path')}:`,
    ...shown.map(
      ({ from, to, fromHost, toHost, lacks }) =>
        `  ${from} > ${to} (${fromHost} > ${toHost}): ${lacks.join('; ')}`,
    ),
  ];
  return missed > shown.length
    ? [...lines, `  and ${missed - shown.length} more (--json has them)`].join('\n')
    : lines.join('\n');
}
