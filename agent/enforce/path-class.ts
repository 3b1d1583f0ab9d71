/** Folded paths and shares → what destinations need on an endpoint's interface. Pure. */

import {
  impairsPackets,
  needsFrames,
  type PacketImpairment,
  packetImpairment,
  timeAtLinks,
  transmissionOf,
} from '../../proto/impairment.ts';
import { slotsOf } from '../../proto/models.ts';
import {
  aqmOf,
  CELL,
  FULL_FRAME_BYTES,
  frameShare,
  overheadOf,
  queueInBytes,
  roomFor,
} from '../../proto/queue.ts';
import { countsFrames, limitsOf, rulesOf } from '../../proto/rules.ts';
import {
  bps,
  fromByteTime,
  type Micros,
  micros,
  nanosPerByte,
  toBytesPerSecond,
  toNanos,
} from '../../proto/units.ts';
import type { Path } from '../../topology/model/model.ts';
import { bufferBytes, burstBytes, fifoQueue, gsoSegments, MAX_GSO_SEGMENTS, netemLimit } from './derive.ts';
import { jitterShape } from './distributions.ts';
import {
  groupMinor,
  type LeafQueue,
  type LimitedClass,
  MOST_FURTHER,
  MOST_FURTHER_MINOR,
  MOST_LIMITED_MINOR,
  type NetemQueue,
  NO_PATH,
  type ShapedClass,
  UNSHAPED,
} from './interface-state.ts';
import { netemLosses } from './netem-losses.ts';

/** A destination as seen from the interface's endpoint. */
export interface Destination {
  readonly number: number;
  readonly addresses: readonly string[];
  /** Absent: the topology has no path. */
  readonly path: Path | undefined;
  /** Latency of both directions, for the queue. */
  readonly rttMicros: Micros;
  /** The rate of the path now: its bandwidth, or its share of contended links. */
  readonly rateBps: number;
}

/**
 * The part of a path's impairment that the queue of its class applies: all of it, or `UNIMPAIRED` if the delay
 * backend applies it elsewhere (`DelayBackend.inQueue`).
 */
export type InQueue = (path: PacketImpairment) => PacketImpairment;

export const UNIMPAIRED: PacketImpairment = packetImpairment({});

/** The rate of a class without a limit, 1 Tb/s, for paths that have latency and no bandwidth. */
const UNLIMITED_BYTES_PER_SECOND = 125e9;
const MAX_U32 = 0xffffffff;
/** tc's limits are signed in places. */
const MAX_I32 = 0x7fffffff;

/** What one destination needs on the interface. */
export interface Shape {
  /** Absent: none is needed. */
  readonly shaped?: ShapedClass;
  /** The target of its addresses: a minor number, `UNSHAPED` or `NO_PATH`. */
  readonly target: number;
}

/** `segments`: of the interface, from all of its destinations (`segmentsFor`). */
export function shapeOf(destination: Destination, inQueue: InQueue, segments: number): Shape {
  const { path } = destination;
  if (!path) return { target: NO_PATH };
  const queued = inQueue(path);
  const isFree = !Number.isFinite(path.bandwidth) && !impairsPackets(queued);
  if (isFree && path.mtu === undefined && path.rules === undefined) return { target: UNSHAPED };
  const shaped = shapedClass(destination, path, segments, queued);
  return { shaped, target: shaped.minor };
}

/** How many frames one packet may have on an interface with these destinations. */
export function segmentsFor(destinations: Iterable<Pick<Destination, 'path'>>, inQueue: InQueue): number {
  let slowest = Number.POSITIVE_INFINITY;
  for (const { path } of destinations) {
    if (!path) continue;
    // A queue that the user has measured out must hold packets of one frame; and netem loses, corrupts and reorders whole packets.
    // And HTB adds an overhead to each packet, not to each of its frames.
    if (hasOwnQueue(path) || path.overhead !== undefined || needsFrames(inQueue(path))) return 1;
    if (path.rules !== undefined && rulesOf(path.rules).some(countsFrames)) return 1;
    const limits = path.rules === undefined ? [] : limitsOf(path.rules);
    slowest = Math.min(slowest, path.bandwidth, ...limits.map(({ rate }) => rate));
  }
  return Number.isFinite(slowest) ? gsoSegments(toBytesPerSecond(bps(slowest))) : MAX_GSO_SEGMENTS;
}

/**
 * The class for packets to destinations that have none yet. It has the endpoint's own number, which no destination
 * has. `bandwidth`: the greatest of any path from there, bit/s.
 */
export function firstClass(endpoint: number, bandwidth: number): ShapedClass {
  const bytesPerSecond = wholeBytesPerSecond(bandwidth);
  return {
    minor: minorOf(endpoint),
    bytesPerSecond,
    burstBytes: burstBytes(bytesPerSecond),
    queue: fifoQueue(bufferBytes(toBytesPerSecond(bps(bandwidth)), micros(0), MAX_GSO_SEGMENTS)),
    bufferBytes: 0,
  };
}

/** The class of an endpoint on any interface. */
export const minorOf = (endpoint: number): number => endpoint + 1;
export const endpointOf = (minor: number): number => minor - 1;

function shapedClass(
  destination: Destination,
  path: Path,
  segments: number,
  queued: PacketImpairment,
): ShapedClass {
  const minor = minorOf(destination.number);
  if (!Number.isFinite(path.bandwidth)) {
    const bytesPerSecond = UNLIMITED_BYTES_PER_SECOND;
    const queue = impairsPackets(queued)
      ? netemQueue(minor, queued, bytesPerSecond, 0)
      : fifoQueue(bufferBytes(bytesPerSecond, destination.rttMicros, segments));
    const free = { minor, bytesPerSecond, burstBytes: burstBytes(bytesPerSecond), queue, bufferBytes: 0 };
    return { ...free, ...mtuAndRules(path), ...limitedClasses(destination, path, segments, queued) };
  }
  const bytesPerSecond = wholeBytesPerSecond(destination.rateBps);
  // From the path's own bandwidth: a share changes many times a second, a router's buffer doesn't.
  const forFrames = toBytesPerSecond(path.bandwidth) * frameShare(path.overhead);
  const derived = bufferBytes(forFrames, destination.rttMicros, segments);
  const limited = limitedClasses(destination, path, segments, queued);
  const common = { minor, bytesPerSecond, ...overheadFields(path), ...mtuAndRules(path), ...limited };
  const { aqm } = path;
  if (!impairsPackets(queued) && aqm === undefined) {
    const queue = fifoQueue(path.queueBytes ?? derived, path.queuePackets);
    return { ...common, burstBytes: burstBytes(bytesPerSecond), queue, bufferBytes: 0 };
  }
  const room = aqm === undefined ? derived : Math.max(derived, roomFor(aqmOf(aqm)));
  const buffer = queueInBytes(path, path.bandwidth) ?? room;
  const inRate = Math.ceil(buffer / frameShare(path.overhead));
  const managed = { bufferBytes: inRate, ...(aqm !== undefined && { aqm }) };
  if (!impairsPackets(queued)) {
    // The buffer decides; the queue only bounds memory.
    const queue = fifoQueue(Math.min(2 * buffer + derived, MAX_I32));
    return { ...common, burstBytes: burstBytes(bytesPerSecond), queue, ...managed };
  }
  const queue = netemQueue(minor, queued, toBytesPerSecond(path.bandwidth), buffer);
  return {
    ...{ ...common, queue, ...managed },
    burstBytes: burstBytes(bytesPerSecond, queue.slowest),
  };
}

const mtuAndRules = ({ mtu, rules }: Path): Pick<ShapedClass, 'mtu' | 'rules'> => ({
  ...(mtu !== undefined && { mtu }),
  ...(rules !== undefined && { rules }),
});

/** A part of a path's traffic waits in a queue for its own rate; how the path's buffer is managed is for the rest. */
function limitedClasses(
  { number, rttMicros }: Destination,
  { rules, bandwidth, overhead }: Path,
  segments: number,
  queued: PacketImpairment,
): Pick<ShapedClass, 'limits'> {
  const minor = minorOf(number);
  const found = rules === undefined || minor > MOST_LIMITED_MINOR ? [] : limitsOf(rules);
  if (found.length === 0) return {};
  const limits = found.map(({ rate }, index): LimitedClass => {
    const slower = toBytesPerSecond(bps(Math.min(rate, bandwidth)));
    const buffer = bufferBytes(slower * frameShare(overhead), rttMicros, segments);
    const queue = impairsPackets(queued)
      ? netemQueue(groupMinor(minor, index + 1), queued, slower, buffer)
      : fifoQueue(buffer);
    const bytesPerSecond = wholeBytesPerSecond(rate);
    return { bytesPerSecond, burstBytes: burstBytes(bytesPerSecond, slowestOf(queue)), queue };
  });
  return { limits };
}

const slowestOf = (queue: LeafQueue): number => (queue.kind === 'netem' ? queue.slowest : 0);

function overheadFields({ overhead }: Path): Pick<ShapedClass, 'overheadBytes' | 'inCells'> {
  if (overhead === undefined) return {};
  const { bytes, inCells } = overheadOf(overhead);
  return { overheadBytes: bytes, ...(inCells && { inCells }) };
}

const hasOwnQueue = ({ queuePackets, queueBytes, aqm }: Path): boolean =>
  queuePackets !== undefined || queueBytes !== undefined || aqm !== undefined;

function netemQueue(
  minor: number,
  queued: PacketImpairment,
  bytesPerSecond: number,
  buffer: number,
): NetemQueue {
  const { corrupt = 0, reorder = 0, slots } = queued;
  const jitterNs = Math.round(toNanos(queued.jitter));
  return {
    kind: 'netem',
    limit: netemLimit(bytesPerSecond, queued.latency, buffer),
    latencyNs: Math.round(toNanos(queued.latency)),
    jitterNs,
    distribution: jitterNs === 0 ? 'none' : jitterShape(queued),
    ...netemLosses(queued),
    slowest: slowestLink(queued),
    ...framingField(queued),
    ...(minor <= MOST_FURTHER_MINOR && furtherLinks(queued)),
    ...(corrupt > 0 && { corrupt: inSteps(corrupt) }),
    ...(reorder > 0 && { reorder: inSteps(reorder) }),
    ...(slots !== undefined && { slots: netemSlots(slots) }),
  };
}

const inSteps = (probability: number): number => Math.round(probability * MAX_U32) / MAX_U32;

/** As netem takes it: in nanoseconds. */
function netemSlots(text: string): string {
  const { least, most } = slotsOf(text);
  return `${Math.round(toNanos(least))} ${Math.round(toNanos(most))}`;
}

/** Below this, in ns per byte, full frames take less than 30 µs. */
const NOTICEABLE = 20;

/** Bytes per second at which packets pass the slowest link. */
function slowestLink({ spacing = nanosPerByte(0) }: PacketImpairment): number {
  return spacing < NOTICEABLE ? 0 : Math.max(1, Math.round(toBytesPerSecond(fromByteTime(spacing))));
}

/** Of the slowest link, if netem has its rate. */
function framingField(queued: PacketImpairment): Pick<NetemQueue, 'framing'> {
  if (queued.overhead === undefined || slowestLink(queued) === 0) return {};
  const { bytes, inCells } = overheadOf(queued.overhead);
  return { framing: inCells ? `${bytes} ${CELL.payload} ${CELL.bytes - CELL.payload}` : `${bytes} 0 0` };
}

/**
 * The transmission of all other links, by as many queues as it takes for none to be slower than the slowest link, which would bound
 * the path's rate. A packet takes as long as at the links one after the other, and so do packets of one size in a row. What overheads
 * add there is that of full frames, in proportion.
 */
function furtherLinks(queued: PacketImpairment): Pick<NetemQueue, 'furtherLinks' | 'furtherRate'> {
  const { spacing = nanosPerByte(0), overhead } = queued;
  const slowest = nanosOfByte(transmissionOf(spacing, overhead));
  const rest = nanosOfByte(queued) - slowest;
  if (spacing < NOTICEABLE || rest < NOTICEABLE) return {};
  const furtherLinks = Math.min(MOST_FURTHER, Math.ceil(rest / slowest - ROUNDING));
  const each = nanosPerByte(Math.min(slowest, rest / furtherLinks));
  return { furtherLinks, furtherRate: Math.max(1, Math.round(toBytesPerSecond(fromByteTime(each)))) };
}

/** How long each byte of a full frame takes. */
function nanosOfByte(of: Pick<PacketImpairment, 'transmission' | 'overheadTime' | 'cellTime'>): number {
  const { transmission = 0, overheadTime = 0, cellTime = 0 } = of;
  if (overheadTime === 0 && cellTime === 0) return transmission;
  return toNanos(timeAtLinks(FULL_FRAME_BYTES, of)) / FULL_FRAME_BYTES;
}

/** Of sums of byte times. */
const ROUNDING = 1e-6;

/** tc knows whole bytes per second, at least one. */
export function wholeBytesPerSecond(rateBps: number): number {
  return Math.max(1, Math.floor(toBytesPerSecond(bps(rateBps))));
}
