/**
 * What the attributes of nodes and edges mean, by their names: those of the Topology Zoo, of Shadow, of topohub, and what
 * scripts around NetworkX use. docs/formats.md has them for users. Case, `_`, `-` and blanks in names do not matter.
 */
import type { RateUnit, TimeUnit } from './spellings.ts';

/** `isSaid`: the name or a definition says the unit of a bare number; otherwise it is told that one was assumed. */
export type EdgeMeaning =
  | { readonly what: 'latency' | 'jitter'; readonly bare: TimeUnit; readonly isSaid: boolean }
  | { readonly what: 'loss' | 'speedUnit' }
  | { readonly what: 'bandwidth'; readonly bare: RateUnit; readonly isSaid: boolean }
  | { readonly what: 'distance'; readonly isSaid: boolean }
  /** Texts for people, which may begin with a rate. */
  | { readonly what: 'speed' | 'label' }
  /** What identifies an edge: links of netfold are called after their ends. */
  | { readonly what: 'identity' };

export type NodeMeaning =
  | { readonly what: 'label' | 'identity' | 'latitude' | 'longitude' | 'hyperedge' }
  | { readonly what: 'up' | 'down'; readonly bare: RateUnit; readonly isSaid: boolean };

const TIME_UNITS: readonly TimeUnit[] = ['ns', 'us', 'ms', 's'];
const RATE_UNITS: readonly (readonly [string, RateUnit])[] = [
  ['bps', 'bit'],
  ['kbps', 'kbit'],
  ['mbps', 'Mbit'],
  ['gbps', 'Gbit'],
];

function timesNamed(name: string, what: 'latency' | 'jitter'): [string, EdgeMeaning][] {
  const units = TIME_UNITS.map((bare): [string, EdgeMeaning] => [
    `${name}${bare}`,
    { what, bare, isSaid: true },
  ]);
  return [[name, { what, bare: 'ms', isSaid: false }], ...units];
}

function ratesNamed(name: string): [string, EdgeMeaning][] {
  const what = 'bandwidth';
  const units = RATE_UNITS.map(([end, bare]): [string, EdgeMeaning] => [
    `${name}${end}`,
    { what, bare, isSaid: true },
  ]);
  return [[name, { what, bare: 'bit', isSaid: false }], ...units];
}

function distancesNamed(name: string): [string, EdgeMeaning][] {
  return [
    [name, { what: 'distance', isSaid: false }],
    [`${name}km`, { what: 'distance', isSaid: true }],
  ];
}

const EDGE: ReadonlyMap<string, EdgeMeaning> = new Map<string, EdgeMeaning>([
  ...timesNamed('latency', 'latency'),
  ...timesNamed('delay', 'latency'),
  ...timesNamed('jitter', 'jitter'),
  ...ratesNamed('bandwidth'),
  ...ratesNamed('capacity'),
  ...distancesNamed('dist'),
  ...distancesNamed('distance'),
  ...distancesNamed('length'),
  ...['packetloss', 'loss', 'lossrate'].map((name): [string, EdgeMeaning] => [name, { what: 'loss' }]),
  ...['id', 'key', 'name', 'source', 'target'].map((name): [string, EdgeMeaning] => [
    name,
    { what: 'identity' },
  ]),
  // The Topology Zoo's; raw is in bit/s.
  ['linkspeedraw', { what: 'bandwidth', bare: 'bit', isSaid: true }],
  ['linkspeed', { what: 'speed' }],
  ['linkspeedunits', { what: 'speedUnit' }],
  ['linklabel', { what: 'label' }],
  ['label', { what: 'label' }],
]);

const NODE: ReadonlyMap<string, NodeMeaning> = new Map<string, NodeMeaning>([
  ['id', { what: 'identity' }],
  ['label', { what: 'label' }],
  ['name', { what: 'label' }],
  ['latitude', { what: 'latitude' }],
  ['lat', { what: 'latitude' }],
  ['longitude', { what: 'longitude' }],
  ['long', { what: 'longitude' }],
  ['lon', { what: 'longitude' }],
  ['lng', { what: 'longitude' }],
  ['hyperedge', { what: 'hyperedge' }],
  ['hostbandwidthup', { what: 'up', bare: 'bit', isSaid: false }],
  ['hostbandwidthdown', { what: 'down', bare: 'bit', isSaid: false }],
  // Shadow before its version 2: KiB/s.
  ['bandwidthup', { what: 'up', bare: 'KiB', isSaid: false }],
  ['bandwidthdown', { what: 'down', bare: 'KiB', isSaid: false }],
]);

/** Names that were looked up, which are few in any real file. */
const MAX_KNOWN = 1000;

function lookUp<T>(table: ReadonlyMap<string, T>): (name: string) => T | undefined {
  const known = new Map<string, T | undefined>();
  return (name) => {
    if (known.has(name)) return known.get(name);
    const meaning = table.get(
      name
        .slice(0, 100)
        .toLowerCase()
        .replace(/[_\s-]/g, ''),
    );
    if (known.size < MAX_KNOWN) known.set(name, meaning);
    return meaning;
  };
}

export const edgeMeaning = lookUp(EDGE);
export const nodeMeaning = lookUp(NODE);
