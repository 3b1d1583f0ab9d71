/**
 * Packets of one direction in a file of pcap (draft-ietf-opsawg-pcap) or pcapng (draft-ietf-opsawg-pcapng), as a trace: when each
 * was captured, and its payload. Pure; nothing in the file is trusted.
 */
import { fromMillis, fromSeconds, nanosToMillis } from '../../../../proto/units.ts';
import { quote } from '../../../model/diagnostics.ts';
import { MOST_PACKETS, type PacketTrace } from '../../../model/packet-trace.ts';

/** Which packets; absent: those between the ends of the first one that has a payload, in its direction. */
export interface Direction {
  /** Addresses. */
  readonly from?: string;
  readonly to?: string;
  /** Of UDP or TCP, at either end. */
  readonly port?: number;
}

export interface CapturedTrace extends PacketTrace {
  /** The direction. */
  readonly from: string;
  readonly to: string;
  /** Packets with a payload that are of others. */
  readonly others: number;
}

export class CaptureProblem extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** The payload of a datagram; of a longer packet, which a network card divides, as many pieces. */
const MOST_BYTES = 1472;
const CUT = 'cut the file: editcap -B, or tcpdump -r with a filter';

interface Frame {
  /** µs since 1970. */
  readonly at: number;
  readonly link: number;
  readonly bytes: DataView;
}

/** Throws `CaptureProblem`. */
export function traceOfCapture(bytes: Uint8Array, wanted: Direction): CapturedTrace {
  const [at, size]: [number[], number[]] = [[], []];
  const direction = eachOfDirection(bytes, wanted, (time, packet) => {
    for (let left = packet.bytes; left > 0; left -= MOST_BYTES) {
      at.push(time);
      size.push(Math.min(left, MOST_BYTES));
    }
    if (at.length > MOST_PACKETS)
      throw new CaptureProblem(`it has more than ${MOST_PACKETS} packets of one direction`, CUT);
  });
  // Captures of several interfaces are not always in order.
  const order = Array.from(at.keys()).sort((a, b) => at[a]! - at[b]! || a - b);
  const first = at[order[0]!]!;
  return {
    ...direction,
    at: Float64Array.from(order, (index) => Math.round(at[index]! - first)),
    size: Uint16Array.from(order, (index) => size[index]!),
  };
}

/** What passed of one direction, also packets without a payload. */
export interface CapturedFrames extends Omit<CapturedTrace, 'at' | 'size'> {
  /** Microseconds since the first one, ascending. */
  readonly at: Float64Array;
  /** Of each, as bandwidth counts it: the IP packet and the header of Ethernet. */
  readonly size: Float64Array;
}

const ETHERNET_BYTES = 14;

/** Throws `CaptureProblem`. */
export function framesOfCapture(bytes: Uint8Array, wanted: Direction): CapturedFrames {
  const frames: [number, number][] = [];
  const direction = eachOfDirection(
    bytes,
    wanted,
    (time, { length }) => frames.push([time, length + ETHERNET_BYTES]),
    true,
  );
  frames.sort(([a], [b]) => a - b);
  const first = frames[0]![0];
  return {
    ...direction,
    at: Float64Array.from(frames, ([time]) => Math.round(time - first)),
    size: Float64Array.from(frames, ([, size]) => size),
  };
}

/**
 * Calls for each packet of the direction, which the first with a payload decides; `withEmpty`: from then on also for those without
 * one. Throws `CaptureProblem`.
 */
function eachOfDirection(
  bytes: Uint8Array,
  wanted: Direction,
  visit: (at: number, packet: Packet) => void,
  withEmpty = false,
): Omit<CapturedTrace, 'at' | 'size'> {
  let direction: { readonly from: string; readonly to: string } | undefined;
  let others = 0;
  for (const frame of framesOf(bytes)) {
    const packet = packetIn(frame);
    const isEmpty = !packet || (packet.bytes === 0 && !(withEmpty && direction));
    if (isEmpty || (wanted.port !== undefined && !packet.ports.includes(wanted.port))) continue;
    const isWanted =
      (wanted.from === undefined || wanted.from === packet.from) &&
      (wanted.to === undefined || wanted.to === packet.to);
    direction ??= isWanted ? { from: packet.from, to: packet.to } : undefined;
    if (isWanted && packet.from === direction?.from && packet.to === direction.to) visit(frame.at, packet);
    else if (packet.bytes > 0) others++;
  }
  if (direction) return { ...direction, others };
  const ends = [wanted.from && `from ${wanted.from}`, wanted.to && `to ${wanted.to}`]
    .filter(Boolean)
    .join(' ');
  throw new CaptureProblem(
    `it has no packet of IP with a payload${ends === '' ? '' : ` ${ends}`}`,
    'name the addresses of one direction: trace: { file: call.pcap, from: 10.0.0.1, to: 10.0.0.2 }',
  );
}

const MAGIC = { pcap: 0xa1b2c3d4, pcapNanos: 0xa1b23c4d, pcapng: 0x0a0d0d0a, order: 0x1a2b3c4d } as const;

function framesOf(bytes: Uint8Array): Generator<Frame> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength >= 28 && view.getUint32(0) === MAGIC.pcapng) return pcapngFrames(view);
  if (view.byteLength >= 24)
    for (const little of [true, false]) {
      const magic = view.getUint32(0, little);
      if (magic === MAGIC.pcap || magic === MAGIC.pcapNanos)
        return pcapFrames(view, little, magic === MAGIC.pcapNanos);
    }
  throw new CaptureProblem(
    'it is neither pcap nor pcapng',
    'write it with tcpdump -w, dumpcap or netfold capture',
  );
}

/** A file that was cut off ends with its last whole packet. */
function* pcapFrames(view: DataView, little: boolean, nanos: boolean): Generator<Frame> {
  const link = view.getUint32(20, little) & 0xffff;
  for (let at = 24; at + 16 <= view.byteLength; ) {
    const [seconds, rest] = [view.getUint32(at, little), view.getUint32(at + 4, little)];
    const length = view.getUint32(at + 8, little);
    if (length > view.byteLength - at - 16) return;
    const micros = fromSeconds(seconds) + (nanos ? fromMillis(nanosToMillis(rest)) : rest);
    yield { at: micros, link, bytes: part(view, at + 16, length) };
    at += 16 + length;
  }
}

interface Interface {
  readonly link: number;
  /** µs of its unit of time. */
  readonly unit: number;
}

const BLOCK = { interface: 1, packet: 6, section: MAGIC.pcapng } as const;
const TIME_UNIT = 9;

function* pcapngFrames(view: DataView): Generator<Frame> {
  let little = true;
  let interfaces: Interface[] = [];
  for (let at = 0; at + 12 <= view.byteLength; ) {
    if (view.getUint32(at, little) === BLOCK.section) {
      little = view.getUint32(at + 8, true) === MAGIC.order;
      interfaces = [];
    }
    const [type, length] = [view.getUint32(at, little), view.getUint32(at + 4, little)];
    if (length < 12 || length % 4 !== 0 || length > view.byteLength - at) return;
    const body = part(view, at + 8, length - 12);
    if (type === BLOCK.interface && body.byteLength >= 8)
      interfaces.push({ link: body.getUint16(0, little), unit: unitOf(body, little) });
    if (type === BLOCK.packet && body.byteLength >= 20) {
      const from = interfaces[body.getUint32(0, little)];
      const captured = body.getUint32(12, little);
      const ticks = body.getUint32(4, little) * 2 ** 32 + body.getUint32(8, little);
      if (from && captured <= body.byteLength - 20)
        yield { at: ticks * from.unit, link: from.link, bytes: part(body, 20, captured) };
    }
    at += length;
  }
}

/** Microseconds, if the interface says nothing else: 10^-n, or 2^-n with the highest bit. */
function unitOf(body: DataView, little: boolean): number {
  for (let at = 8; at + 4 <= body.byteLength; ) {
    const [code, length] = [body.getUint16(at, little), body.getUint16(at + 2, little)];
    if (code === TIME_UNIT && length === 1 && at + 5 <= body.byteLength) {
      const power = body.getUint8(at + 4);
      return fromSeconds(power & 0x80 ? 2 ** -(power & 0x7f) : 10 ** -power);
    }
    at += 4 + ((length + 3) & ~3);
  }
  return 1;
}

interface Packet {
  readonly from: string;
  readonly to: string;
  /** Of the whole, from the header of IP on. */
  readonly length: number;
  /** Of its payload. */
  readonly bytes: number;
  readonly ports: readonly number[];
}

/** Types of links: bytes before IP, or before the type of what follows (https://www.tcpdump.org/linktypes.html). */
const LINKS = {
  null: 0,
  ethernet: 1,
  raw: 101,
  rawBsd: 12,
  cooked: 113,
  cooked2: 276,
  raw4: 228,
  raw6: 229,
} as const;
const [TYPE_IP4, TYPE_IP6] = [0x0800, 0x86dd];
const TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8]);

function packetIn({ link, bytes }: Frame): Packet | undefined {
  const start = startOfIp(link, bytes);
  if (start === undefined || start >= bytes.byteLength) return undefined;
  const version = bytes.getUint8(start) >> 4;
  if (version === 4) return packet4(bytes, start);
  return version === 6 ? packet6(bytes, start) : undefined;
}

function startOfIp(link: number, bytes: DataView): number | undefined {
  const typed = (at: number): number | undefined => {
    let next = at;
    while (next + 2 <= bytes.byteLength && TAGS.has(bytes.getUint16(next))) next += 4;
    if (next + 2 > bytes.byteLength) return undefined;
    const type = bytes.getUint16(next);
    return type === TYPE_IP4 || type === TYPE_IP6 ? next + 2 : undefined;
  };
  switch (link) {
    case LINKS.ethernet:
      return typed(12);
    case LINKS.cooked:
      return typed(14);
    case LINKS.cooked2:
      return typed(0) === undefined ? undefined : 20;
    case LINKS.null:
      return 4;
    case LINKS.raw:
    case LINKS.rawBsd:
    case LINKS.raw4:
    case LINKS.raw6:
      return 0;
    default:
      return undefined;
  }
}

function packet4(bytes: DataView, start: number): Packet | undefined {
  if (bytes.byteLength < start + 20) return undefined;
  const header = (bytes.getUint8(start) & 15) * 4;
  // A card that divides packets leaves 0.
  const length = bytes.getUint16(start + 2) || bytes.byteLength - start;
  const address = (at: number): string => [0, 1, 2, 3].map((one) => bytes.getUint8(at + one)).join('.');
  const isFirst = (bytes.getUint16(start + 6) & 0x1fff) === 0;
  const protocol = isFirst ? bytes.getUint8(start + 9) : undefined;
  const ends = { from: address(start + 12), to: address(start + 16) };
  return header < 20 || length < header
    ? undefined
    : { ...ends, length, ...payload(bytes, start + header, length - header, protocol) };
}

function packet6(bytes: DataView, start: number): Packet | undefined {
  if (bytes.byteLength < start + 40) return undefined;
  const length = bytes.getUint16(start + 4) || bytes.byteLength - start - 40;
  const ends = { from: address6(bytes, start + 8), to: address6(bytes, start + 24) };
  return { ...ends, length: length + 40, ...payload(bytes, start + 40, length, bytes.getUint8(start + 6)) };
}

/** RFC 5952: the longest run of two zeros or more, of equal ones the first, is `::`. */
function address6(bytes: DataView, at: number): string {
  const words = Array.from({ length: 8 }, (_, index) => bytes.getUint16(at + 2 * index).toString(16)).join(
    ':',
  );
  const runs = words.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.toSorted((a, b) => b.length - a.length)[0];
  return longest === undefined ? words : words.replace(new RegExp(`(^|:)${longest}(:|$)`), '::');
}

const PROTOCOL = { tcp: 6, udp: 17 } as const;

/** `length`: of the transport's header and what follows; the packet may have been captured in part. */
function payload(
  bytes: DataView,
  start: number,
  length: number,
  protocol: number | undefined,
): Pick<Packet, 'bytes' | 'ports'> {
  const hasHeader = (size: number): boolean => bytes.byteLength >= start + size;
  const ports = (): number[] => [bytes.getUint16(start), bytes.getUint16(start + 2)];
  if (protocol === PROTOCOL.udp && hasHeader(8)) return { bytes: Math.max(0, length - 8), ports: ports() };
  if (protocol === PROTOCOL.tcp && hasHeader(20))
    return { bytes: Math.max(0, length - (bytes.getUint8(start + 12) >> 4) * 4), ports: ports() };
  return { bytes: Math.max(0, length), ports: [] };
}

function part(view: DataView, at: number, length: number): DataView {
  return new DataView(view.buffer, view.byteOffset + at, length);
}

/** Throws `CaptureProblem`. What a file may say of a capture besides its name. */
export function directionOf(written: Readonly<Record<string, unknown>>): Direction {
  const { file: _, ...rest } = written;
  for (const [key, value] of Object.entries(rest)) {
    const isPort =
      key === 'port' && Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536;
    const isAddress =
      (key === 'from' || key === 'to') && typeof value === 'string' && /^[\da-f.:]{2,39}$/i.test(value);
    if (!isPort && !isAddress)
      throw new CaptureProblem(
        `${quote(`${key}: ${String(value)}`)} says nothing of a capture`,
        'write e.g. trace: { file: call.pcap, from: 10.0.0.1, to: 10.0.0.2, port: 5004 }',
      );
  }
  return rest as Direction;
}
