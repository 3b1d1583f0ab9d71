/**
 * What each link of the topology carried: the flows that were sampled, on the paths that they had at the time. What is counted is what
 * senders sent over a link, lost packets included.
 */
import type { DatabaseSync } from 'node:sqlite';
import { fromMillis, type Micros, micros, millisToSeconds, toMillis } from '../../../proto/units.ts';
import { COMMAND_FILE, parseAction } from '../../../topology/events/grammar.ts';
import { Folding } from '../../../topology/fold/fold.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import type { Graph, Topology } from '../../../topology/model/model.ts';
import { graphOf } from '../../../topology/timeline/graph-at.ts';
import { type CommandEvent, Timeline } from '../../../topology/timeline/timeline.ts';
import { commandsOf, type GivenCommand } from '../by-hand.ts';
import { MOMENTS } from '../read.ts';
import type { EventRow } from '../rows.ts';

/** Versions of the topology whose paths are computed; of more, these many, evenly over the run. */
const MOST_VERSIONS = 200;
/** Links times intervals: 16 MB. */
const MOST_CELLS = 2_000_000;
const LEAST_INTERVALS = 50;

/** A topology as it was from an instant on. */
export interface Version {
  readonly fromMs: number;
  readonly graph: Graph;
}

export interface LinkLoad {
  /** Index in `graph.links`. */
  readonly link: number;
  /** Of nodes. */
  readonly from: string;
  readonly to: string;
  /** Bits per second; null: no limit, ever. */
  readonly capacityBps: number | null;
  readonly meanBps: number;
  readonly mostBps: number;
  /** Of the capacity at the time, over the whole run; null: it has none. */
  readonly used: number | null;
}

export interface Loads {
  /** The first version, whose nodes and links all others have as well. */
  readonly graph: Graph;
  /** Those that carried anything, the most used first. */
  readonly links: readonly LinkLoad[];
  /** Seconds at which intervals begin. */
  readonly seconds: readonly number[];
  /** Bits per second of each interval. */
  readonly series: (link: number) => readonly number[];
  readonly capacities: (link: number) => readonly (number | null)[];
  /** Not all versions of the topology were looked at. */
  readonly isCoarse: boolean;
}

/** Every change of the file, and what was given by hand, up to an instant. Bad commands changed nothing. */
export function versionsOf(
  topology: Topology,
  events: readonly EventRow[],
  untilMs: number,
): { readonly versions: readonly Version[]; readonly isCoarse: boolean } {
  const commands = commandsOf(events);
  const resets = commands.filter(isReset).map(({ atMs }) => atMs);
  const instants: number[] = [];
  const spans = [0, ...resets].map((since, index) => {
    // A reset takes back what was given before it.
    const given = commands.filter((one) => one.atMs >= since && !isReset(one)).flatMap(commandEventOf);
    const begin = (): Timeline => {
      const timeline = new Timeline(topology, () => {});
      timeline.add(given);
      return timeline;
    };
    instants.push(since, ...instantsOf(begin(), since, Math.min(untilMs, resets[index] ?? untilMs)));
    return { since, begin };
  });
  const sorted = [...new Set(instants)].sort((a, b) => a - b);
  const isCoarse = sorted.length > MOST_VERSIONS;
  const chosen = isCoarse
    ? Array.from({ length: MOST_VERSIONS }, (_, n) => Math.floor((n * untilMs) / MOST_VERSIONS))
    : sorted;
  let next = 0;
  let timeline: Timeline | undefined;
  const versions = chosen.map((fromMs): Version => {
    while (spans[next] && spans[next]!.since <= fromMs) timeline = spans[next++]!.begin();
    timeline!.advance(microsOf(fromMs));
    return { fromMs, graph: graphOf(timeline!.state) };
  });
  return { versions, isCoarse };
}

const isReset = ({ text }: GivenCommand): boolean => text.trim() === 'reset';
const microsOf = (ms: number): Micros => micros(Math.round(fromMillis(ms)));

function instantsOf(timeline: Timeline, fromMs: number, untilMs: number): number[] {
  const found: number[] = [];
  for (let at = timeline.nextAt; at !== undefined; at = timeline.nextAt) {
    const atMs = toMillis(at);
    if (atMs >= untilMs || found.length > MOST_STEPS) break;
    if (atMs >= fromMs) found.push(atMs);
    timeline.advance(at);
  }
  return found;
}

/** A link that flaps for weeks has more; then the versions are coarse anyway. */
const MOST_STEPS = 20_000;

/** Nothing of a command that the grammar does not know: it had no effect. */
function commandEventOf({ atMs, untilMs, text }: GivenCommand, index: number): CommandEvent[] {
  const action = parseAction(text, untilMs !== null, new Findings(COMMAND_FILE));
  if (!action) return [];
  const at = microsOf(atMs);
  const times = { at, ...(untilMs !== null && { until: microsOf(untilMs) }) };
  const command = { origin: 'record', incarnation: 0, number: index + 1, issuedAt: at, text, ...times };
  return [{ command, event: { ...times, action, position: { file: COMMAND_FILE, line: 1, column: 1 } } }];
}

/** Throws errors of SQLite. */
export function loadsOf(
  database: DatabaseSync,
  { versions, isCoarse }: ReturnType<typeof versionsOf>,
  lastMs: number,
): Loads {
  const { graph } = versions[0]!;
  const intervals = Math.max(
    LEAST_INTERVALS,
    Math.min(1200, Math.floor(MOST_CELLS / Math.max(1, graph.links.length))),
  );
  const widthMs = Math.max(1000, Math.ceil((lastMs + 1) / intervals));
  const length = Math.floor(lastMs / widthMs) + 1;
  const sums = new Map<number, Float64Array>();
  const add = adder(versions, sums, length);
  for (const row of database.prepare(FLOW_SUMS).iterate(BigInt(widthMs))) {
    const { interval, source, destination, total } = row as unknown as FlowSum;
    if (interval >= 0 && interval < length)
      add(interval, (interval + 0.5) * widthMs, source, destination, total);
  }
  const moments = new Float64Array(length);
  for (const row of database.prepare(MOMENTS).iterate(BigInt(widthMs), BigInt(lastMs + 1))) {
    const { bucket, moments: number } = row as unknown as { bucket: number; moments: number };
    if (bucket >= 0 && bucket < length) moments[bucket] = number;
  }
  const series = (link: number): number[] =>
    Array.from(sums.get(link) ?? new Float64Array(length), (sum, n) => sum / Math.max(1, moments[n]!));
  const versionAt = (n: number): Version => versions[indexAt(versions, (n + 0.5) * widthMs)]!;
  const ofInterval = Array.from({ length }, (_, n) => versionAt(n));
  const capacities = (link: number): (number | null)[] =>
    ofInterval.map((version) => finite(version.graph.links[link]!.bandwidth));
  const ends = new Map(graph.edges.map(({ from, to, link }) => [link, { from, to }]));
  const links = [...sums.keys()].map((link): LinkLoad => {
    const values = series(link);
    const limits = capacities(link);
    const sum = values.reduce((one, other) => one + other, 0);
    const limit = limits.reduce<number>((total, one) => total + (one ?? 0), 0);
    const { from, to } = ends.get(link)!;
    return {
      ...{ link, from: graph.nodes[from]!, to: graph.nodes[to]! },
      capacityBps: limits.find((one) => one !== null) ?? null,
      meanBps: sum / length,
      mostBps: values.reduce((most, one) => Math.max(most, one), 0),
      used: limit > 0 ? sum / limit : null,
    };
  });
  links.sort((a, b) => (b.used ?? 0) - (a.used ?? 0) || b.meanBps - a.meanBps || a.link - b.link);
  const seconds = Array.from({ length }, (_, n) => millisToSeconds(n * widthMs));
  return { graph, links, seconds, series, capacities, isCoarse };
}

interface FlowSum {
  readonly interval: number;
  readonly source: string;
  readonly destination: string;
  readonly total: number;
}

const FLOW_SUMS = `SELECT t_ms / ?1 AS interval, source, destination, sum(rate_bps) AS total
FROM flow_sample GROUP BY interval, source, destination ORDER BY interval`;

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** The last version that had begun. */
function indexAt(versions: readonly Version[], atMs: number): number {
  let [low, high] = [0, versions.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (versions[middle]!.fromMs <= atMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A record has the sum of a pair: of several paths, each is reckoned to carry as much. */
function waysOf(folding: Folding, from: number, to: number): readonly (readonly number[])[] {
  const paths = folding.lanes.areSeveral ? folding.count(from, to) : 1;
  return Array.from(
    { length: paths },
    (_, lane) => folding.path(from, folding.lanes.number(to, lane))?.links ?? [],
  );
}

type Add = (interval: number, atMs: number, source: string, destination: string, total: number) => void;

/** Adds a flow to all links of its paths. Intervals come in their order. */
function adder(versions: readonly Version[], sums: Map<number, Float64Array>, length: number): Add {
  const numbers = new Map(versions[0]!.graph.endpoints.map((name, number) => [name, number]));
  let version = -1;
  let folding: Folding | undefined;
  let known = new Map<string, readonly (readonly number[])[]>();
  return (interval, atMs, source, destination, total) => {
    const now = indexAt(versions, atMs);
    if (now !== version) {
      version = now;
      folding = new Folding(versions[now]!.graph, folding);
      known = new Map();
    }
    const key = `${source} ${destination}`;
    let ways = known.get(key);
    if (!ways) {
      ways = waysOf(folding!, numbers.get(source) ?? -1, numbers.get(destination) ?? -1);
      known.set(key, ways);
    }
    for (const link of ways.flat()) {
      const sum = sums.get(link) ?? new Float64Array(length);
      sums.set(link, sum);
      sum[interval]! += total / ways.length;
    }
  };
}
