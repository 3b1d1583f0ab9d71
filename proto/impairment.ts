/**
 * What a link or a path does to packets. Types, folding, equality and encoding follow from the table of properties
 * (properties.ts), as do the file's schema, `set` and `netfold paths`, so that a new property is a new entry there.
 */
import { lossModelOf, meanLoss } from './models.ts';
import { PROPERTIES } from './properties.ts';
import type { ChangeRule, FileField, Property, Replacement } from './property.ts';
import { recordEquality, recordMaker } from './property.ts';
import { bytesAtLink, CELL, FULL_FRAME_BYTES, overheadOf } from './queue.ts';
import {
  fromNanos,
  type Micros,
  micros,
  type NanosPerByte,
  nanosPerByte,
  type Ratio,
  ratio,
  timeToTransmit,
} from './units.ts';

export { DISTRIBUTIONS, type Distribution, PROPERTIES } from './properties.ts';

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
  [P in FileProperty]: Table[P] extends { change: ChangeRule } ? P : never;
}[FileProperty];
/** Those of them that have no half and no sum. */
export type ReplaceableName = {
  [P in ChangeableName]: Table[P] extends { change: Replacement } ? P : never;
}[ChangeableName];

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

/** How many packets it loses in the long run, by `loss` and its model together. */
export function lossOf({ loss, lossModel }: Pick<Values, 'loss' | 'lossModel'>): Ratio {
  return lossModel === undefined ? loss : ratio(1 - (1 - loss) * (1 - meanLoss(lossModelOf(lossModel))));
}

/** Whether it decides for each packet by itself, so that a run of frames in one GSO packet must be cut into its frames. */
export function needsFrames(of: PacketImpairment): boolean {
  const { loss, lossModel, duplicate = 0, corrupt = 0, reorder = 0 } = of;
  return loss > 0 || lossModel !== undefined || duplicate + corrupt + reorder > 0;
}

/** Whether it only delays, shakes and loses packets, each independently of the others, and all alike. */
export function isPlain(of: PacketImpairment & Pick<Values, 'rules'>): boolean {
  const { lossModel, duplicate, corrupt, reorder, slots, jitterCorrelation, rules } = of;
  return [lossModel, duplicate, corrupt, reorder, slots, jitterCorrelation, rules].every(
    (one) => one === undefined,
  );
}

/** How long a frame of so many bytes takes at all links of a path. */
export function timeAtLinks(bytes: number, of: Transmitting): Micros {
  const { transmission = nanosPerByte(0), overheadTime = 0, cellTime = 0 } = of;
  const time = timeToTransmit(bytes, transmission);
  if (overheadTime === 0 && cellTime === 0) return time;
  const cells = bytesAtLink(bytes, 'atm') / CELL.bytes;
  return micros(time + fromNanos(overheadTime + cells * cellTime));
}

type Transmitting = Pick<Values, 'transmission' | 'overheadTime' | 'cellTime'>;

/** The transmission of a path that counts only one of its links: how long that takes for a byte, and its overhead. */
export function transmissionOf(
  time: NanosPerByte,
  overhead = 'none',
): Transmitting & Pick<Values, 'spacing'> {
  const { bytes, inCells } = overheadOf(overhead);
  return inCells
    ? { transmission: nanosPerByte(0), spacing: time, overheadTime: 0, cellTime: CELL.bytes * time }
    : { transmission: time, spacing: time, overheadTime: bytes * time, cellTime: 0 };
}

const NOTHING = packetImpairment({});
/** Full frames take less than 0.15 ms, which may be the error of holding packets that need not be held otherwise. */
const IMMEDIATE = timeToTransmit(FULL_FRAME_BYTES, nanosPerByte(100));

/** Whether it affects single packets enough to be noticed. */
export function impairsPackets(of: PacketImpairment): boolean {
  const { transmission, cellTime, overhead } = of;
  if (transmission === undefined && cellTime === undefined && overhead === undefined)
    return !isSamePacketImpairment(of, NOTHING);
  if (timeAtLinks(FULL_FRAME_BYTES, of) > IMMEDIATE) return true;
  return !isSamePacketImpairment(withoutTransmission(of), NOTHING);
}

function withoutTransmission(of: PacketImpairment): PacketImpairment {
  return packetImpairment({ ...of, ...transmissionOf(nanosPerByte(0)), overhead: 'none' });
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
