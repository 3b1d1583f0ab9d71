/**
 * What a link or a path does to packets. `PROPERTIES` declares each property once: its syntax in the file, its fold
 * from links to a path, its possible changes by events, its encoding. Types, folding, equality, encoding, the file's
 * schema, `set` and `netfold paths` follow from it, so that a new property is a new entry.
 *
 * latency = Σ latency; jitter = √Σ jitter²; loss = 1 − Π(1 − loss); bandwidth = min bandwidth (Gouveia et al.,
 * "Kollaps", EuroSys 2020; Amaro's thesis, 2021, section 3.1.6). Jitter of a single link keeps its distribution; that
 * of several is taken as normal, which sums of independent delays approach (central limit theorem).
 */
import {
  anyOf,
  bytesOfShortest,
  byteTimes,
  least,
  longestByteTime,
  none,
  ofTheOnly,
  packetsOfShortest,
  rootOfSquares,
  sum,
} from './folds.ts';
import type { ChangeRule, FileField, Property } from './property.ts';
import { recordEquality, recordMaker } from './records.ts';
import {
  BANDWIDTH_PATTERN,
  bps,
  formatBps,
  formatMicros,
  formatRatio,
  fromMillis,
  LATENCY_PATTERN,
  MAX_BANDWIDTH,
  MAX_LATENCY,
  MIN_BANDWIDTH,
  type Micros,
  micros,
  type NanosPerByte,
  nanosPerByte,
  PERCENTAGE_PATTERN,
  parseBandwidth,
  parseLatency,
  parsePercentage,
  type Ratio,
  ratio,
  toMillis,
  UNLIMITED,
} from './units.ts';

/** The possible distributions of jitter; its value is the standard deviation for each of them. */
export const DISTRIBUTIONS = ['normal', 'uniform', 'pareto'] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];

const TIME = {
  kind: 'quantity',
  parse: parseLatency,
  pattern: LATENCY_PATTERN,
  examples: ['10ms', '250us'],
} as const;
const TIME_UNITS = 'with its unit: us, ms or s; at most 10 minutes. Default: none (0ms).';
const RATE_UNITS =
  'with its unit: bps, Kbps, Mbps or Gbps (decimal); Ethernet frames without preamble and FCS. Default: no limit.';
const TIME_CHANGE = {
  parse: parseLatency,
  format: formatMicros,
  isRelative: true,
  least: 0,
  most: MAX_LATENCY,
  isWhole: true,
} as const;
const inMillis = (time: Micros): number => toMillis(time);
const same = <T>(value: T): T => value;

/** In the order in which they are written and printed. */
export const PROPERTIES = {
  latency: {
    isOptional: false,
    default: micros(0),
    fold: sum,
    concerns: 'packets',
    file: { ...TIME, key: 'latency', description: `Delay of each direction, ${TIME_UNITS}`, example: '10ms' },
    change: TIME_CHANGE,
    encoding: { key: 'latencyMs', encode: inMillis, decode: fromMillis },
  },
  /** Standard deviation of the latency. */
  jitter: {
    isOptional: false,
    default: micros(0),
    fold: rootOfSquares,
    concerns: 'packets',
    file: {
      ...TIME,
      key: 'jitter',
      description: `Standard deviation of the delay, ${TIME_UNITS}`,
      example: '1ms',
    },
    change: TIME_CHANGE,
    encoding: { key: 'jitterMs', encode: inMillis, decode: fromMillis },
  },
  /** Shape of the jitter; absent: normal. */
  distribution: {
    isOptional: true,
    default: 'normal',
    fold: ofTheOnly('jitter'),
    concerns: 'packets',
    file: {
      kind: 'choice',
      key: 'distribution',
      choices: DISTRIBUTIONS,
      description: 'Shape of the jitter, whose standard deviation is `jitter` in each case. Default: normal.',
    },
    encoding: { key: 'distribution', encode: same<Distribution>, decode: same<Distribution> },
  },
  loss: {
    isOptional: false,
    default: ratio(0),
    fold: anyOf,
    concerns: 'packets',
    file: {
      kind: 'quantity',
      key: 'loss',
      parse: parsePercentage,
      pattern: PERCENTAGE_PATTERN,
      description: 'How many packets are lost in each direction, in percent. Default: none (0%).',
      example: '0.1%',
      examples: ['0.1%', '2%'],
    },
    change: {
      parse: parsePercentage,
      format: formatRatio,
      isRelative: false,
      least: 0,
      most: 1,
      isWhole: false,
    },
    encoding: { key: 'loss', encode: (value: Ratio): number => value, decode: ratio },
  },
  /** `UNLIMITED` if the file gives none. */
  bandwidth: {
    isOptional: false,
    default: UNLIMITED,
    fold: least,
    concerns: 'rate',
    file: {
      kind: 'quantity',
      key: 'bandwidth',
      parse: parseBandwidth,
      pattern: BANDWIDTH_PATTERN,
      description: `Rate of each direction, ${RATE_UNITS}`,
      example: '60Mbps',
      examples: ['60Mbps', '128Kbps'],
      directions: {
        up: `Rate from \`from\` to \`to\`; instead of bandwidth, ${RATE_UNITS}`,
        down: `Rate from \`to\` to \`from\`; instead of bandwidth, ${RATE_UNITS}`,
      },
    },
    change: {
      parse: parseBandwidth,
      format: formatBps,
      isRelative: true,
      least: MIN_BANDWIDTH,
      most: MAX_BANDWIDTH,
      isWhole: true,
      words: { unlimited: UNLIMITED },
    },
    encoding: {
      key: 'bandwidthBps',
      /** Null: no limit, since JSON has no number for it. */
      encode: (value: number): number | null => (Number.isFinite(value) ? value : null),
      decode: (plain: number | null) => (plain === null ? UNLIMITED : bps(plain)),
    },
  },
  /**
   * How long a packet's byte takes at all links of the path that have a bandwidth: each of them receives a packet whole
   * before it passes it on (store and forward). A link by itself has 0, since its bandwidth says it.
   */
  transmission: {
    isOptional: true,
    default: nanosPerByte(0),
    fold: byteTimes,
    concerns: 'packets',
    encoding: { key: 'transmissionNsPerByte', encode: same<NanosPerByte>, decode: nanosPerByte },
  },
  /** The same at its slowest link alone: what a packet keeps away from the one before it. */
  spacing: {
    isOptional: true,
    default: nanosPerByte(0),
    fold: longestByteTime,
    concerns: 'packets',
    encoding: { key: 'spacingNsPerByte', encode: same<NanosPerByte>, decode: nanosPerByte },
  },
  /** Overrides the queue that is derived from bandwidth and delay. */
  queuePackets: {
    isOptional: true,
    default: undefined,
    fold: packetsOfShortest,
    concerns: 'rate',
    file: {
      kind: 'queue',
      key: 'queue',
      description:
        'How much may wait for the link: packets, bytes (of frames without FCS), or the time that a full queue takes at its bandwidth. Default: derived from bandwidth and delay.',
      example: '200 packets',
      examples: ['200 packets', '64KB', '50ms'],
    },
    encoding: { key: 'queuePackets', encode: same<number>, decode: same<number> },
  },
  /** The same in bytes. */
  queueBytes: {
    isOptional: true,
    default: undefined,
    fold: bytesOfShortest,
    concerns: 'rate',
    encoding: { key: 'queueBytes', encode: same<number>, decode: same<number> },
  },
  /** The same as a time. A path has bytes instead. */
  queueTime: {
    isOptional: true,
    default: undefined,
    fold: none,
    concerns: 'rate',
    encoding: { key: 'queueMs', encode: inMillis, decode: fromMillis },
  },
} as const satisfies Readonly<Record<string, Property>>;

type Table = typeof PROPERTIES;
export type PropertyName = keyof Table;
/** The properties that a file may set. */
export type FileProperty = {
  [P in PropertyName]: Table[P] extends { file: FileField } ? P : never;
}[PropertyName];
export type FileKey<P extends FileProperty> = Table[P]['file']['key'];
export type PropertyValue<P extends PropertyName> = ReturnType<Table[P]['encoding']['decode']>;
/** The properties that an event may change. */
export type ChangeableName = {
  [P in PropertyName]: Table[P] extends { change: ChangeRule } ? P : never;
}[PropertyName];

type Optional = { [P in PropertyName]: Table[P]['isOptional'] extends true ? P : never }[PropertyName];
type Always = Exclude<PropertyName, Optional>;
type OfPackets = { [P in PropertyName]: Table[P]['concerns'] extends 'packets' ? P : never }[PropertyName];
type Values = { readonly [P in Always]: PropertyValue<P> } & { readonly [P in Optional]?: PropertyValue<P> };
type Encoded<P extends PropertyName> = {
  readonly [Q in P & Always as Table[Q]['encoding']['key']]: ReturnType<Table[Q]['encoding']['encode']>;
} & {
  readonly [Q in P & Optional as Table[Q]['encoding']['key']]?: ReturnType<Table[Q]['encoding']['encode']>;
};

declare const brand: unique symbol;

/** Of one direction of a link, or of a path. Made by `impairment`, `foldImpairments`, `decodeImpairment`. */
export interface Impairment extends Values {
  readonly [brand]: 'impairment';
}

/** The part that affects single packets: delay, jitter and loss. */
export type PacketImpairment = Pick<Values, OfPackets>;

export type EncodedImpairment = Encoded<PropertyName>;
export type EncodedPacketImpairment = Encoded<OfPackets>;

type Entry = Property & { readonly name: PropertyName };
type FileEntry = Property & {
  readonly name: FileProperty;
  readonly file: FileField & { readonly key: FileKey<FileProperty> };
};

/** All properties, in their order. */
export const PROPERTY_LIST = Object.entries(PROPERTIES).map(([name, property]) => {
  return { name, ...property };
}) as readonly Entry[];
/** Those that a file may set. */
export const FILE_PROPERTIES = PROPERTY_LIST.filter((one): one is FileEntry => one.file !== undefined);
const OF_PACKETS = PROPERTY_LIST.filter(({ concerns }) => concerns === 'packets');

type Read = (values: Readonly<Record<string, unknown>>) => unknown;
const READS = PROPERTY_LIST.map(
  ({ name }): Read =>
    (values) =>
      values[name],
);
const PACKET_READS = OF_PACKETS.map(
  ({ name }): Read =>
    (values) =>
      values[name],
);
const DECODES = PROPERTY_LIST.map(
  ({ encoding: { key, decode } }): Read =>
    (plain) => {
      return plain[key] === undefined ? undefined : decode(plain[key] as never);
    },
);
const FOLDS = PROPERTY_LIST.map(({ name, fold }) => fold(name));

type Make<From, To> = (from: From) => To;

/** Missing properties have their default. */
export const impairment = recordMaker(PROPERTY_LIST, READS) as Make<Partial<Values>, Impairment>;

/** The part of a path that affects single packets; missing properties have their default. */
export const packetImpairment = recordMaker(OF_PACKETS, PACKET_READS) as Make<
  Partial<PacketImpairment>,
  PacketImpairment
>;

/** The impairment of a path over `links`: indices into `all`, in order. */
export const foldImpairments: (links: readonly number[], all: readonly Impairment[]) => Impairment =
  recordMaker(PROPERTY_LIST, FOLDS);

/** Whether two links, or two paths, are equal; `undefined` is no path. */
export const isSameImpairment = recordEquality<Values>(PROPERTY_LIST);

/** Whether they affect single packets in the same way. */
export const isSamePacketImpairment = recordEquality<PacketImpairment>(OF_PACKETS);

const NOTHING = packetImpairment({});
/** Full frames take less than 0.15 ms, which may be the error of holding packets that need not be held otherwise. */
const IMMEDIATE_NS_PER_BYTE = 100;

/** Whether it affects single packets enough to be noticed. */
export function impairsPackets(of: PacketImpairment): boolean {
  const { transmission = 0 } = of;
  if (transmission > IMMEDIATE_NS_PER_BYTE) return true;
  return !isSamePacketImpairment(transmission === 0 ? of : withoutTransmission(of), NOTHING);
}

function withoutTransmission(of: PacketImpairment): PacketImpairment {
  return packetImpairment({ ...of, transmission: nanosPerByte(0), spacing: nanosPerByte(0) });
}

/** As plain data that survives JSON, with units in the names. */
export function encodeImpairment(of: Values): EncodedImpairment {
  return encoded(PROPERTY_LIST, of) as unknown as EncodedImpairment;
}

export function encodePacketImpairment(of: PacketImpairment): EncodedPacketImpairment {
  return encoded(OF_PACKETS, of) as unknown as EncodedPacketImpairment;
}

function encoded(properties: readonly Entry[], of: Partial<Values>): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const { name, encoding } of properties) {
    const value = of[name];
    if (value !== undefined) plain[encoding.key] = encoding.encode(value as never);
  }
  return plain;
}

export const decodeImpairment = recordMaker(PROPERTY_LIST, DECODES) as Make<
  Partial<EncodedImpairment>,
  Impairment
>;
