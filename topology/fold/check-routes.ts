/** Checks of the routes that a file gives. */
import { count } from '../../proto/words.ts';
import { Names } from '../model/check.ts';
import { type Findings, quote } from '../model/diagnostics.ts';
import type { Graph, Route, Topology } from '../model/model.ts';
import { parseReference } from '../model/names.ts';
import { Expansion } from './graph.ts';
import type { Numbering } from './numbering.ts';

/** Pairs of endpoints that all routes together are about. */
const MAX_PAIRS = 100_000;

/** Refuses routes that no packet could take. Names, links and limits of the topology were checked. */
export function checkRoutes(topology: Topology, findings: Findings): void {
  const { routes = [] } = topology;
  if (routes.length === 0) return;
  const checker = new RouteChecker(topology);
  for (const route of routes) {
    const problem = checker.problemOf(route);
    if (problem)
      findings.error('ROUTE', route.position, route.nodes.join(' > ').slice(0, 200), problem[0], problem[1]);
  }
}

type Problem = readonly [message: string, remedy: string];

class RouteChecker {
  readonly #names: Names;
  readonly #numbering: Numbering;
  readonly #graph: Graph;
  readonly #edges: ReadonlySet<number>;
  readonly #routed = new Set<number>();
  #pairs = 0;

  constructor(topology: Topology) {
    const { graph, numbering } = new Expansion({ ...topology, routes: [] });
    this.#names = new Names(topology);
    this.#numbering = numbering;
    this.#graph = graph;
    this.#edges = new Set(graph.edges.map(({ from, to }) => this.#key(from, to)));
  }

  problemOf({ nodes }: Route): Problem | undefined {
    if (nodes.length < 2) return ['a route has two ends', 'write e.g. client > s1 > server'];
    for (const name of nodes) {
      const problem = this.#names.problem(name);
      if (problem) return [problem.message, problem.remedy];
    }
    const twice = nodes.find((name, index) => nodes.indexOf(name) !== index);
    if (twice !== undefined) return [`the route comes to ${quote(twice)} twice`, 'leave out the circle'];
    return this.#problemOfEnds(nodes) ?? this.#problemOfPairs(nodes) ?? this.#problemOfWay(nodes);
  }

  #problemOfEnds(nodes: readonly string[]): Problem | undefined {
    for (const name of [nodes[0]!, nodes.at(-1)!])
      if (this.#names.bridges.has(name))
        return [`${quote(name)} is a bridge`, 'a route is from a service to a service'];
    for (const name of nodes.slice(1, -1)) {
      const [first, end] = this.#range(name);
      if (end - first > 1)
        return [`${quote(name)} is ${count(end - first, 'replica')}`, `name one of them, e.g. ${name}.0`];
      if (!this.#graph.forwards[first])
        return [`${quote(name)} does not forward`, 'give the service forward: true, or leave it out'];
    }
    return undefined;
  }

  #problemOfWay(nodes: readonly string[]): Problem | undefined {
    for (const [index, name] of nodes.slice(0, -1).entries()) {
      const next = nodes[index + 1]!;
      const [from, to] = [this.#range(name), this.#range(next)];
      for (let a = from[0]; a < from[1]; a++)
        for (let b = to[0]; b < to[1]; b++) {
          if (this.#edges.has(this.#key(a, b))) continue;
          const names = `${this.#graph.nodes[a]} to ${this.#graph.nodes[b]}`;
          return [
            `there is no link from ${names}`,
            'name the nodes of a route in their order, each linked to the next',
          ];
        }
    }
    return undefined;
  }

  #problemOfPairs(nodes: readonly string[]): Problem | undefined {
    const [from, to] = [this.#range(nodes[0]!), this.#range(nodes.at(-1)!)];
    this.#pairs += (from[1] - from[0]) * (to[1] - to[0]);
    if (this.#pairs > MAX_PAIRS)
      return [`the routes are about more than ${MAX_PAIRS} pairs of endpoints`, 'use weights instead'];
    for (let a = from[0]; a < from[1]; a++)
      for (let b = to[0]; b < to[1]; b++) {
        const key = this.#key(a, b);
        if (this.#routed.has(key))
          return [
            `there is another route from ${this.#graph.nodes[a]} to ${this.#graph.nodes[b]}`,
            'write one of them',
          ];
        this.#routed.add(key);
      }
    return undefined;
  }

  #range(name: string): readonly [number, number] {
    return this.#numbering.range(parseReference(name)!)!;
  }

  #key(from: number, to: number): number {
    return from * this.#graph.nodes.length + to;
  }
}
