/** Graphs for the tests of placement. */
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import type { Graph, Topology } from '../../../topology/model/model.ts';
import { SeededRandom } from '../../../topology/model/random.ts';

export const topologyOf = (text: string): Topology => loadTopology(text, 'test.yaml').topology;
export const graphOf = (text: string): Graph => expandGraph(topologyOf(text));

/** `clusters` stars of `size` services on a chain of slow links; the services' names do not tell the cluster. */
export function clusters(
  count: number,
  size: number,
  seed = 1,
): { graph: Graph; clusterOf: (name: string) => number } {
  const random = new SeededRandom(seed);
  const numbers = random.sample([...Array(count * size).keys()], count * size);
  const cluster = new Map(numbers.map((number, at) => [`x${number}`, at % count]));
  const switches = [...Array(count).keys()];
  const text = `services:
${numbers.map((number) => `  x${number}: {}\n`).join('')}bridges: [${switches.map((at) => `s${at}`).join(', ')}]
links:
${[...cluster].map(([name, at]) => `  - { from: ${name}, to: s${at}, latency: 1ms, bandwidth: 100Mbps }\n`).join('')}${switches
  .slice(1)
  .map((at) => `  - { from: s${at - 1}, to: s${at}, latency: 20ms, up: 10Mbps, down: 5Mbps }\n`)
  .join('')}`;
  return { graph: graphOf(text), clusterOf: (name) => cluster.get(name.slice(0, name.indexOf('.')))! };
}

export const hostsNamed = (count: number): { name: string }[] =>
  Array.from({ length: count }, (_, index) => ({ name: `host${index}` }));
