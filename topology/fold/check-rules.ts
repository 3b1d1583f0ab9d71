/** Checks that rules of links have room on each path. */
import { MAX_LIMITED_ENDPOINTS, MAX_LIMITS, MAX_RULES, rulesOf } from '../../proto/rules.ts';
import type { Findings } from '../model/diagnostics.ts';
import type { Graph, Topology } from '../model/model.ts';
import { Folding } from './fold.ts';
import type { Expansion } from './graph.ts';

/** Of larger topologies, a part is looked at; the agents tell of the rest, and of what events change. */
const MAX_PAIRS = 40_000;

/** Refuses the first path that has more rules than the classifier takes. `topology` has no errors. */
export function checkRules(topology: Topology, { graph, origins }: Expansion, findings: Findings): void {
  const rules = graph.links.map((link) => (link.rules === undefined ? [] : rulesOf(link.rules)));
  const counts = rules.map(({ length }) => length);
  const limits = rules.map((all) => all.filter(({ action }) => action.kind === 'limit').length);
  const refuse = (link: number, message: string, remedy: string): void => {
    const { pair } = origins[link]!;
    findings.error('LIMIT', topology.links[pair]!.position, `links[${pair}].rules`, message, remedy);
  };
  const limiting = limits.findIndex((count) => count > 0);
  if (limiting >= 0 && numbersOf(graph) > MAX_LIMITED_ENDPOINTS) {
    const what = `rules limit traffic, for which a topology has at most ${MAX_LIMITED_ENDPOINTS} endpoints`;
    const found = graph.ecmp === undefined ? '' : ' (nodes times ecmp)';
    refuse(
      limiting,
      `${what}, and this one has ${numbersOf(graph)}${found}`,
      'leave the rules out, or drop instead',
    );
    return;
  }
  const total = sum(counts);
  if (total <= MAX_RULES && sum(limits) <= MAX_LIMITS) return;
  const folding = new Folding(graph);
  const { length } = graph.endpoints;
  for (let pair = 0; pair < Math.min(length * length, MAX_PAIRS); pair++) {
    const [from, to] = [Math.floor(pair / length), pair % length];
    const path = folding.path(from, to);
    if (!path) continue;
    const name = `the path from ${graph.endpoints[from]} to ${graph.endpoints[to]}`;
    const lastOf = (of: readonly number[]): number => path.links.findLast((link) => of[link]! > 0)!;
    const number = sum(path.links.map((link) => counts[link]!));
    if (number > MAX_RULES) {
      const message = `${name} has ${number} rules, more than ${MAX_RULES}`;
      refuse(lastOf(counts), message, 'join selectors with commas, or leave rules out');
      return;
    }
    const limited = sum(path.links.map((link) => limits[link]!));
    if (limited > MAX_LIMITS) {
      const message = `${name} has ${limited} rules that limit, more than ${MAX_LIMITS}`;
      refuse(lastOf(limits), message, 'join selectors with commas, or leave rules out');
      return;
    }
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0);

/** As many numbers as classes of paths have (agent/enforce). */
const numbersOf = ({ ecmp = 1, nodes, endpoints }: Graph): number =>
  ecmp > 1 ? nodes.length * ecmp : endpoints.length;
