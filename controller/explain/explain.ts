/**
 * Why a path is as it is: the links that make its latency, jitter, loss and bandwidth, the flows that compete with it for them,
 * the share that comes of it, and what would change that. Pure: what would happen is computed as everything else is, on a graph
 * that differs in one link or lacks some flows.
 */
import { flowShares } from '../../agent/share/flow-shares.ts';
import type { Flow, FlowShare, ShareNetwork } from '../../agent/share/model.ts';
import { roundTripMicros } from '../../agent/share/round-trip.ts';
import { lossOf } from '../../proto/impairment.ts';
import { ruleLines } from '../../proto/rules.ts';
import { bps, micros, toMillis } from '../../proto/units.ts';
import { Folding } from '../../topology/fold/fold.ts';
import { ExplicitRoutes } from '../../topology/fold/routes.ts';
import type { Graph, GraphLink, Path } from '../../topology/model/model.ts';
import { ControllerError } from '../errors.ts';

export interface LinkPart {
  readonly name: string;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  /** null: unlimited. */
  readonly bandwidthBps: number | null;
  /** It has the least bandwidth of the path. */
  readonly isNarrowest: boolean;
  /** For parts of the traffic, in their order. Absent: none. */
  readonly rules?: readonly string[];
}

/** A flow that crosses some of the same links. */
export interface Competitor {
  readonly from: string;
  readonly to: string;
  /** null: as much as it gets. */
  readonly demandBps: number | null;
  readonly shareBps: number | null;
  readonly limitedBy: string | null;
  readonly roundTripMs: number;
  readonly sharedLinks: readonly string[];
}

export interface WhatIf {
  readonly what: string;
  /** null: without a limit. */
  readonly shareBps: number | null;
}

export interface Explanation {
  readonly from: string;
  readonly to: string;
  readonly reachable: true;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  /** There and back; null without a way back. */
  readonly roundTripMs: number | null;
  readonly bandwidthBps: number | null;
  readonly routing: Graph['routing'];
  /** Whether the file gives the path. */
  readonly isGiven: boolean;
  readonly links: readonly LinkPart[];
  /** Of the way back, where it is not the same links in the other direction. */
  readonly backLinks: readonly string[];
  readonly competitors: readonly Competitor[];
  /** What a greedy flow from here gets beside the competitors. */
  readonly shareBps: number | null;
  readonly limitedBy: string | null;
  readonly whatIf: readonly WhatIf[];
}

export interface Unreachable {
  readonly from: string;
  readonly to: string;
  readonly reachable: false;
  readonly why: string;
}

/** What flows there are; `demandBps`: `Infinity` for a greedy one. */
export type Running = readonly Flow[];

/** `from`, `to`: numbers of endpoints. Throws `EXPLAIN_ECMP`. */
export function explain(graph: Graph, from: number, to: number, running: Running): Explanation | Unreachable {
  if (graph.ecmp !== undefined)
    throw new ControllerError(
      'EXPLAIN_ECMP',
      'an explanation is about the one path of a pair, and here flows are spread over several (ecmp)',
      'look at `netfold paths`, which has them all, and at `netfold status --json`, which has what each carries',
    );
  const folding = new Folding(graph);
  const [path, back] = [folding.path(from, to), folding.path(to, from)];
  const names = { from: graph.endpoints[from]!, to: graph.endpoints[to]! };
  if (!path) return { ...names, reachable: false, why: whyUnreachable(graph, from, to) };
  const own: Flow = { source: from, destination: to, demandBps: Number.POSITIVE_INFINITY };
  const others = running.filter(({ source, destination }) => source !== from || destination !== to);
  const shares = sharesOf(graph, folding, [...others, own]);
  const share = shares.get(keyOf(own));
  const links = path.links.map((link) => graph.links[link]!);
  return {
    ...names,
    reachable: true,
    latencyMs: toMillis(path.latency),
    jitterMs: toMillis(path.jitter),
    loss: lossOf(path),
    roundTripMs: back ? toMillis(micros(path.latency + back.latency)) : null,
    bandwidthBps: finite(path.bandwidth),
    routing: graph.routing,
    isGiven: new ExplicitRoutes(graph).links(from, to) !== 'none',
    links: links.map((link) => partOf(link, path)),
    backLinks: back && !isReverse(graph, path, back) ? back.links.map((link) => graph.links[link]!.name) : [],
    competitors: competitors(graph, folding, { path, others, shares }),
    shareBps: finite(share?.rateBps ?? path.bandwidth),
    limitedBy: linkName(graph, share),
    whatIf: whatIf(graph, { path, own, others, share }),
  };
}

const finite = (rate: number): number | null => (Number.isFinite(rate) ? rate : null);
const keyOf = ({ source, destination }: Pick<Flow, 'source' | 'destination'>): string =>
  `${source} ${destination}`;

function linkName({ links }: Graph, share: FlowShare | undefined): string | null {
  return share === undefined || share.limitedBy < 0 ? null : links[share.limitedBy]!.name;
}

function partOf(link: GraphLink, path: Path): LinkPart {
  const { name, latency, jitter, bandwidth, rules } = link;
  return {
    name,
    latencyMs: toMillis(latency),
    jitterMs: toMillis(jitter),
    loss: lossOf(link),
    bandwidthBps: finite(bandwidth),
    isNarrowest: Number.isFinite(bandwidth) && bandwidth === path.bandwidth,
    ...(rules !== undefined && { rules: ruleLines(rules) }),
  };
}

/** Whether the way back leads over the same nodes. */
function isReverse({ edges }: Graph, path: Path, back: Path): boolean {
  const pairs = ({ links }: Path): string[] =>
    links.map((link) => {
      const { from, to } = edges.find((edge) => edge.link === link)!;
      return `${Math.min(from, to)} ${Math.max(from, to)}`;
    });
  const there = pairs(path);
  return (
    path.links.length === back.links.length &&
    pairs(back)
      .reverse()
      .every((pair, at) => pair === there[at])
  );
}

function networkOf(graph: Graph, folding: Folding): ShareNetwork {
  return {
    paths: (from, to) => folding.path(from, to),
    linkCapacity: Float64Array.from(graph.links, ({ bandwidth }) => bandwidth),
  };
}

function sharesOf(graph: Graph, folding: Folding, flows: readonly Flow[]): Map<string, FlowShare> {
  return new Map(flowShares(networkOf(graph, folding), flows).map((share) => [keyOf(share), share]));
}

interface Beside {
  readonly path: Path;
  readonly others: readonly Flow[];
  readonly shares: ReadonlyMap<string, FlowShare>;
}

/** Flows that cross limited links of the path. */
function competitors(graph: Graph, folding: Folding, { path, others, shares }: Beside): Competitor[] {
  const own = new Set(path.links.filter((link) => Number.isFinite(graph.links[link]!.bandwidth)));
  return others.flatMap((flow) => {
    const other = folding.path(flow.source, flow.destination);
    const shared = other?.links.filter((link) => own.has(link)) ?? [];
    if (!other || shared.length === 0) return [];
    const share = shares.get(keyOf(flow));
    return {
      from: graph.endpoints[flow.source]!,
      to: graph.endpoints[flow.destination]!,
      demandBps: finite(flow.demandBps),
      shareBps: finite(share?.rateBps ?? 0),
      limitedBy: linkName(graph, share),
      roundTripMs: toMillis(roundTripMicros(other, folding.path(flow.destination, flow.source))),
      sharedLinks: shared.map((link) => graph.links[link]!.name),
    };
  });
}

interface Asked {
  readonly path: Path;
  readonly own: Flow;
  readonly others: readonly Flow[];
  readonly share: FlowShare | undefined;
}

/** What would change the share: the link that limits it, the time that it takes, the flows beside it. */
function whatIf(graph: Graph, { path, own, others, share }: Asked): WhatIf[] {
  const present = share?.rateBps ?? path.bandwidth;
  const tell = (what: string, changed: Graph, flows: readonly Flow[]): WhatIf[] => {
    const rate = sharesOf(changed, new Folding(changed), [...flows, own]).get(keyOf(own))?.rateBps;
    return rate === undefined || rate === present ? [] : [{ what, shareBps: finite(rate) }];
  };
  const limit = share?.limitedBy ?? -1;
  const slowest = path.links.reduce((worst, link) =>
    graph.links[link]!.latency > graph.links[worst]!.latency ? link : worst,
  );
  const wider = (link: GraphLink): GraphLink => ({ ...link, bandwidth: bps(2 * link.bandwidth) });
  const nearer = (link: GraphLink): GraphLink => ({ ...link, latency: micros(Math.round(link.latency / 2)) });
  const { name: slowestName, latency } = graph.links[slowest]!;
  return [
    ...(limit < 0
      ? []
      : tell(`${graph.links[limit]!.name} twice as wide`, withLink(graph, limit, wider), others)),
    ...(latency === 0
      ? []
      : tell(`${slowestName} with half of its latency`, withLink(graph, slowest, nearer), others)),
    ...(others.length === 0 ? [] : tell('no other flow', graph, [])),
  ];
}

function withLink(graph: Graph, changed: number, change: (link: GraphLink) => GraphLink): Graph {
  return { ...graph, links: graph.links.map((link, at) => (at === changed ? change(link) : link)) };
}

function whyUnreachable({ edges, endpoints, partitions = [] }: Graph, from: number, to: number): string {
  const isCut = partitions.some(
    (groupOf) => groupOf[from] !== -1 && groupOf[to] !== -1 && groupOf[from] !== groupOf[to],
  );
  if (isCut) return 'a partition separates them';
  if (from === to) return 'they are the same endpoint';
  if (!edges.some((edge) => edge.from === from)) return `no link leads away from ${endpoints[from]}`;
  if (!edges.some((edge) => edge.to === to)) return `no link leads to ${endpoints[to]}`;
  return 'no links lead there; services forward for others only with `forward: true`';
}
