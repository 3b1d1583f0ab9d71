/** Reads files of pcapng block by block, as netfold writes them: one section, little-endian, microseconds. */
import { closeSync, openSync, readSync } from 'node:fs';
import { type Micros, micros } from '../../../proto/units.ts';
import { ControllerError } from '../../errors.ts';
import {
  BLOCK_TYPE,
  BYTE_ORDER,
  INTERFACE_OPTION,
  OPTION,
  PACKET_OPTION,
  STATISTICS_OPTION,
} from './pcapng.ts';

/** A packet of 256 KiB with its options is far below. */
const LONGEST_BLOCK = 1 << 22;
const PIECE = 1 << 20;
const WORD = 2 ** 32;

export interface ReadPacket {
  /** Name of its interface. */
  readonly interface: string;
  /** Of its block in the file, in bytes. */
  readonly offset: number;
  readonly at: Micros;
  readonly bytes: Buffer;
  readonly length: number;
  readonly isOutgoing: boolean;
  readonly comment: string | undefined;
}

/** All packets, in their order. A file that was cut off ends with its last whole block. Throws `ControllerError` (`RECORD_UNREADABLE`) and system errors. */
export function* readPackets(path: string): Generator<ReadPacket> {
  const interfaces: string[] = [];
  for (const { type, offset, body } of blocksOf(path)) {
    if (type === BLOCK_TYPE.interface) interfaces.push(nameOf(body, interfaces.length));
    if (type !== BLOCK_TYPE.packet || body.length < 20) continue;
    const captured = body.readUInt32LE(12);
    const name = interfaces[body.readUInt32LE(0)];
    if (name === undefined || captured > body.length - 20)
      throw damaged(path, `its block at ${offset} has no interface, or is shorter than its packet`);
    const options = optionsIn(body.subarray(20 + ((captured + 3) & ~3)));
    const flags = options.get(PACKET_OPTION.flags);
    yield {
      ...{ interface: name, offset },
      at: timeIn(body),
      bytes: body.subarray(20, 20 + captured),
      length: body.readUInt32LE(16),
      isOutgoing: flags !== undefined && flags.length === 4 && (flags[0]! & 3) === 2,
      comment: options.get(OPTION.comment)?.toString(),
    };
  }
}

/** Two words behind the number of the interface, the upper first. */
const timeIn = (body: Buffer): Micros => micros(body.readUInt32LE(4) * WORD + body.readUInt32LE(8));

export interface SurveyedInterface {
  readonly name: string;
  readonly description: string | undefined;
  readonly filter: string | undefined;
  /** Of its first packet and its last; `undefined`: it has none. */
  firstAt: Micros | undefined;
  lastAt: Micros | undefined;
  /** Packets that came, and of these those that had no room. */
  received: number;
  dropped: number;
}

/** What a file is of: all of it is read. Throws like `readPackets`. */
export function surveyOf(path: string): SurveyedInterface[] {
  const interfaces: SurveyedInterface[] = [];
  for (const { type, body } of blocksOf(path)) {
    if (type === BLOCK_TYPE.interface) interfaces.push(surveyed(body, interfaces.length));
    if (![BLOCK_TYPE.packet, BLOCK_TYPE.statistics].includes(type as never) || body.length < 12) continue;
    const found = interfaces[body.readUInt32LE(0)];
    if (!found) continue;
    if (type === BLOCK_TYPE.packet) {
      found.lastAt = timeIn(body);
      found.firstAt ??= found.lastAt;
      continue;
    }
    const options = optionsIn(body.subarray(12));
    found.received = counterOf(options.get(STATISTICS_OPTION.received));
    found.dropped = counterOf(options.get(STATISTICS_OPTION.dropped));
  }
  return interfaces;
}

const counterOf = (value: Buffer | undefined): number =>
  value?.length === 8 ? Number(value.readBigUInt64LE()) : 0;

function surveyed(body: Buffer, number: number): SurveyedInterface {
  const options = optionsIn(body.subarray(8));
  return {
    name: nameOf(body, number),
    description: options.get(INTERFACE_OPTION.description)?.toString(),
    // The first byte says that it is text.
    filter: options.get(INTERFACE_OPTION.filter)?.subarray(1).toString(),
    ...{ firstAt: undefined, lastAt: undefined, received: 0, dropped: 0 },
  };
}

const nameOf = (body: Buffer, number: number): string =>
  optionsIn(body.subarray(8)).get(INTERFACE_OPTION.name)?.toString() ?? `interface ${number}`;

/** The first of each code. */
function optionsIn(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const code = bytes.readUInt16LE(at);
    const length = bytes.readUInt16LE(at + 2);
    if (code === OPTION.end || at + 4 + length > bytes.length) break;
    if (!options.has(code)) options.set(code, bytes.subarray(at + 4, at + 4 + length));
    at += 4 + ((length + 3) & ~3);
  }
  return options;
}

interface Block {
  readonly type: number;
  readonly offset: number;
  /** Without type and lengths. */
  readonly body: Buffer;
}

function* blocksOf(path: string): Generator<Block> {
  const file = openSync(path, 'r');
  try {
    let held = Buffer.alloc(0);
    let offset = 0;
    const fill = (bytes: number): boolean => {
      while (held.length < bytes) {
        const piece = Buffer.alloc(PIECE);
        const read = readSync(file, piece);
        if (read === 0) return false;
        held = Buffer.concat([held, piece.subarray(0, read)]);
      }
      return true;
    };
    while (fill(12)) {
      const type = held.readUInt32LE(0);
      const length = held.readUInt32LE(4);
      if (offset === 0 && (type !== BLOCK_TYPE.section || held.readUInt32LE(8) !== BYTE_ORDER))
        throw damaged(path, 'it is no pcapng, or of another byte order');
      if (length < 12 || length > LONGEST_BLOCK || length % 4 !== 0)
        throw damaged(path, `its block at ${offset} has ${length} bytes`);
      if (!fill(length)) return;
      yield { type, offset, body: held.subarray(8, length - 4) };
      held = held.subarray(length);
      offset += length;
    }
  } finally {
    closeSync(file);
  }
}

const damaged = (path: string, why: string): ControllerError =>
  new ControllerError(
    'RECORD_UNREADABLE',
    `${path} can't be read: ${why}`,
    'see what it is: capinfos, or file',
  );
