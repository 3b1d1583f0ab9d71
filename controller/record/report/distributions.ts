/** How far measured round trips were from what the topology asks for, as distributions. */
import type { DatabaseSync } from 'node:sqlite';

/** Width of a bin, in milliseconds, and the greatest error that is told apart. */
const BIN_MS = 0.05;
const MOST_BINS = 4000;

export interface PathRow {
  readonly source: string;
  readonly destination: string;
  readonly samples: number;
  readonly targetMs: number;
  readonly meanMs: number;
  /** Of the error, in milliseconds: 5, 25, 50, 75 and 95 % of samples are below. */
  readonly quantiles: readonly number[];
}

export interface Distributions {
  /** The worst first. */
  readonly paths: readonly PathRow[];
  /** Of all samples of all paths: errors in milliseconds, and which part of the samples is below. */
  readonly errors: readonly number[];
  readonly below: readonly number[];
}

const PARTS = [0.05, 0.25, 0.5, 0.75, 0.95];

/** Bins of errors, not samples: a million of these would have to be sorted. */
const BINS = `SELECT source, destination, max(-${MOST_BINS}, min(${MOST_BINS}, CAST(round((measured_ms - target_ms) / ${BIN_MS}) AS INTEGER))) AS bin, count(*) AS n, sum(target_ms) AS target, sum(measured_ms) AS measured
FROM path_sample WHERE measured_ms IS NOT NULL GROUP BY source, destination, bin ORDER BY source, destination, bin`;

interface Bin {
  readonly source: string;
  readonly destination: string;
  readonly bin: number;
  readonly n: number;
  readonly target: number;
  readonly measured: number;
}

/** Throws errors of SQLite. */
export function distributionsOf(database: DatabaseSync): Distributions {
  const all = new Map<number, number>();
  const paths: PathRow[] = [];
  let bins: Bin[] = [];
  const finish = (): void => {
    if (bins.length > 0) paths.push(rowOf(bins));
    bins = [];
  };
  for (const row of database.prepare(BINS).iterate()) {
    const bin = row as unknown as Bin;
    if (bins[0] && (bins[0].source !== bin.source || bins[0].destination !== bin.destination)) finish();
    bins.push(bin);
    all.set(bin.bin, (all.get(bin.bin) ?? 0) + bin.n);
  }
  finish();
  paths.sort((a, b) => Math.abs(b.meanMs - b.targetMs) - Math.abs(a.meanMs - a.targetMs));
  return { paths, ...cumulative(all) };
}

function rowOf(bins: readonly Bin[]): PathRow {
  const { source, destination } = bins[0]!;
  const sum = (field: 'n' | 'target' | 'measured'): number =>
    bins.reduce((total, one) => total + one[field], 0);
  const samples = sum('n');
  return {
    ...{ source, destination, samples },
    targetMs: sum('target') / samples,
    meanMs: sum('measured') / samples,
    quantiles: PARTS.map((part) => quantile(bins, samples, part)),
  };
}

function quantile(bins: readonly Bin[], samples: number, part: number): number {
  let seen = 0;
  for (const { bin, n } of bins) {
    seen += n;
    if (seen >= part * samples) return bin * BIN_MS;
  }
  return (bins.at(-1)?.bin ?? 0) * BIN_MS;
}

function cumulative(all: ReadonlyMap<number, number>): Pick<Distributions, 'errors' | 'below'> {
  const bins = [...all].sort(([a], [b]) => a - b);
  const total = bins.reduce((sum, [, n]) => sum + n, 0);
  let seen = 0;
  const below = bins.map(([, n]) => {
    seen += n;
    return seen / total;
  });
  return { errors: bins.map(([bin]) => bin * BIN_MS), below };
}
