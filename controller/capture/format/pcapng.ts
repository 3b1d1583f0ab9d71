/**
 * pcapng, as Wireshark reads it: blocks as bytes, little-endian. Pure.
 * https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/
 */
import type { Micros } from '../../../proto/units.ts';

export const BLOCK_TYPE = { section: 0x0a0d0d0a, interface: 1, statistics: 5, packet: 6 } as const;
export const BYTE_ORDER = 0x1a2b3c4d;
export const LINK_ETHERNET = 1;
export const OPTION = { end: 0, comment: 1 } as const;
export const SECTION_OPTION = { program: 4 } as const;
export const INTERFACE_OPTION = { name: 2, description: 3, filter: 11 } as const;
export const PACKET_OPTION = { flags: 2 } as const;
export const STATISTICS_OPTION = { received: 4, dropped: 5 } as const;
const INBOUND = 1;
const OUTBOUND = 2;
/** Options have 16 bits for their length. */
const LONGEST_OPTION = 0xffff;

type Option = readonly [code: number, value: Uint8Array];

const padded = (bytes: number): number => (bytes + 3) & ~3;

const text = (code: number, value: string): Option => [code, Buffer.from(value).subarray(0, LONGEST_OPTION)];

function block(type: number, body: Buffer, options: readonly Option[]): Buffer {
  const optionBytes = options.reduce((sum, [, value]) => sum + 4 + padded(value.length), 0);
  const end = options.length === 0 ? 0 : 4;
  const total = 12 + padded(body.length) + optionBytes + end;
  const bytes = Buffer.alloc(total);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(total, 4);
  body.copy(bytes, 8);
  let at = 8 + padded(body.length);
  for (const [code, value] of options) {
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt16LE(value.length, at + 2);
    bytes.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  bytes.writeUInt32LE(total, total - 4);
  return bytes;
}

/** The first block of a file. */
export function sectionBlock(program: string, comment: string): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER, 0);
  body.writeUInt16LE(1, 4);
  // Its length is not known before.
  body.writeBigInt64LE(-1n, 8);
  return block(BLOCK_TYPE.section, body, [
    text(OPTION.comment, comment),
    text(SECTION_OPTION.program, program),
  ]);
}

export interface CapturedInterface {
  readonly name: string;
  readonly description: string;
  readonly filter?: string;
}

/** Interfaces are numbered from 0 in their order. Times are microseconds. */
export function interfaceBlock({ name, description, filter }: CapturedInterface, mostBytes: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINK_ETHERNET, 0);
  body.writeUInt32LE(mostBytes, 4);
  // The first byte says that the filter is text.
  const filters = filter === undefined ? [] : [text(INTERFACE_OPTION.filter, `\0${filter}`)];
  return block(BLOCK_TYPE.interface, body, [
    text(INTERFACE_OPTION.name, name),
    text(INTERFACE_OPTION.description, description),
    ...filters,
  ]);
}

export interface WrittenPacket {
  readonly interface: number;
  readonly at: Micros;
  readonly bytes: Uint8Array;
  /** Of the whole frame. */
  readonly length: number;
  readonly isOutgoing: boolean;
  readonly comment?: string | undefined;
}

export function packetBlock(packet: WrittenPacket): Buffer {
  const body = Buffer.alloc(20 + padded(packet.bytes.length));
  body.writeUInt32LE(packet.interface, 0);
  writeTime(body, 4, packet.at);
  body.writeUInt32LE(packet.bytes.length, 12);
  body.writeUInt32LE(packet.length, 16);
  body.set(packet.bytes, 20);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(packet.isOutgoing ? OUTBOUND : INBOUND);
  return block(BLOCK_TYPE.packet, body, [
    ...(packet.comment === undefined ? [] : [text(OPTION.comment, packet.comment)]),
    [PACKET_OPTION.flags, flags],
  ]);
}

/** How many frames an interface had, and how many of them had no room. */
export function statisticsBlock(
  number: number,
  at: Micros,
  { received, dropped }: { readonly received: number; readonly dropped: number },
): Buffer {
  const body = Buffer.alloc(12);
  body.writeUInt32LE(number, 0);
  writeTime(body, 4, at);
  const counter = (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  };
  return block(BLOCK_TYPE.statistics, body, [
    [STATISTICS_OPTION.received, counter(received)],
    [STATISTICS_OPTION.dropped, counter(dropped)],
  ]);
}

const WORD = 2 ** 32;

/** Two words, the upper first. */
function writeTime(bytes: Buffer, at: number, time: Micros): void {
  const whole = Math.floor(time);
  bytes.writeUInt32LE(Math.floor(whole / WORD), at);
  bytes.writeUInt32LE(whole % WORD, at + 4);
}
