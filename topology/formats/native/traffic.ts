/** `traffic:` of a file: its schema, and how it becomes `Traffic`. */
import { z } from 'zod';
import {
  BANDWIDTH_PATTERN,
  BYTES_PATTERN,
  DURATION_PATTERN,
  fromMillis,
  micros,
  parseBandwidth,
  parseBytes,
  parseDuration,
} from '../../../proto/units.ts';
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { Bridge, Service } from '../../model/model.ts';
import { NAME_PATTERN, parseReference, suggest } from '../../model/names.ts';
import type { Position } from '../../model/position.ts';
import {
  MAX_REAL_SOURCES,
  MAX_TRAFFIC_SOURCES,
  sourcesOf,
  TRAFFIC_KINDS,
  type Traffic,
  trafficLabel,
} from '../../model/traffic.ts';
import type { NativeDocument } from './document.ts';
import { quantity } from './quantity.ts';

const time = (description: string) =>
  quantity(parseDuration, { description, pattern: DURATION_PATTERN, examples: ['10s'] }).optional();

const node = (what: string) =>
  z
    .string()
    .min(1)
    .meta({ description: `${what}: an endpoint, or a service; simulated, also a bridge.` });

export const traffic = z
  .strictObject({
    from: node('Who sends'),
    to: node('Who receives: of a service, the replica with the number of the sender'),
    name: z
      .string()
      .regex(new RegExp(NAME_PATTERN))
      .optional()
      .meta({ description: 'Of its statistics. Default: FROM>TO.' }),
    kind: z.enum(TRAFFIC_KINDS).optional().meta({
      description:
        'UDP at a constant rate; UDP in bursts with exponential or Pareto times; or a TCP connection that always has something to send. Default: constant with a rate, greedy without.',
    }),
    rate: quantity(parseBandwidth, {
      description: 'While it sends, of frames as links count them. Greedy traffic has none.',
      pattern: BANDWIDTH_PATTERN,
      examples: ['2Mbps'],
    }).optional(),
    size: quantity(parseBytes, {
      description: "Of a datagram's payload, 24B to 1472B. Default: 1000B.",
      pattern: BYTES_PATTERN,
      examples: ['1000B'],
    }).optional(),
    on: time('Mean time of a burst. Default: 500ms.'),
    off: time('Mean time between bursts. Default: 500ms.'),
    shape: z
      .number()
      .gt(1)
      .max(100)
      .optional()
      .meta({ description: 'Of the Pareto distribution of times. Default: 1.5.' }),
    start: time('When it begins. Default: 0s.'),
    stop: time('When it ends. Default: never.'),
    count: z.int().min(1).max(100_000).default(1).meta({ description: 'So many of the same. Default: 1.' }),
    seed: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .default(1)
      .meta({ description: 'Of the times of bursts, which are the same in each run. Default: 1.' }),
    simulated: z.boolean().default(false).meta({
      description:
        'Whether it only takes its shares of links, as real traffic of this rate would, and sends no packet. Default: false.',
    }),
  })
  .meta({ description: 'Traffic that netfold itself makes.' });

export type NativeTraffic = z.output<typeof traffic>;

const SIZE = { default: 1000, least: 24, most: 1472 } as const;
const BURST = fromMillis(500);
const SHAPE = 1.5;

interface Nodes {
  readonly services: readonly Service[];
  readonly bridges: readonly Bridge[];
}

/** Entries that are wrong are left out, and told. */
export function readTraffic(
  entries: readonly NativeTraffic[],
  { services, bridges }: Nodes,
  document: NativeDocument,
  positionOf: (index: number) => Position,
  findings: Findings,
): Traffic[] {
  const replicas = new Map(services.map((service) => [service.name, service.replicas]));
  const known = { replicas, bridges: new Set(bridges.map(({ name }) => name)) };
  const found = entries.flatMap((entry, index) => {
    const complain = (
      key: string,
      message: string,
      remedy: string,
      code: 'VALUE_INVALID' | 'NAME_UNKNOWN' = 'VALUE_INVALID',
    ): undefined => {
      const path = ['traffic', index, ...(key === '' ? [] : [key])] as const;
      findings.error(code, document.at(path), document.field(path), message, remedy);
    };
    return readOne(entry, positionOf(index), known, complain) ?? [];
  });
  refuseTooMany(found, replicas, document, findings);
  return found;
}

type Complain = (
  key: string,
  message: string,
  remedy: string,
  code?: 'VALUE_INVALID' | 'NAME_UNKNOWN',
) => undefined;

interface Known {
  readonly replicas: ReadonlyMap<string, number>;
  readonly bridges: ReadonlySet<string>;
}

function readOne(
  entry: NativeTraffic,
  position: Position,
  known: Known,
  complain: Complain,
): Traffic | undefined {
  const { rate, simulated, start = micros(0), stop, count, seed } = entry;
  const ends = [end(entry, 'from', known, complain), end(entry, 'to', known, complain)] as const;
  if (!ends[0] || !ends[1]) return undefined;
  const [from, to] = ends;
  if (from.name === to.name && (from.replica ?? 0) === (to.replica ?? 0))
    return complain('to', 'traffic to itself crosses no link', 'name another node');
  const kind = entry.kind ?? (rate === undefined ? 'greedy' : 'constant');
  if (kind === 'greedy' && rate !== undefined)
    return complain(
      'rate',
      'greedy traffic takes what it can get',
      'remove the rate, or write kind: constant',
    );
  if (kind !== 'greedy' && rate === undefined)
    return complain('kind', `${kind} traffic has a rate`, 'add e.g. rate: 2Mbps');
  if (simulated && (kind === 'exponential' || kind === 'pareto'))
    return complain(
      'kind',
      `${kind} traffic can't be simulated`,
      'write kind: constant, or simulated: false',
    );
  const { size = SIZE.default } = entry;
  if (size < SIZE.least || size > SIZE.most)
    return complain('size', `${size} bytes are no datagram`, `write ${SIZE.least}B to ${SIZE.most}B`);
  if (stop !== undefined && stop <= start)
    return complain('stop', 'it ends before it begins', 'write a later time');
  for (const key of ['on', 'off', 'shape'] as const)
    if (entry[key] !== undefined && kind !== 'pareto' && (kind !== 'exponential' || key === 'shape'))
      return complain(key, `${kind} traffic has no ${key}`, 'remove it, or write kind: pareto');
  if (entry.on === 0) return complain('on', 'a burst of no time', 'write e.g. on: 500ms');
  return {
    ...{ from, to, kind, size, start, count, seed, simulated, position },
    name: entry.name ?? trafficLabel({ from, to }),
    ...(rate !== undefined && { rate }),
    ...(stop !== undefined && { stop }),
    on: entry.on ?? BURST,
    off: entry.off ?? BURST,
    shape: entry.shape ?? SHAPE,
  };
}

function end(entry: NativeTraffic, key: 'from' | 'to', { replicas, bridges }: Known, complain: Complain) {
  const text = entry[key];
  const reference = parseReference(text);
  const count = reference && replicas.get(reference.name);
  if (reference && count !== undefined && (reference.replica ?? 0) < count) return reference;
  if (reference?.replica === undefined && bridges.has(text)) {
    if (entry.simulated) return reference;
    return complain(
      key,
      `${quote(text)} is a bridge, which sends nothing`,
      'name an endpoint, or write simulated: true',
    );
  }
  const remedy = suggest(text, [...replicas.keys(), ...bridges], 'name an endpoint, e.g. client.0');
  return complain(key, `there is no ${quote(text)}`, remedy, 'NAME_UNKNOWN');
}

function refuseTooMany(
  traffic: readonly Traffic[],
  replicas: ReadonlyMap<string, number>,
  document: NativeDocument,
  findings: Findings,
): void {
  const countOf = (some: readonly Traffic[]): number =>
    some.reduce((sum, one) => sum + sourcesOf(one, replicas), 0);
  const [all, real] = [countOf(traffic), countOf(traffic.filter(({ simulated }) => !simulated))];
  if (all <= MAX_TRAFFIC_SOURCES && real <= MAX_REAL_SOURCES) return;
  const message =
    real > MAX_REAL_SOURCES
      ? `there are ${real} sources of traffic that send packets, more than ${MAX_REAL_SOURCES}`
      : `there are ${all} sources of traffic, more than ${MAX_TRAFFIC_SOURCES}`;
  findings.error('LIMIT', document.at(['traffic']), 'traffic', message, 'write fewer of a higher rate');
}
