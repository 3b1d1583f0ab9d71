/**
 * `netfold paths`: the folded paths as rows, as a table, and as JSON. Rows are computed one at a time, so that all
 * pairs fit in memory.
 */
import { NetfoldError } from '../../proto/errors.ts';
import {
  decodeImpairment,
  type EncodedImpairment,
  encodeImpairment,
  type Impairment,
  lossOf,
  timeAtLinks,
} from '../../proto/impairment.ts';
import {
  formatBps,
  formatMicros,
  formatRatio,
  fromMillis,
  type Micros,
  micros,
  toMillis,
} from '../../proto/units.ts';
import { Folding } from '../fold/fold.ts';
import { expandGraph } from '../fold/graph.ts';
import { Numbering } from '../fold/numbering.ts';
import { quote } from '../model/diagnostics.ts';
import type { Graph, Path, Topology } from '../model/model.ts';
import { parseReference, replicaRange, serviceOf, suggest } from '../model/names.ts';
import { graphAt } from '../timeline/graph-at.ts';

export interface PathsOptions {
  /** An endpoint, or a service for all its replicas. Default: every endpoint. */
  readonly from?: string;
  readonly to?: string;
  /** Since the start, with all events until then. Default: the file without any event. */
  readonly at?: Micros;
}

export type PathRow =
  | ReachableRow
  | { readonly from: string; readonly to: string; readonly reachable: false };

type Hidden =
  | 'trace'
  | 'queuePackets'
  | 'queueBytes'
  | 'queueMs'
  | 'transmissionNsPerByte'
  | 'spacingNsPerByte'
  | 'overheadNs'
  | 'cellNs'
  | 'ruleDelays';

/** Null means unlimited. */
export interface ReachableRow extends Omit<EncodedImpairment, Hidden> {
  readonly from: string;
  readonly to: string;
  /** How long the smallest packet and a full one are under way: latency, and the time that their bytes take. */
  readonly smallPacketMs: number;
  readonly fullPacketMs: number;
  readonly hops: number;
  /** Names of the directed links, in order. */
  readonly links: readonly string[];
  /** Of a pair with several paths, which one, from 1 on, and of how many. Absent: the only one. */
  readonly path?: number;
  readonly paths?: number;
}

export interface PathsReport {
  /** Every selected pair, except an endpoint with itself. Each call starts anew. */
  rows(): Generator<PathRow>;
  /** Lines of a table, header first. */
  text(): Generator<string>;
  /** Pieces of a JSON array, to be joined without anything between. */
  json(): Generator<string>;
}

/** Throws `NetfoldError` (`NAME_UNKNOWN`) if `from` or `to` names no endpoint. */
export function pathsReport(topology: Topology, options: PathsOptions = {}): PathsReport {
  const sources = endpointsNamed(topology, options.from);
  const targets = endpointsNamed(topology, options.to);
  const graph = options.at === undefined ? expandGraph(topology) : graphAt(topology, options.at);
  return reportOf(graph, sources, targets);
}

/** The same of a graph that is in force somewhere. Throws `NetfoldError` (`NAME_UNKNOWN`). */
export function pathsOfGraph(
  graph: Graph,
  { from, to }: Pick<PathsOptions, 'from' | 'to'> = {},
): PathsReport {
  return reportOf(graph, endpointsIn(graph, from), endpointsIn(graph, to));
}

/** `undefined`: there is no such endpoint. */
export type PathLookup = (from: string, to: string) => PathRow | undefined;

/** Of more pairs, the rows that were computed first are computed again; a row has some 500 bytes. */
const MOST_KNOWN_ROWS = 20_000;

/** Rows of single pairs, each of which is computed once. */
export function pathLookup(graph: Graph): PathLookup {
  const folding = new Folding(graph);
  const numbers = new Map(graph.endpoints.map((name, number) => [name, number]));
  const known = new Map<string, PathRow>();
  return (from, to) => {
    const [source, target] = [numbers.get(from), numbers.get(to)];
    if (source === undefined || target === undefined || source === target) return undefined;
    const pair = `${from}>${to}`;
    const row = known.get(pair) ?? rowOf(folding, source, target, 0);
    known.set(pair, row);
    if (known.size > MOST_KNOWN_ROWS) known.delete(known.keys().next().value!);
    return row;
  };
}

/** Of rows that were computed elsewhere. */
export function pathsOfRows(all: readonly PathRow[]): Pick<PathsReport, 'text' | 'json'> {
  const names = all.flatMap(({ from, to }) => [from, to]);
  return { text: () => generateText(names, all), json: () => generateJson(all) };
}

function reportOf(graph: Graph, sources: readonly number[], targets: readonly number[]): PathsReport {
  const rows = (): Generator<PathRow> => generateRows(graph, sources, targets);
  return { rows, text: () => generateText(graph.endpoints, rows()), json: () => generateJson(rows()) };
}

function endpointsIn({ endpoints }: Graph, name: string | undefined): number[] {
  const found = endpoints.flatMap((endpoint, number) =>
    name === undefined || endpoint === name || serviceOf(endpoint) === name ? [number] : [],
  );
  if (found.length > 0 || name === undefined) return found;
  throw new NetfoldError({
    code: 'NAME_UNKNOWN',
    blame: 'input',
    message: `there is no endpoint ${quote(name)}`,
    remedy: suggest(name, [...endpoints], `endpoints are ${endpoints.slice(0, 10).join(' ')}`),
  });
}

/** The numbers of the endpoints that a service, a replica or nothing (all of them) names. Throws `NetfoldError`. */
export function endpointsNamed(topology: Topology, name: string | undefined): number[] {
  const numbering = new Numbering(topology);
  const range =
    name === undefined ? ([0, numbering.endpointCount] as const) : rangeNamed(topology, numbering, name);
  return Array.from({ length: range[1] - range[0] }, (_, offset) => range[0] + offset);
}

function rangeNamed(topology: Topology, numbering: Numbering, name: string): readonly [number, number] {
  const reference = parseReference(name);
  const range = reference && numbering.range(reference);
  if (range && range[0] < numbering.endpointCount) return range;
  const services = topology.services.map((service) => service.name);
  const isBridge = range !== undefined;
  const service = topology.services.find((one) => one.name === reference?.name);
  throw new NetfoldError({
    code: 'NAME_UNKNOWN',
    blame: 'input',
    message: isBridge
      ? `${quote(name)} is a bridge; paths are between endpoints`
      : `there is no endpoint ${quote(name)}`,
    remedy: service
      ? `its replicas are ${replicaRange(service)}`
      : suggest(isBridge ? '' : name, services, `services are ${services.slice(0, 10).join(' ')}`),
  });
}

function* generateRows(
  graph: Graph,
  sources: readonly number[],
  targets: readonly number[],
): Generator<PathRow> {
  const folding = new Folding(graph);
  for (const from of sources) {
    for (const to of targets) if (from !== to) yield* rowsOf(folding, from, to);
  }
}

function* rowsOf(folding: Folding, from: number, to: number): Generator<PathRow> {
  const paths = folding.lanes.most === 1 ? 1 : Math.max(1, folding.count(from, to));
  for (let lane = 0; lane < paths; lane++) yield rowOf(folding, from, to, lane);
}

function rowOf(folding: Folding, from: number, to: number, lane: number): PathRow {
  const { endpoints, links } = folding.graph;
  const names = { from: endpoints[from]!, to: endpoints[to]! };
  const path = folding.path(from, folding.lanes.number(to, lane));
  if (!path) return { ...names, reachable: false };
  const {
    queuePackets: _,
    queueBytes: __,
    queueMs: ___,
    transmissionNsPerByte: ____,
    spacingNsPerByte: _____,
    overheadNs: ______,
    cellNs: _______,
    ruleDelays: ________,
    ...plain
  } = encodeImpairment(path);
  return {
    ...names,
    ...plain,
    smallPacketMs: toMillis(timeUnderWay(path, SMALL_BYTES)),
    fullPacketMs: toMillis(timeUnderWay(path, FULL_BYTES)),
    hops: path.hops,
    links: path.links.map((link) => links[link]!.name),
    ...placeOf(folding, from, to, lane),
  };
}

function placeOf(
  folding: Folding,
  from: number,
  to: number,
  lane: number,
): Pick<ReachableRow, 'path' | 'paths'> {
  const paths = folding.lanes.most === 1 ? 1 : folding.count(from, to);
  return paths === 1 ? {} : { path: lane + 1, paths };
}

/** Ethernet frames without their check sum, as bandwidth counts them. */
const SMALL_BYTES = 60;
const FULL_BYTES = 1514;

/** Of a packet that nothing else delays. */
function timeUnderWay(path: Path, bytes: number): Micros {
  return micros(path.latency + timeAtLinks(bytes, path));
}

function* generateText(names: readonly string[], rows: Iterable<PathRow>): Generator<string> {
  const width = Math.max(4, ...names.slice(0, 1000).map((name) => name.length));
  const line = (cells: readonly string[]): string => {
    const widths = [width, width, 10, 10, 9, 12, 10, 10, 4];
    return cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  };
  yield line([
    'from',
    'to',
    'latency',
    'jitter',
    'loss',
    'bandwidth',
    '60 bytes',
    '1514 bytes',
    'hops',
    'links',
  ]);
  for (const row of rows) {
    if ('reachable' in row) {
      yield line([row.from, row.to, 'unreachable']);
      continue;
    }
    const { from, to, hops, links, smallPacketMs, fullPacketMs } = row;
    const path = decodeImpairment(row);
    const { latency, jitter, distribution, quantiles, bandwidth } = path;
    const shape = quantiles === undefined ? distribution : 'own';
    const cells = [
      from,
      to,
      formatMicros(latency),
      formatMicros(jitter) + (shape === undefined ? '' : ` ${shape}`),
      formatRatio(lossOf(path)),
      formatBps(bandwidth),
      formatMicros(Math.round(fromMillis(smallPacketMs))),
      formatMicros(Math.round(fromMillis(fullPacketMs))),
      String(hops),
      links.join(' '),
      ...rareOf(path),
      ...(row.path === undefined ? [] : [`path ${row.path} of ${row.paths}`]),
    ];
    yield line(cells);
  }
}

/** What few paths have, after all columns. */
function rareOf(path: Impairment): string[] {
  const { lossModel, duplicate, corrupt, reorder, reorderDistance, slots, aqm, overhead, mtu, rules } = path;
  const part = (what: string, of: number | undefined): string[] =>
    of === undefined ? [] : [`${what} ${formatRatio(of)}`];
  const distance = reorderDistance === undefined ? '' : ` by ${reorderDistance}`;
  return [
    ...(lossModel === undefined ? [] : [lossModel]),
    ...part('duplicate', duplicate),
    ...part('corrupt', corrupt),
    ...part('reorder', reorder).map((text) => `${text}${distance}`),
    ...(slots === undefined ? [] : [`slots ${slots}`]),
    ...(aqm === undefined ? [] : [aqm]),
    ...(overhead === undefined ? [] : [`overhead ${overhead}`]),
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(rules === undefined ? [] : [rules]),
  ];
}

function* generateJson(rows: Iterable<PathRow>): Generator<string> {
  let before = '[\n';
  for (const row of rows) {
    yield `${before}  ${JSON.stringify(row)}`;
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
