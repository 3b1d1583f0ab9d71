/**
 * What a frame or a packet says of itself, and a key of what no link or host on its way changes: by it, the same packet is known again at
 * another place. Pure.
 */

/** Of Ethernet (RFC 894, RFC 2464). */
export const ETHERNET_BYTES = 14;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;

/** Of what is behind the header of IP, so many bytes are part of the key: headers of transport, and what tells packets of UDP and ICMP apart. */
const KEY_BYTES = 96;

export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58, sctp: 132 } as const;
/** Where their checksums are: a sender leaves them to its card, and a receiver sees them as they were. */
const CHECKSUMS: Readonly<Record<number, readonly [at: number, bytes: number]>> = {
  [PROTOCOL.icmp]: [2, 2],
  [PROTOCOL.tcp]: [16, 2],
  [PROTOCOL.udp]: [6, 2],
  [PROTOCOL.icmp6]: [2, 2],
  [PROTOCOL.sctp]: [8, 4],
};
/** Those that stacks are watched for (agent/kernel/capture/delivered-packets.ts). */
export const WATCHED: ReadonlySet<number> = new Set([
  PROTOCOL.icmp,
  PROTOCOL.tcp,
  PROTOCOL.udp,
  PROTOCOL.icmp6,
]);
const WITH_PORTS: ReadonlySet<number> = new Set([PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp]);

/** Larger ones are trains of TCP segments or datagrams, which the kernel handles as one as long as it can (GSO). */
export const LONGEST_PACKET = 1500;

export interface Packet {
  readonly version: 4 | 6;
  /** As text, in the form of `addressText`. */
  readonly source: string;
  readonly destination: string;
  /** Number of IANA. */
  readonly protocol: number;
  /** Of protocols that have them, if they are there; otherwise 0. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** With the header of IP, as the header says. */
  readonly length: number;
  /** A part of a larger one: who receives it sees the whole. */
  readonly isFragment: boolean;
  readonly key: string;
}

/** Of a frame of Ethernet; `undefined`: it is none of IP, or is cut off too early. */
export function parseFrame(frame: Uint8Array): Packet | undefined {
  if (frame.length < ETHERNET_BYTES) return undefined;
  const type = (frame[12]! << 8) | frame[13]!;
  const packet = frame.subarray(ETHERNET_BYTES);
  if (type === IPV4) return parseIpv4(packet);
  return type === IPV6 ? parseIpv6(packet) : undefined;
}

/** RFC 791. */
export function parseIpv4(packet: Uint8Array): Packet | undefined {
  const headerBytes = 4 * (packet[0]! & 0xf);
  if (packet.length < 20 || packet[0]! >> 4 !== 4 || headerBytes < 20 || packet.length < headerBytes)
    return undefined;
  const word = (at: number): number => (packet[at]! << 8) | packet[at + 1]!;
  const length = word(2);
  const protocol = packet[9]!;
  // More fragments, or a place in the whole.
  const isFragment = (word(6) & 0x3fff) !== 0;
  const above = packet.subarray(headerBytes, Math.max(headerBytes, length));
  const hash = new Hash();
  for (const at of [2, 3, 4, 5]) hash.add(packet[at]!);
  hash.addAll(packet.subarray(12, 16));
  return {
    ...{ version: 4, protocol, length, isFragment },
    source: addressText(packet.subarray(12, 16)),
    destination: addressText(packet.subarray(16, 20)),
    ...ports(protocol, above, isFragment),
    key: keyOf(hash, protocol, above),
  };
}

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION = 60;

/** RFC 8200. */
export function parseIpv6(packet: Uint8Array): Packet | undefined {
  if (packet.length < 40 || packet[0]! >> 4 !== 6) return undefined;
  const length = 40 + ((packet[4]! << 8) | packet[5]!);
  let protocol = packet[6]!;
  let at = 40;
  let isFragment = false;
  while ([HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION].includes(protocol) && at + 8 <= packet.length) {
    isFragment ||= protocol === FRAGMENT;
    // Of a fragment's header the second byte is reserved, and it has 8.
    const bytes = protocol === FRAGMENT ? 8 : (packet[at + 1]! + 1) << 3;
    protocol = packet[at]!;
    at += bytes;
  }
  const above = packet.subarray(at, Math.max(at, length));
  return {
    ...{ version: 6, protocol, length, isFragment },
    source: addressText(packet.subarray(8, 24)),
    destination: addressText(packet.subarray(24, 40)),
    ...ports(protocol, above, isFragment),
    key: keyOf6(packet.subarray(8, 24), protocol, above),
  };
}

/** The key of a packet of IPv6 of which its header is not there. */
export function keyOf6(sender: Uint8Array, protocol: number, above: Uint8Array): string {
  const hash = new Hash();
  hash.addAll(sender);
  return keyOf(hash, protocol, above);
}

function keyOf(hash: Hash, protocol: number, above: Uint8Array): string {
  hash.add(protocol);
  const [from, bytes] = CHECKSUMS[protocol] ?? [0, 0];
  const most = Math.min(above.length, KEY_BYTES);
  for (let at = 0; at < most; at++) if (at < from || at >= from + bytes) hash.add(above[at]!);
  return hash.text;
}

function ports(
  protocol: number,
  above: Uint8Array,
  isFragment: boolean,
): Pick<Packet, 'sourcePort' | 'destinationPort'> {
  if (!WITH_PORTS.has(protocol) || above.length < 4 || isFragment)
    return { sourcePort: 0, destinationPort: 0 };
  return {
    sourcePort: (above[0]! << 8) | above[1]!,
    destinationPort: (above[2]! << 8) | above[3]!,
  };
}

/** 4 bytes or 16, as text that is the same for the same address, and that users know for IPv4. */
export function addressText(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const words = Array.from({ length: 8 }, (_, index) => (address[2 * index]! << 8) | address[2 * index + 1]!);
  return words.map((word) => word.toString(16)).join(':');
}

/** Two hashes of FNV-1a with 32 bits (Fowler, Noll, Vo), of which the second begins elsewhere: packets that differ have the same once in 10¹⁹. */
class Hash {
  #a = 0x811c9dc5;
  #b = 0x2166f0a5;

  add(byte: number): void {
    this.#a = Math.imul(this.#a ^ byte, 0x01000193);
    this.#b = Math.imul(this.#b ^ byte, 0x01000193) ^ (this.#b >>> 15);
  }

  addAll(bytes: Uint8Array): void {
    for (const byte of bytes) this.add(byte);
  }

  get text(): string {
    return `${(this.#a >>> 0).toString(36)}.${(this.#b >>> 0).toString(36)}`;
  }
}
