/** Two records side by side: what differs in what was run, and whether what came out differs by more than chance. */
import type { DatabaseSync } from 'node:sqlite';
import { commandsOf } from '../by-hand.ts';
import type { Description } from '../description.ts';
import { MOMENTS, type RecordSummary, readRecord, withDatabase } from '../read.ts';
import { adjusted, leastPairs, signedRankProbability } from './signed-rank.ts';

/**
 * Means of so long are compared with those of the same time in the other run: shorter ones depend on each other, since a flow of TCP
 * goes up and down for seconds.
 */
export const BUCKET_MS = 5000;
/** The chance that any of all compared paths and flows is wrongly said to differ. */
export const SIGNIFICANCE = 0.01;
/** Less than what an emulation keeps is no difference, however sure it is: the bounds of `bench -- accuracy`, and of what runs share. */
export const LEAST_EFFECT = { rate: 0.02, roundTripMs: 0.5 } as const;

export interface InputDifference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

export interface Compared {
  readonly kind: 'flow' | 'path';
  readonly source: string;
  readonly destination: string;
  /** Bits per second of a flow, milliseconds of a path: means over the time that both runs have. */
  readonly a: number;
  readonly b: number;
  /** The median of the intervals' differences: what few of them did is no difference of the runs. */
  readonly difference: number;
  /** The mean difference by its deviation from one interval to the next (Cohen's d of pairs); null: it never varies. */
  readonly effectSize: number | null;
  /** Of chance alone, adjusted for all that are compared; null: the runs are too short to say. */
  readonly probability: number | null;
  readonly verdict: 'same' | 'differs' | 'too short';
}

export interface Comparison {
  readonly a: string;
  readonly b: string;
  readonly inputs: readonly InputDifference[];
  /** So much of both is compared, from the beginning of the timeline. */
  readonly comparedMs: number;
  readonly results: readonly Compared[];
  readonly same: boolean;
}

/** Throws `ControllerError` (`RECORD_UNREADABLE`). */
export const compareRecords = (a: string, b: string): Comparison => compareWithFirst(a, [b])[0]!;

/** One record with each of the others. The chance of a wrong word is of all of them together. Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function compareWithFirst(first: string, others: readonly string[]): Comparison[] {
  const a = readRecord(first);
  const found = others.map((folder) => {
    const b = readRecord(folder);
    const comparedMs = Math.min(a.lastMs, b.lastMs);
    return { b, comparedMs, pairs: paired(series(first, comparedMs), series(folder, comparedMs)) };
  });
  const all = found.flatMap(({ pairs }) =>
    pairs.map(({ differences }) => signedRankProbability(differences)),
  );
  const probabilities = adjusted(all);
  const least = leastPairs(all.length, SIGNIFICANCE);
  let at = 0;
  return found.map(({ b, comparedMs, pairs }) => {
    const results = pairs.map((pair) => judged(pair, probabilities[at++]!, least));
    return {
      a: a.description.id,
      b: b.description.id,
      inputs: inputDifferences(a, b),
      comparedMs,
      results,
      same: results.every(({ verdict }) => verdict !== 'differs'),
    };
  });
}

export type Key = Pick<Compared, 'kind' | 'source' | 'destination'>;

/** Means of intervals of `BUCKET_MS`. */
export interface Series {
  /** Numbers of the intervals in which anything was sampled. */
  readonly buckets: ReadonlySet<number>;
  /** By kind, source and destination: the mean of each interval, by its number. */
  readonly found: Map<string, { readonly key: Key; readonly means: Map<number, number> }>;
}

const wholeBuckets = (untilMs: number): number => Math.floor(untilMs / BUCKET_MS);

/** Of the whole intervals before `untilMs`. Throws `ControllerError` (`RECORD_UNREADABLE`). */
export function series(folder: string, untilMs: number): Series {
  const until = wholeBuckets(untilMs) * BUCKET_MS;
  return withDatabase(folder, (database) => {
    const moments = new Map(
      read<{ bucket: number; moments: number }>(database, MOMENTS, until).map((row) => [
        row.bucket,
        row.moments,
      ]),
    );
    const found: Series['found'] = new Map();
    for (const row of read<Means>(database, FLOW_SUMS, until))
      add(found, 'flow', row, row.value / (moments.get(row.bucket) ?? 1));
    for (const row of read<Means>(database, PATH_MEANS, until)) add(found, 'path', row, row.value);
    return { buckets: new Set(moments.keys()), found };
  });
}

interface Means extends Pick<Key, 'source' | 'destination'> {
  readonly bucket: number;
  readonly value: number;
}

/** A flow that is not there at an instant has no sample of it: its rate was 0. */
const FLOW_SUMS = `SELECT source, destination, t_ms / ?1 AS bucket, sum(rate_bps) AS value
FROM flow_sample WHERE t_ms < ?2 GROUP BY source, destination, bucket`;
const PATH_MEANS = `SELECT source, destination, t_ms / ?1 AS bucket, avg(measured_ms) AS value
FROM path_sample WHERE t_ms < ?2 AND measured_ms IS NOT NULL GROUP BY source, destination, bucket`;

const read = <Row>(database: DatabaseSync, sql: string, until: number): Row[] =>
  database.prepare(sql).all(BigInt(BUCKET_MS), BigInt(until)) as Row[];

function add(found: Series['found'], kind: Key['kind'], row: Means, mean: number): void {
  const { source, destination, bucket } = row;
  const name = `${kind} ${source} ${destination}`;
  if (!found.has(name)) found.set(name, { key: { kind, source, destination }, means: new Map() });
  found.get(name)!.means.set(bucket, mean);
}

interface Pair {
  readonly key: Key;
  readonly a: number;
  readonly b: number;
  readonly differences: readonly number[];
}

function paired(a: Series, b: Series): Pair[] {
  const names = [...new Set([...a.found.keys(), ...b.found.keys()])].sort();
  const buckets = [...a.buckets].filter((bucket) => b.buckets.has(bucket));
  return names.map((name) => {
    const { key } = (a.found.get(name) ?? b.found.get(name))!;
    const of = ({ found }: Series, bucket: number): number | undefined =>
      found.get(name)?.means.get(bucket) ?? (key.kind === 'flow' ? 0 : undefined);
    const both = buckets
      .map((bucket) => [of(a, bucket), of(b, bucket)] as const)
      .filter((pair): pair is readonly [number, number] => pair.every((value) => value !== undefined));
    return {
      key,
      a: mean(both.map(([value]) => value)),
      b: mean(both.map(([, value]) => value)),
      differences: both.map(([ofA, ofB]) => ofB - ofA),
    };
  });
}

/** `enough`: with fewer pairs, nothing could be more than chance. */
function judged({ key, a, b, differences }: Pair, probability: number, enough: number): Compared {
  const difference = differences.length === 0 ? 0 : median(differences);
  const least = key.kind === 'flow' ? LEAST_EFFECT.rate * Math.max(a, b) : LEAST_EFFECT.roundTripMs;
  const isShort = differences.length < enough;
  const differs = !isShort && probability < SIGNIFICANCE && Math.abs(difference) > least;
  const spread = deviation(differences);
  return {
    ...key,
    ...{ a, b, difference },
    effectSize: spread > 0 ? mean(differences) / spread : null,
    probability: isShort ? null : probability,
    verdict: isShort ? 'too short' : differs ? 'differs' : 'same',
  };
}

function inputDifferences(a: RecordSummary, b: RecordSummary): InputDifference[] {
  const of = ({ description, events }: RecordSummary): Record<string, string> => ({
    topology: description.topology.hash.slice(0, 12),
    'commands by hand': commandsOf(events)
      .map(({ atMs, text }) => `${atMs} ms ${text}`)
      .join('; '),
    ...inputsOf(description),
  });
  const [ofA, ofB] = [of(a), of(b)];
  return Object.keys(ofA).flatMap((what) =>
    // Older records say less.
    ofB[what] === undefined || ofA[what] === ofB[what] ? [] : [{ what, a: ofA[what]!, b: ofB[what] }],
  );
}

function inputsOf(description: Description): Record<string, string> {
  const { versions, machine, hosts, platform, delayBackend, seeds, kernel } = description;
  return {
    netfold: `${versions.netfold} ${versions.commit ?? ''}`.trim(),
    node: versions.node,
    kernel: machine.kernel,
    ...(kernel && { queueing: kernel.queueing.join(' '), ...kernel.settings }),
    machine: `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB`,
    hosts: hosts.join(' '),
    platform,
    'delay backend': delayBackend,
    seeds: Object.entries(seeds)
      .map(([host, seed]) => `${host} ${seed}`)
      .join(', '),
  };
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)]! + sorted[Math.ceil(middle - 0.5)]!) / 2;
}

export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
