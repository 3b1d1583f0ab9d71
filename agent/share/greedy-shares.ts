/** The answer of `netfold share`: the shares of greedy flows between named endpoints, if nothing else runs. */
import { NetfoldError } from '../../proto/errors.ts';
import { formatRate } from '../../proto/units.ts';
import type { Graph, Path } from '../../topology/model/model.ts';
import { endpointName, suggest } from '../../topology/model/names.ts';
import { flowShares } from './flow-shares.ts';

/** The ends of a flow, as the user names them. */
export interface FlowPair {
  readonly from: string;
  readonly to: string;
}

/** A row of `netfold share --json`. */
export interface GreedyShare {
  readonly from: string;
  readonly to: string;
  /** bit/s; null where nothing limits the flow. */
  readonly rateBps: number | null;
  /** Name of the link that limits the flow; null where none does. */
  readonly limitedBy: string | null;
}

/** The part of a folded topology that is needed here. */
export interface PathLookup {
  path(from: number, to: number): Path | undefined;
  /** How many paths a pair has. Absent: one. */
  count?(from: number, to: number): number;
}

export type FlowPairErrorCode =
  | 'FLOW_SYNTAX'
  | 'FLOW_ENDPOINT_UNKNOWN'
  | 'FLOW_REPLICA_MISSING'
  | 'FLOW_SAME_ENDPOINT'
  | 'FLOW_TWICE'
  | 'FLOW_UNREACHABLE'
  | 'FLOW_SEVERAL_PATHS';

export class FlowPairError extends NetfoldError {
  declare readonly code: FlowPairErrorCode;
  constructor(code: FlowPairErrorCode, message: string, remedy: string) {
    super({ code, blame: code === 'FLOW_SYNTAX' ? 'usage' : 'input', message, remedy });
  }
}

/** Parses `a>b,c>d`. Throws `FlowPairError` (`FLOW_SYNTAX`). */
export function parseFlowPairs(text: string): FlowPair[] {
  return text.split(',').map((part) => {
    const names = part.split('>').map((name) => name.trim());
    const [from, to] = names;
    if (names.length !== 2 || !from || !to) {
      throw new FlowPairError(
        'FLOW_SYNTAX',
        `"${part.trim()}" in --flows is not a flow`,
        'write source>destination, several of them with commas: --flows "client.0>server,client.1>server"',
      );
    }
    return { from, to };
  });
}

/**
 * One row per pair, in their order. `graph` is the topology at one instant, `folding` its paths. Throws
 * `FlowPairError` for endpoints that don't exist, are ambiguous, or have no path.
 */
export function greedyShares(graph: Graph, folding: PathLookup, pairs: readonly FlowPair[]): GreedyShare[] {
  const numbers = new Map(graph.endpoints.map((name, number) => [name, number]));
  const flows = pairs.map(({ from, to }) => ({
    source: endpointNumber(numbers, from),
    destination: endpointNumber(numbers, to),
    demandBps: Number.POSITIVE_INFINITY,
  }));
  const keys = flows.map(({ source, destination }) => `${source} ${destination}`);
  const seen = new Set<string>();
  flows.forEach(({ source, destination }, at) => {
    checkFlow(pairs[at]!, source === destination, seen.has(keys[at]!));
    seen.add(keys[at]!);
    if (folding.path(source, destination) === undefined) throw unreachable(pairs[at]!);
    if ((folding.count?.(source, destination) ?? 1) > 1) throw severalPaths(pairs[at]!);
  });
  const network = {
    paths: (from: number, to: number) => folding.path(from, to),
    linkCapacity: Float64Array.from(graph.links, ({ bandwidth }) => bandwidth),
  };
  const shares = new Map(
    flowShares(network, flows).map((share) => [`${share.source} ${share.destination}`, share]),
  );
  return flows.map(({ source, destination }, at) => {
    const share = shares.get(keys[at]!)!;
    return {
      from: graph.endpoints[source]!,
      to: graph.endpoints[destination]!,
      rateBps: Number.isFinite(share.rateBps) ? share.rateBps : null,
      limitedBy: share.limitedBy === -1 ? null : graph.links[share.limitedBy]!.name,
    };
  });
}

/** A table as text: a heading, and one line per row. */
export function formatGreedyShares(rows: readonly GreedyShare[]): string {
  const cells = [
    ['from', 'to', 'share', 'limited by'],
    ...rows.map(({ from, to, rateBps, limitedBy }) => [
      from,
      to,
      formatRate(rateBps ?? Number.POSITIVE_INFINITY),
      limitedBy ?? '-',
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = ([from, to, share, link]: string[]): string =>
    [from!.padEnd(widths[0]!), to!.padEnd(widths[1]!), share!.padStart(widths[2]!), link].join('  ');
  return cells.map(line).join('\n');
}

/** `server.1`, or `server` if there is only one replica. */
function endpointNumber(numbers: ReadonlyMap<string, number>, name: string): number {
  const exact = numbers.get(name);
  if (exact !== undefined) return exact;
  const first = numbers.get(endpointName(name, 0));
  if (first === undefined) {
    const names = [...numbers.keys()];
    throw new FlowPairError(
      'FLOW_ENDPOINT_UNKNOWN',
      `"${name}" in --flows is not an endpoint of this topology`,
      suggest(
        name,
        names,
        `use the name of a replica of a service, e.g. one of ${names.slice(0, 5).join(', ')}`,
      ),
    );
  }
  if (numbers.has(endpointName(name, 1))) {
    throw new FlowPairError(
      'FLOW_REPLICA_MISSING',
      `"${name}" in --flows has several replicas`,
      `say which one, e.g. ${endpointName(name, 0)}`,
    );
  }
  return first;
}

function checkFlow({ from, to }: FlowPair, same: boolean, twice: boolean): void {
  if (same) {
    throw new FlowPairError(
      'FLOW_SAME_ENDPOINT',
      `"${from}>${to}" in --flows begins and ends at one endpoint`,
      'name two different endpoints',
    );
  }
  if (twice) {
    throw new FlowPairError(
      'FLOW_TWICE',
      `"${from}>${to}" in --flows is there twice`,
      'name each flow once: all traffic from one endpoint to another is one flow',
    );
  }
}

function unreachable({ from, to }: FlowPair): FlowPairError {
  return new FlowPairError(
    'FLOW_UNREACHABLE',
    `"${from}" can't reach "${to}": no links lead there`,
    'look at `netfold paths`; services forward for others only with `forward: true`',
  );
}

function severalPaths({ from, to }: FlowPair): FlowPairError {
  return new FlowPairError(
    'FLOW_SEVERAL_PATHS',
    `from "${from}" to "${to}" there are several paths, and a flow takes one of them by its ports`,
    'look at `netfold paths`, or leave out ecmp to see the shares with one path for each pair',
  );
}
