/** Whose path a packet takes, from the head of it: IPv4 (RFC 791) or IPv6 (RFC 8200). Pure, no allocation. */
import type { PathTable } from './path-table.ts';

/** Third word of ::ffff:a.b.c.d, as which IPv4 addresses stand in the tables. */
const IPV4_MAPPED = 0x0000ffff;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const ICMPV6 = 58;
/** Router and neighbour solicitations, advertisements and redirects (RFC 4861): what ARP is to IPv4. */
const DISCOVERY_FIRST = 133;
const DISCOVERY_LAST = 137;

/** 16 bytes an address → four words each, as `pathOf` wants them. */
export function addressWords(addresses: readonly Uint8Array[]): Uint32Array {
  return Uint32Array.from(
    addresses.flatMap((bytes) => [word(bytes, 0), word(bytes, 4), word(bytes, 8), word(bytes, 12)]),
  );
}

/**
 * The path in `table` of a packet of which `length` bytes from the network header on lie at `offset`. -1 for what is
 * not a path's: strangers, what is not IP, multicast and broadcast (whatever is not sent to one of the endpoint's `own`
 * addresses), and neighbour discovery. A fragment is like any other packet.
 */
export function pathOf(
  table: PathTable,
  own: Uint32Array,
  data: Uint8Array,
  offset: number,
  length: number,
): number {
  if (length < IPV4_HEADER) return -1;
  const version = data[offset]! >> 4;
  if (version === 4) {
    if (!isOwn(own, 0, 0, IPV4_MAPPED, word(data, offset + 16))) return -1;
    return table.find(0, 0, IPV4_MAPPED, word(data, offset + 12));
  }
  if (version !== 6 || length < IPV6_HEADER) return -1;
  if (length > IPV6_HEADER && data[offset + 6] === ICMPV6 && isDiscovery(data[offset + IPV6_HEADER]!))
    return -1;
  const to = offset + 24;
  if (!isOwn(own, word(data, to), word(data, to + 4), word(data, to + 8), word(data, to + 12))) return -1;
  const from = offset + 8;
  return table.find(word(data, from), word(data, from + 4), word(data, from + 8), word(data, from + 12));
}

function isDiscovery(type: number): boolean {
  return type >= DISCOVERY_FIRST && type <= DISCOVERY_LAST;
}

/** An endpoint has two addresses or so: looking at each is faster than a hash. */
function isOwn(own: Uint32Array, a: number, b: number, c: number, d: number): boolean {
  for (let i = 0; i < own.length; i += 4) {
    if (own[i + 3] === d && own[i + 2] === c && own[i + 1] === b && own[i] === a) return true;
  }
  return false;
}

function word(data: Uint8Array, at: number): number {
  return ((data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!) >>> 0;
}
