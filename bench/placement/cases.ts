/** Topologies to be placed. */

import { expandGraph } from '../../topology/fold/graph.ts';
import {
  DEFAULT_RANGES,
  DEFAULT_SHAPE_OPTIONS,
  generateTopology,
  SHAPES,
} from '../../topology/generate/generate.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Graph } from '../../topology/model/model.ts';
import { SeededRandom } from '../../topology/model/random.ts';

export interface Case {
  readonly name: string;
  readonly graph: Graph;
  readonly hosts: number;
}

export const graphOf = (text: string): Graph => expandGraph(loadTopology(text, 'bench.yaml').topology);

/**
 * Services in sites, as in a wide area: each has a switch and 100 Mb/s to its services, a slower uplink to one of four
 * regions, and there is a ring of the regions. Sites differ in size.
 */
export function sites(services: number, seed: number): Graph {
  const random = new SeededRandom(seed);
  const sizes: number[] = [];
  for (let left = services; left > 0; left -= sizes.at(-1)!) sizes.push(Math.min(left, 4 + random.below(13)));
  const names = sizes.flatMap((size, site) => Array.from({ length: size }, (_, at) => `x${site}-${at}`));
  const regions = [0, 1, 2, 3];
  const links = [
    ...names.map((name) => link(name, name.slice(0, name.indexOf('-')).replace('x', 's'), 1, 100)),
    ...sizes.map((_, site) =>
      link(`s${site}`, `r${random.below(4)}`, 5 + random.below(20), 50 + random.below(150)),
    ),
    ...regions.map((region) => link(`r${region}`, `r${(region + 1) % 4}`, 30, 400)),
  ];
  // Declared in another order than that of the sites, as a user's file may be.
  const services_ = random.sample(names, names.length);
  const bridges = [...sizes.map((_, site) => `s${site}`), ...regions.map((region) => `r${region}`)];
  return graphOf(
    `services:\n${services_.map((name) => `  ${name}: {}\n`).join('')}bridges: [${bridges.join(', ')}]\nlinks:\n${links.join('')}`,
  );
}

const link = (from: string, to: string, ms: number, mbps: number): string =>
  `  - { from: ${from}, to: ${to}, latency: ${ms}ms, bandwidth: ${mbps}Mbps }\n`;

export function shaped(
  name: string,
  nodes: number,
  seed: number,
  attach = DEFAULT_SHAPE_OPTIONS.attach as number,
): Graph {
  return graphOf(
    generateTopology({
      shape: SHAPES.find((shape) => shape.name === name)!,
      options: { ...DEFAULT_SHAPE_OPTIONS, nodes, attach },
      ranges: DEFAULT_RANGES,
      seed,
      command: name,
    }),
  );
}

/** Twenty, of five shapes, for two to eight hosts. */
export function seededCases(): Case[] {
  const hosts = [2, 3, 4, 8];
  return hosts.flatMap((count, index) => [
    { name: `sites of 200, ${count} hosts`, graph: sites(200, index + 1), hosts: count },
    { name: `scale-free of 300, ${count} hosts`, graph: shaped('scale-free', 300, index + 1), hosts: count },
    {
      name: `scale-free of 300 with loops, ${count} hosts`,
      graph: shaped('scale-free', 300, index + 1, 2),
      hosts: count,
    },
    { name: `Waxman of 120, ${count} hosts`, graph: shaped('waxman', 120, index + 1), hosts: count },
    { name: `grid of 144, ${count} hosts`, graph: shaped('grid', 144, index + 1), hosts: count },
  ]);
}
