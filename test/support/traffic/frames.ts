/** Frames as an application with a raw socket makes them: whatever headers it likes. */
import { addressBytes } from '../../../agent/kernel/netlink/addresses.ts';

export const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100, stacked: 0x88a8 } as const;
export const PROTOCOL = { udp: 17, ipip: 4, icmp6: 58, options6: 60, fragment6: 44 } as const;
const PAYLOAD = Buffer.alloc(1200, 'x');

export interface Ends {
  readonly from: string;
  readonly to: string;
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index);
  return bytes;
}

/** Without a checksum, which IPv4 allows. Port 9 discards. */
export const datagram = (payload = PAYLOAD): Buffer =>
  Buffer.concat([words(9, 9, 8 + payload.length, 0), payload]);

interface Header4 {
  readonly protocol?: number;
  /** A multiple of four bytes. */
  readonly options?: Buffer;
  /** Offset of the fragment, in units of eight bytes. */
  readonly fragment?: number;
}

export function packet4({ from, to }: Ends, body = datagram(), header: Header4 = {}): Buffer {
  const { protocol = PROTOCOL.udp, options = Buffer.alloc(0), fragment = 0 } = header;
  const length = 20 + options.length;
  const first = 0x4000 | ((length / 4) << 8);
  const start = Buffer.concat([
    words(first, length + body.length, 1, fragment, (64 << 8) | protocol, 0),
    ...[from, to].map((address) => Buffer.from(addressBytes(address)).subarray(-4)),
    options,
  ]);
  start.writeUInt16BE(checksum(start), 10);
  return Buffer.concat([start, body]);
}

/** RFC 1071 */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function packet6(
  { from, to }: Ends,
  body = datagram(),
  { protocol = PROTOCOL.udp, hops = 64 }: { readonly protocol?: number; readonly hops?: number } = {},
): Buffer {
  const ends = [from, to].map((address) => Buffer.from(addressBytes(address)));
  return Buffer.concat([words(0x6000, 0, body.length, (protocol << 8) | hops), ...ends, body]);
}

/** An extension header of eight bytes before a datagram: its first byte names what follows. */
export const extended = (rest: readonly number[]): Buffer =>
  Buffer.concat([Buffer.from([PROTOCOL.udp, ...rest]), datagram()]);

/** A message of ICMPv6 with far more than neighbour discovery has. */
export const longMessage = (type: number): Buffer => Buffer.concat([Buffer.from([type, 0, 0, 0]), PAYLOAD]);

/** `tags`: ethertype and number of each VLAN tag, the outer one first. */
export function frame(
  macs: { readonly to: string; readonly from: string },
  ethertype: number,
  packet: Buffer,
  tags: readonly (readonly [number, number])[] = [],
): Buffer {
  const mac = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
  const tagged = tags.map(([kind, number]) => words(kind, number));
  return Buffer.concat([mac(macs.to), mac(macs.from), ...tagged, words(ethertype), packet]);
}
