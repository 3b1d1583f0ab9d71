/** Addresses as the kernel sees them: 16 bytes, IPv4 as ::ffff:a.b.c.d (bpf/layout.h). */
import { isIP, SocketAddress } from 'node:net';

export const ADDRESS_BYTES = 16;

/** Every change of an endpoint's paths looks its addresses up; 3 MB. */
const REMEMBERED = 16_384;
const remembered = new Map<string, Uint8Array>();

/**
 * The 16 bytes of an IPv4 or IPv6 address in text. The result is cached and must not be written to. Throws `TypeError` for other
 * text.
 */
export function addressBytes(text: string): Uint8Array {
  const known = remembered.get(text);
  if (known) return known;
  const bytes = parse(text);
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(text, bytes);
  return bytes;
}

function parse(text: string): Uint8Array {
  const family = isIP(text);
  if (family === 0) throw new TypeError(`"${text}" is not an IP address`);
  const bytes = new Uint8Array(ADDRESS_BYTES);
  if (family === 4) {
    bytes[10] = bytes[11] = 0xff;
    text.split('.').forEach((part, index) => {
      bytes[12 + index] = Number(part);
    });
    return bytes;
  }
  expandIpv6(text).forEach((group, index) => {
    bytes[index * 2] = group >> 8;
    bytes[index * 2 + 1] = group & 0xff;
  });
  return bytes;
}

/** The family's own bytes: 4 or 16. */
export function familyBytes(text: string): Uint8Array {
  const bytes = addressBytes(text);
  return isIP(text) === 4 ? bytes.subarray(12) : bytes;
}

/** The text of 4 or 16 bytes, in its usual spelling (RFC 5952). */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((bytes[2 * index]! << 8) | bytes[2 * index + 1]!).toString(16),
  );
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

/** Eight groups. Node normalises the text first: lower case, and embedded IPv4 in one form only. */
function expandIpv6(text: string): number[] {
  const normal = new SocketAddress({ address: text, family: 'ipv6' }).address;
  const plain = normal.includes('.') ? embeddedIpv4ToGroups(normal) : normal;
  const [head = '', tail] = plain.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  return [...left, ...new Array(8 - left.length - right.length).fill(0), ...right];
}

function embeddedIpv4ToGroups(text: string): string {
  const cut = text.lastIndexOf(':') + 1;
  const [a = 0, b = 0, c = 0, d = 0] = text.slice(cut).split('.').map(Number);
  return `${text.slice(0, cut)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** A text that names the same 16 bytes in any spelling, for use as a key. */
export function addressKey(bytes: Uint8Array, offset = 0): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, ADDRESS_BYTES).toString('latin1');
}
