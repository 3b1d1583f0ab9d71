/** Topologies of a shape and a size, as the text of a native file. */
import { count } from '../../proto/words.ts';
import { MAX_EDGES, MAX_TEXT_LENGTH } from '../model/limits.ts';
import { SeededRandom } from '../model/random.ts';
import { GenerateError } from './errors.ts';
import { fatTree } from './fat-tree.ts';
import type { Shape, ShapeOptions, Wiring } from './model.ts';
import {
  bandwidthText,
  latencyText,
  lossText,
  parseBandwidthRange,
  parseLatencyRange,
  type Range,
} from './ranges.ts';
import { dumbbell, grid, ring, star, tree } from './regular.ts';
import { scaleFree } from './scale-free.ts';
import { type Traffic, trafficCommands } from './traffic.ts';
import { waxman } from './waxman.ts';

export const SHAPES: readonly Shape[] = [scaleFree, dumbbell, star, ring, tree, grid, fatTree, waxman];

/** Properties of links; `access` links end at a service, the others join bridges. */
export interface LinkRanges {
  readonly latency: Range;
  readonly bandwidth: Range;
  readonly accessLatency: Range;
  readonly accessBandwidth: Range;
  /** Absent: none. */
  readonly jitter?: Range;
  readonly loss?: Range;
}

export const DEFAULT_RANGES: LinkRanges = {
  latency: parseLatencyRange('1ms..10ms'),
  bandwidth: parseBandwidthRange('100Mbps..1Gbps'),
  accessLatency: parseLatencyRange('1ms..5ms'),
  accessBandwidth: parseBandwidthRange('10Mbps..100Mbps'),
};

export const DEFAULT_SHAPE_OPTIONS = { attach: 1, fanout: 2, alpha: 0.15, beta: 0.2 } as const;

export const MAX_SEED = 2 ** 32 - 1;

export interface GenerateRequest {
  readonly shape: Shape;
  readonly options: ShapeOptions;
  readonly ranges: LinkRanges;
  /** 0 to `MAX_SEED`. */
  readonly seed: number;
  readonly traffic?: Traffic;
  /** The command that generates the same file again, for its first line. */
  readonly command: string;
}

/** The same request gives the same bytes everywhere. Throws `GenerateError`. */
export function generateTopology({
  shape,
  options,
  ranges,
  seed,
  traffic,
  command,
}: GenerateRequest): string {
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) {
    const message = `--seed ${seed} is no whole number from 0 to ${MAX_SEED}`;
    throw new GenerateError('GENERATE_NUMBER', message, 'use e.g. --seed 1');
  }
  const random = new SeededRandom(seed);
  const wiring = shape.wire(options, random);
  const links = linkLines(wiring, ranges, random);
  const runs = traffic && trafficCommands(wiring, traffic, random);
  const { services, bridges } = wiring;
  const counts = [
    count(services.length, 'service'),
    count(bridges.length, 'bridge'),
    count(links.length, 'link'),
  ];
  const text = [
    `# ${command}`,
    `# ${counts.join(', ')}.`,
    `name: ${shape.name}-${options.nodes ?? services.length}`,
    'services:',
    ...services.map((name) => `  ${name}: ${serviceText(runs?.get(name))}`),
    'bridges:',
    ...bridges.map((name) => `  - ${name}`),
    'links:',
    ...links,
    '',
  ].join('\n');
  refuseSize(links.length, text.length);
  return text;
}

function serviceText(run: string | undefined): string {
  return run === undefined ? '{}' : `{ run: ${JSON.stringify(run)} }`;
}

function linkLines(wiring: Wiring, ranges: LinkRanges, random: SeededRandom): string[] {
  const services = new Set(wiring.services);
  return wiring.wires.map(({ from, to, distance }) => {
    const isAccess = services.has(from) || services.has(to);
    const latency = isAccess ? ranges.accessLatency : ranges.latency;
    const bandwidth = isAccess ? ranges.accessBandwidth : ranges.bandwidth;
    const fields = [
      `from: ${from}`,
      `to: ${to}`,
      `latency: ${latencyText(latency, random, distance)}`,
      ...(ranges.jitter ? [`jitter: ${latencyText(ranges.jitter, random)}`] : []),
      ...(ranges.loss ? [`loss: ${lossText(ranges.loss, random)}`] : []),
      `bandwidth: ${bandwidthText(bandwidth, random)}`,
    ];
    return `  - { ${fields.join(', ')} }`;
  });
}

/** Refuses what `netfold check` would refuse. */
function refuseSize(links: number, characters: number): void {
  if (2 * links <= MAX_EDGES && characters <= MAX_TEXT_LENGTH) return;
  const message = `the topology has ${links} links and ${characters} characters, more than ${MAX_EDGES / 2} or ${MAX_TEXT_LENGTH}`;
  throw new GenerateError('GENERATE_LIMIT', message, 'use fewer nodes or fewer links');
}
