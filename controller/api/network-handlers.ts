/** Routes about the topology: what is in force, paths, and the events of the file. */
import { Readable } from 'node:stream';
import { MAX_EVENTS } from '../../proto/api/v1/control.ts';
import { MAX_PATHS } from '../../proto/api/v1/network.ts';
import type { AnswerOf } from '../../proto/api/v1/routes.ts';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import { micros, parseDuration, toMillis } from '../../proto/units.ts';
import type { EncodedGraph, LiveGraph } from '../../proto/view.ts';
import { loadTopology } from '../../topology/load.ts';
import { decodeGraph } from '../../topology/model/graph-json.ts';
import type { Location, Topology } from '../../topology/model/model.ts';
import { serviceOf } from '../../topology/model/names.ts';
import { pathsOfGraph, pathsReport } from '../../topology/report/paths.ts';
import { timelineRows } from '../../topology/report/timeline.ts';
import { ApiError } from './errors.ts';
import type { Handlers } from './handler-types.ts';
import type { Experiments } from './ports.ts';
import { firstOf } from './view.ts';

/** Of so many experiments, the parsed topologies are kept: they never change while one runs. */
const MOST_PARSED = 4;

export function networkHandlers(
  experiments: Experiments,
): Handlers<'getTopology' | 'getPaths' | 'getEvents'> {
  const parsed = new Map<string, Topology>();
  const live = async (name: string): Promise<LiveGraph> =>
    firstOf<LiveGraph>(experiments, await experiments.state(name), '/graph');
  /** Nothing else of the bootstrap leaves the server: it holds the mesh's key. */
  const written = async (name: string): Promise<Bootstrap['topology']> =>
    (await firstOf<Bootstrap>(experiments, await experiments.state(name), '/bootstrap')).topology;
  const topologyOf = async (name: string): Promise<Topology> => {
    const { text, file, script, hash } = await written(name);
    const known = parsed.get(hash) ?? loadTopology(text, file, script).topology;
    parsed.delete(hash);
    parsed.set(hash, known);
    if (parsed.size > MOST_PARSED) parsed.delete(parsed.keys().next().value!);
    return known;
  };
  return {
    getTopology: async ({ params, query }) => {
      const [graph, { file, text }, topology] = await Promise.all([
        live(params.experiment),
        written(params.experiment),
        topologyOf(params.experiment),
      ]);
      return { file, ...(query.text === 'true' && { text }), ...topologyNow(graph, locationsOf(topology)) };
    },
    getPaths: async ({ params, query: { at, ...which } }) => {
      const named = {
        ...(which.from !== undefined && { from: which.from }),
        ...(which.to !== undefined && { to: which.to }),
      };
      const graph = at === undefined ? decodeGraph((await live(params.experiment)).graph) : undefined;
      const topology = graph ? undefined : await topologyOf(params.experiment);
      const report = graph
        ? pathsOfGraph(graph, named)
        : pathsReport(topology!, { ...named, at: parseDuration(at!) });
      const endpoints =
        graph?.endpoints.length ?? topology!.services.reduce((sum, one) => sum + one.replicas, 0);
      requireFew(endpoints, Object.keys(named).length);
      return Readable.from(report.json(), { objectMode: false });
    },
    getEvents: async ({ params }) => {
      const [{ now }, topology] = await Promise.all([live(params.experiment), topologyOf(params.experiment)]);
      const rows = timelineRows(topology);
      const nowMs = now === null ? null : toMillis(micros(now));
      const events = rows
        .slice(0, MAX_EVENTS)
        .map((row) => ({ ...row, past: nowMs !== null && row.atMs <= nowMs }));
      return { nowMs, events, omitted: rows.length - events.length };
    },
  };
}

/** `named`: how many ends are named, each of which stands for a part of the endpoints. */
function requireFew(endpoints: number, named: number): void {
  if (named === 2 || endpoints ** (2 - named) <= MAX_PATHS) return;
  throw new ApiError(
    'PATHS_TOO_MANY',
    `among ${endpoints} endpoints there are more than ${MAX_PATHS} paths`,
    named === 0 ? 'name from or to' : 'name from and to',
  );
}

/** By name of the service or bridge. */
function locationsOf({ services, bridges }: Topology): Map<string, Location> {
  const all = [...services, ...bridges];
  return new Map(all.flatMap(({ name, location }) => (location ? [[name, location]] : [])));
}

function topologyNow(
  { now, epoch, graph }: LiveGraph,
  locations: ReadonlyMap<string, Location>,
): Omit<AnswerOf<'getTopology'>, 'file' | 'text'> {
  const { endpoints, nodes, edges, links, routing } = graph;
  const ends = new Map(edges.map(({ link, from, to }) => [link, [nodes[from]!, nodes[to]!] as const]));
  return {
    nowMs: now === null ? null : toMillis(micros(now)),
    ...{ epoch, routing },
    nodes: nodes.map((name, number) => {
      const isEndpoint = number < endpoints.length;
      const service = isEndpoint ? serviceOf(name) : null;
      const location = locations.get(service ?? name);
      return { name, kind: isEndpoint ? 'endpoint' : 'bridge', service, ...(location && { location }) };
    }),
    // Links that have left have no edge.
    links: links.flatMap((encoded, number) => {
      const {
        transmissionNsPerByte: _,
        spacingNsPerByte: __,
        overheadNs: ___,
        cellNs: ____,
        ...link
      } = encoded;
      const between = ends.get(number);
      return between ? [{ ...link, from: between[0], to: between[1] }] : [];
    }),
    partitions: partitionsOf(graph),
  };
}

function partitionsOf({ endpoints, partitions = [] }: EncodedGraph): string[][][] {
  return partitions.map((groupOf) => {
    const groups = new Map<number, string[]>();
    for (const [number, group] of groupOf.entries()) {
      if (group === -1 || endpoints[number] === undefined) continue;
      groups.set(group, [...(groups.get(group) ?? []), endpoints[number]]);
    }
    return [...groups.values()];
  });
}
