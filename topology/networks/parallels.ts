/** Several edges between the same two nodes: at most one link in each direction remains. */
import type { Impairment } from '../../proto/impairment.ts';
import { formatMicros } from '../../proto/units.ts';
import { type LinkPair, reversed } from '../model/model.ts';
import type { NetworkEdge } from './network.ts';
import type { Notes } from './notes.ts';

/** An edge, and the link that it becomes; of a directed edge, one-way. */
export interface EdgeLink {
  readonly edge: NetworkEdge;
  readonly pair: LinkPair;
}

const keyOf = (from: string, to: string): string => `${from}>${to}`;

function keysOf({ from, to, down }: LinkPair): string[] {
  return down ? [keyOf(from, to), keyOf(to, from)] : [keyOf(from, to)];
}

/** For each direction the link that a shortest path takes; the first of equal ones. Tells of the others. */
export function withoutParallels(links: readonly EdgeLink[], notes: Notes): EdgeLink[] {
  const best = new Map<string, EdgeLink>();
  for (const link of links) {
    for (const key of keysOf(link.pair)) {
      const other = best.get(key);
      if (!other || isBetter(link.pair.up, other.pair.up)) best.set(key, link);
    }
  }
  return links.flatMap((link) => {
    const winners = keysOf(link.pair).map((key) => best.get(key)!);
    if (winners.every((one) => one === link)) return [link];
    tellOfParallel(link, winners, notes);
    if (!winners.includes(link)) return [];
    const { down: _, ...there } = link.pair;
    const isThere = winners[0] === link;
    return [{ ...link, pair: isThere ? there : turned(there) }];
  });
}

/** A one-way link as if it led the other way. */
function turned(pair: LinkPair): LinkPair {
  const { from, to, relationship } = pair;
  return { ...pair, from: to, to: from, ...(relationship && { relationship: reversed(relationship) }) };
}

function isBetter(one: Impairment, other: Impairment): boolean {
  if (one.latency !== other.latency) return one.latency < other.latency;
  return one.bandwidth > other.bandwidth;
}

function tellOfParallel(link: EdgeLink, winners: readonly EdgeLink[], notes: Notes): void {
  const winner = winners.find((one) => one !== link)!;
  const what = winners.includes(link) ? 'one direction of this one is left out' : 'this one is left out';
  notes.tell(
    { code: 'LINK_DUPLICATE', what: 'parallel edges' },
    link.edge.place,
    link.edge.field,
    `parallel to the edge in line ${winner.edge.place.line}, whose latency is ${formatMicros(winner.pair.up.latency)}: ${what}`,
    'give the link that remains the bandwidth of both, if that is meant',
  );
}

/** Two one-way links that are each other's way back become one, whose directions may differ. Tells of those left alone. */
export function joinDirections(links: readonly EdgeLink[], notes: Notes): EdgeLink[] {
  const oneWay = new Map(
    links.flatMap((link) => (link.pair.down ? [] : [[keyOf(link.pair.from, link.pair.to), link] as const])),
  );
  const joined = new Set<EdgeLink>();
  return links.flatMap((link) => {
    const { pair, edge } = link;
    if (pair.down) return [link];
    if (joined.has(link)) return [];
    const back = oneWay.get(keyOf(pair.to, pair.from));
    if (back) {
      joined.add(back);
      return [{ ...link, pair: { ...pair, down: back.pair.up } }];
    }
    notes.tell(
      { code: 'LINK_ONE_WAY', what: 'directed edges without a way back', shown: 1 },
      edge.place,
      edge.field,
      'the edge is directed, and none leads back: the link is one-way',
      'if the network is not meant so, say in the file that it is undirected',
    );
    return [link];
  });
}
