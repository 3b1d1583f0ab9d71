/** Which frames a segment carries to all of its endpoints. Pure. */

const ETHERTYPE_AT = 12;
const HEADER_AT = 14;
export const IPV4 = 0x0800;
export const IPV6 = 0x86dd;
const IPV6_HEADER = 40;
const HOP_BY_HOP = 0;
/** Its header says how many more of them follow the first. */
const OPTIONS_UNIT_BYTES = 8;
const IGMP = 2;
const ICMPV6 = 58;
/** Queries, reports and leaving of groups (RFC 2710, RFC 3810). */
const LISTENERS: readonly number[] = [130, 131, 132, 143];
/** Solicitations, advertisements and redirects of routers and neighbours (RFC 4861). */
const DISCOVERY = { first: 133, last: 137 } as const;

/** `frame`: from the Ethernet header on. */
export function ethertypeOf(frame: Uint8Array): number {
  return frame.length < HEADER_AT ? 0 : (frame[ETHERTYPE_AT]! << 8) | frame[ETHERTYPE_AT + 1]!;
}

/**
 * Whether a frame to a group is a packet of an application. Groups need no reports, since all get everything; neighbours and
 * routers are known. Every endpoint sends some reports when it starts: among thousands they would be millions.
 */
export function isApplications(frame: Uint8Array): boolean {
  const ethertype = ethertypeOf(frame);
  if (ethertype === IPV4) return frame.length >= HEADER_AT + 20 && frame[HEADER_AT + 9] !== IGMP;
  if (ethertype !== IPV6 || frame.length < HEADER_AT + IPV6_HEADER) return false;
  let next = frame[HEADER_AT + 6]!;
  let at = HEADER_AT + IPV6_HEADER;
  if (next === HOP_BY_HOP) {
    next = frame[at] ?? ICMPV6;
    at += ((frame[at + 1] ?? 0) + 1) * OPTIONS_UNIT_BYTES;
  }
  if (next !== ICMPV6) return true;
  const type = frame[at] ?? LISTENERS[0]!;
  return !LISTENERS.includes(type) && (type < DISCOVERY.first || type > DISCOVERY.last);
}
