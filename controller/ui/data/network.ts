/** The network as it is drawn: nodes, cables with their two directions, what each carries, and whether it is as asked. Pure. */
import type { LiveState } from '../../../proto/api/v1/live-state.ts';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';

export type Topology = AnswerOf<'getTopology'>;
export type Verdict = AnswerOf<'getVerdict'>;
export type Link = Topology['links'][number];
export type Node = Topology['nodes'][number];

/** One direction of a cable. */
export interface Direction extends Link {
  /** A link that has left is remembered: it may come back. */
  readonly isPresent: boolean;
}

export interface Cable {
  readonly key: string;
  readonly a: string;
  readonly b: string;
  /** From `a` to `b`, and back. */
  readonly forth: Direction | undefined;
  readonly back: Direction | undefined;
  /** Of several between two nodes, which one this is: 0, 1 … */
  readonly place: number;
}

/** All nodes and links that there have been; what is there now is marked. */
export class Network {
  readonly #nodes = new Map<string, Node>();
  readonly #links = new Map<string, Direction>();
  #cables: readonly Cable[] = [];
  #neighbours: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #present: ReadonlySet<string> = new Set();

  get nodes(): ReadonlyMap<string, Node> {
    return this.#nodes;
  }

  get cables(): readonly Cable[] {
    return this.#cables;
  }

  neighboursOf(name: string): ReadonlySet<string> {
    return this.#neighbours.get(name) ?? new Set();
  }

  /** Whether any link leads to a node: one that has left has none. */
  isConnected(name: string): boolean {
    return this.#present.has(name);
  }

  link(name: string): Direction | undefined {
    return this.#links.get(name);
  }

  /** Whether there is something new to be placed. */
  update({ nodes, links }: Topology): boolean {
    const [nodesBefore, linksBefore] = [this.#nodes.size, this.#links.size];
    for (const node of nodes) this.#nodes.set(node.name, node);
    for (const [name, link] of this.#links) this.#links.set(name, { ...link, isPresent: false });
    for (const link of links) this.#links.set(link.name, { ...link, isPresent: true });
    this.#cables = cablesOf([...this.#links.values()]);
    this.#present = new Set(links.flatMap(({ from, to }) => [from, to]));
    const neighbours = new Map<string, Set<string>>();
    for (const { a, b } of this.#cables) {
      for (const [one, other] of [
        [a, b],
        [b, a],
      ] as const)
        neighbours.set(one, (neighbours.get(one) ?? new Set()).add(other));
    }
    this.#neighbours = neighbours;
    return this.#nodes.size !== nodesBefore || this.#links.size !== linksBefore;
  }
}

function cablesOf(links: readonly Direction[]): Cable[] {
  const found = new Map<string, { -readonly [K in keyof Cable]: Cable[K] }>();
  const places = new Map<string, number>();
  for (const link of links) {
    const [a, b] = [link.from, link.to].sort() as [string, string];
    // What stands behind the ends tells parallel links apart.
    const suffix = link.name.slice(`${link.from}->${link.to}`.length);
    const key = `${a}--${b}${suffix}`;
    let cable = found.get(key);
    if (!cable) {
      const pair = `${a}--${b}`;
      const place = places.get(pair) ?? 0;
      places.set(pair, place + 1);
      cable = { key, a, b, forth: undefined, back: undefined, place };
      found.set(key, cable);
    }
    if (link.from === a) cable.forth = link;
    else cable.back = link;
  }
  return [...found.values()];
}

export type Agreement = 'as asked' | 'differs' | 'not measured';

/** What a link carries now. */
export interface Load {
  readonly rateBps: number;
  /** Of its bandwidth, 0 to 1 and a little more; null without a limit. */
  readonly use: number | null;
  /** Pairs `from>to`. */
  readonly flows: readonly string[];
  readonly agreement: Agreement;
}

/** By name of the link; a link that carries nothing is missing. */
export function loadsOf(
  { flows, paths }: Pick<LiveState, 'flows' | 'paths'>,
  network: Pick<Network, 'link'>,
  agreements: ReadonlyMap<string, PathAgreement>,
): Map<string, Load> {
  const loads = new Map<string, { rateBps: number; flows: string[]; agreement: Agreement }>();
  for (const [pair, flow] of flows) {
    // Of a pair with several paths, each carries its own.
    const ways = flow.paths ?? [{ rateBps: flow.rateBps, links: paths.get(pair)?.links ?? [] }];
    for (const [link, rateBps] of ways.flatMap((way) =>
      way.links.map((name) => [name, way.rateBps] as const),
    )) {
      const load = loads.get(link) ?? { rateBps: 0, flows: [], agreement: 'not measured' };
      load.rateBps += rateBps;
      if (load.flows.at(-1) !== pair) load.flows.push(pair);
      load.agreement = worse(load.agreement, agreements.get(pair)?.agreement ?? 'not measured');
      loads.set(link, load);
    }
  }
  return new Map(
    [...loads].map(([name, load]) => {
      const bandwidth = network.link(name)?.bandwidthBps ?? null;
      return [name, { ...load, use: bandwidth === null ? null : load.rateBps / bandwidth }];
    }),
  );
}

const RANK: Readonly<Record<Agreement, number>> = { 'not measured': 0, 'as asked': 1, differs: 2 };
const worse = (a: Agreement, b: Agreement): Agreement => (RANK[a] >= RANK[b] ? a : b);

/** Of one path: what was asked for beside what was measured. */
export interface PathAgreement {
  readonly agreement: Agreement;
  readonly targetMs: number | null;
  readonly measuredMs: number | null;
  readonly why: string;
}

/** A round trip may be this much shorter than asked; longer ones have waited in queues, which belong to the network. */
const EARLY = { ratio: 0.1, ms: 1 };
/** A flow that takes all it gets should get its share. */
const LEAST_OF_SHARE = 0.85;

/** By `from>to`, of paths with traffic. */
export function agreementsOf(
  { flows }: Pick<LiveState, 'flows'>,
  verdict: Pick<Verdict, 'paths' | 'causes'> | undefined,
): Map<string, PathAgreement> {
  const rows = new Map(verdict?.paths.map((row) => [`${row.from}>${row.to}`, row]));
  const blamed = new Set(verdict?.causes.flatMap(({ path, until }) => (until === null && path ? path : [])));
  const found = new Map<string, PathAgreement>();
  for (const pair of new Set([...flows.keys(), ...rows.keys()])) {
    const row = rows.get(pair);
    const flow = flows.get(pair);
    const targetMs = row?.roundTripMs ?? null;
    const measuredMs = row?.measuredMs ?? null;
    const facts = { targetMs, measuredMs };
    const { greedy = false, rateBps = 0, shareBps = null } = flow ?? {};
    if (blamed.has(pair.replace('>', ' > '))) {
      found.set(pair, { ...facts, agreement: 'differs', why: 'the verdict names it' });
    } else if (targetMs !== null && measuredMs !== null && isEarly(measuredMs, targetMs)) {
      found.set(pair, { ...facts, agreement: 'differs', why: 'its round trip is shorter than asked' });
    } else if (greedy && shareBps !== null && rateBps < LEAST_OF_SHARE * shareBps) {
      found.set(pair, { ...facts, agreement: 'differs', why: 'it takes less than its share' });
    } else if (measuredMs !== null || (greedy && shareBps !== null)) {
      found.set(pair, { ...facts, agreement: 'as asked', why: '' });
    } else found.set(pair, { ...facts, agreement: 'not measured', why: 'no TCP connection measures it' });
  }
  return found;
}

const isEarly = (measured: number, target: number): boolean =>
  measured < target - Math.max(EARLY.ms, EARLY.ratio * target);

/** What is wrong with a node, the worst first; `undefined`: nothing. */
export type Condition = 'away' | 'cut off' | 'failed' | 'unwatched';

/** By name of the node. `unwatched`: the agent of its host does not answer. */
export function conditionsOf({ experiment, agents, endpoints }: LiveState): Map<string, Condition> {
  const found = new Map<string, Condition>();
  for (const { name, host, process } of endpoints.values()) {
    if (agents.get(host)?.state === 'unreachable') found.set(name, 'unwatched');
    else if (process !== null && /^(exited with (?!0\b)|ended by )/.test(process)) found.set(name, 'failed');
  }
  for (const { faults } of experiment.values()) {
    for (const { what, verb, names } of faults) {
      if (what !== 'away') continue;
      for (const name of names) found.set(name, verb === 'disconnect' ? 'cut off' : 'away');
    }
  }
  return found;
}
