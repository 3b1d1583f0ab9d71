/** A generated topology in which every service pings another: the topology, the pairs, and their round-trip times. */
import type { PlannedEndpoint } from '../../controller/platform/port/plan.ts';
import { micros, toMillis } from '../../proto/units.ts';
import { Folding } from '../../topology/fold/fold.ts';
import type { Graph } from '../../topology/model/model.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import type { PingPair } from '../measure/traffic/ping-crowd.ts';

/** A random ring of all endpoints, the same for a seed: each pings one, and is pinged by one. */
export function circle(endpoints: number, seed: number): number[] {
  const all = Array.from({ length: endpoints }, (_, number) => number);
  const order = new SeededRandom(seed).sample(all, endpoints);
  const next = new Array<number>(endpoints);
  for (const [place, number] of order.entries()) next[number] = order[(place + 1) % order.length]!;
  return next;
}

/** With the round-trip times of the folded topology. Throws for a pair without a path. */
export function pingPairs(graph: Graph, endpoints: readonly PlannedEndpoint[], seed: number): PingPair[] {
  const folding = new Folding(graph);
  return circle(endpoints.length, seed).map((to, from): PingPair => {
    const [there, back] = [folding.path(from, to), folding.path(to, from)];
    if (!there || !back) throw new Error(`${endpoints[from]!.name} can't reach ${endpoints[to]!.name}`);
    const targetMs = toMillis(micros(there.latency + back.latency));
    return { from: endpoints[from]!, to: endpoints[to]!, targetMs };
  });
}

/** The same pairs without shaping: a round trip should take no time. */
export function unshapedPairs(endpoints: readonly PlannedEndpoint[], seed: number): PingPair[] {
  return circle(endpoints.length, seed).map((to, from) => ({
    from: endpoints[from]!,
    to: endpoints[to]!,
    targetMs: 0,
  }));
}
