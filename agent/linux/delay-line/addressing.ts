/** Finds the path of a packet by its IPv4 (RFC 791) or IPv6 (RFC 8200) header. Pure, without allocation. */
import type { AddressIndex } from './address-index.ts';
import type { PathTable } from './path-table.ts';

/** The packet has no path. */
export const NONE = -1;
/** `pathOf` returns this minus the number of the source endpoint when the table has no path for it. */
export const UNKNOWN_PATH = -2;

/** Third word of ::ffff:a.b.c.d, the form of IPv4 addresses in the tables. */
const IPV4_MAPPED = 0x0000ffff;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
export const ETHERNET_HEADER = 14;
const ICMPV6 = 58;
/** Router and neighbour solicitations, advertisements and redirects (RFC 4861): the counterpart of ARP. */
const DISCOVERY_FIRST = 133;
const DISCOVERY_LAST = 137;

/** 16 bytes per address → four words each, as `pathOf` needs them. */
export function addressWords(addresses: readonly Uint8Array[]): Uint32Array {
  return Uint32Array.from(
    addresses.flatMap((bytes) => [word(bytes, 0), word(bytes, 4), word(bytes, 8), word(bytes, 12)]),
  );
}

/** What is needed to find the paths of packets of one queue. */
export interface Knowledge {
  readonly table: PathTable;
  /** The endpoint's own addresses, four words each. */
  readonly own: Uint32Array;
  /** Address → number of any endpoint, where paths come on demand; else empty. */
  readonly book: AddressIndex;
}

/**
 * The path of a packet whose network header is at `offset`; `length` bytes of it are there. Returns `UNKNOWN_PATH` minus the
 * number of the source, if that is an endpoint whose path the table doesn't have. -1 for packets that have no path: from
 * unknown sources, other protocols, multicast and broadcast (everything that is not sent to one of the endpoint's `own`
 * addresses), and neighbour discovery. A fragment is treated like any other packet.
 */
export function pathOf(known: Knowledge, data: Uint8Array, offset: number, length: number): number {
  if (length < IPV4_HEADER) return NONE;
  const version = data[offset]! >> 4;
  if (version === 4) {
    if (!isOwn(known.own, 0, 0, IPV4_MAPPED, word(data, offset + 16))) return NONE;
    return find(known, 0, 0, IPV4_MAPPED, word(data, offset + 12), data, offset, length);
  }
  if (version !== 6 || length < IPV6_HEADER) return NONE;
  if (length > IPV6_HEADER && data[offset + 6] === ICMPV6 && isDiscovery(data[offset + IPV6_HEADER]!))
    return NONE;
  const to = offset + 24;
  if (!isOwn(known.own, word(data, to), word(data, to + 4), word(data, to + 8), word(data, to + 12)))
    return NONE;
  const from = offset + 8;
  const a = word(data, from);
  const b = word(data, from + 4);
  return find(known, a, b, word(data, from + 8), word(data, from + 12), data, offset, length);
}

/**
 * Bytes of the packet's frames as tc counts them, from its network header, of which pathOf has found that it is there. Of a
 * GSO packet: without the headers that each further frame repeats, since its segments' size is not known here.
 */
export function frameBytes(data: Uint8Array, offset: number): number {
  const isVersion4 = data[offset]! >> 4 === 4;
  const at = offset + (isVersion4 ? 2 : 4);
  const length = (data[at]! << 8) | data[at + 1]!;
  return ETHERNET_HEADER + (isVersion4 ? length : IPV6_HEADER + length);
}

function find(
  { table, book }: Knowledge,
  a: number,
  b: number,
  c: number,
  d: number,
  data: Uint8Array,
  offset: number,
  length: number,
): number {
  const path = table.find(a, b, c, d);
  if (path >= 0) return table.hasLanes ? table.choose(path, a, b, c, d, data, offset, length) : path;
  const source = book.find(a, b, c, d);
  return source < 0 ? NONE : UNKNOWN_PATH - source;
}

function isDiscovery(type: number): boolean {
  return type >= DISCOVERY_FIRST && type <= DISCOVERY_LAST;
}

/** An endpoint has about two addresses: comparing all is faster than a hash. */
function isOwn(own: Uint32Array, a: number, b: number, c: number, d: number): boolean {
  for (let i = 0; i < own.length; i += 4) {
    if (own[i + 3] === d && own[i + 2] === c && own[i + 1] === b && own[i] === a) return true;
  }
  return false;
}

function word(data: Uint8Array, at: number): number {
  return ((data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!) >>> 0;
}
