/** Checks that rules of links have room on each path. */
import { MAX_RULES, rulesOf } from '../../proto/rules.ts';
import type { Findings } from '../model/diagnostics.ts';
import type { Topology } from '../model/model.ts';
import { Folding } from './fold.ts';
import type { Expansion } from './graph.ts';

/** Of larger topologies, a part is looked at; the agents tell of the rest, and of what events change. */
const MAX_PAIRS = 40_000;

/** Refuses the first path that has more rules than the classifier takes. `topology` has no errors. */
export function checkRules(topology: Topology, { graph, origins }: Expansion, findings: Findings): void {
  const counts = graph.links.map(({ rules }) => (rules === undefined ? 0 : rulesOf(rules).length));
  if (counts.reduce((sum, one) => sum + one, 0) <= MAX_RULES) return;
  const folding = new Folding(graph);
  const { length } = graph.endpoints;
  for (let pair = 0; pair < Math.min(length * length, MAX_PAIRS); pair++) {
    const [from, to] = [Math.floor(pair / length), pair % length];
    const path = folding.path(from, to);
    const number = path?.links.reduce((sum, link) => sum + counts[link]!, 0) ?? 0;
    if (!path || number <= MAX_RULES) continue;
    const last = origins[path.links.findLast((link) => counts[link]! > 0)!]!.pair;
    findings.error(
      'LIMIT',
      topology.links[last]!.position,
      `links[${last}].rules`,
      `the path from ${graph.endpoints[from]} to ${graph.endpoints[to]} has ${number} rules, more than ${MAX_RULES}`,
      'join selectors with commas, or leave rules out',
    );
    return;
  }
}
