/**
 * A strict reader of pcapng, apart from netfold's own, after draft-ietf-opsawg-pcapng: what breaks a rule of the format throws. Section,
 * interface, packet and statistics blocks alone.
 */
import { readFileSync } from 'node:fs';

export interface PcapngPacket {
  readonly interface: string;
  readonly seconds: number;
  readonly bytes: Buffer;
  readonly length: number;
  readonly direction: 'in' | 'out' | undefined;
  readonly comment: string | undefined;
}

export interface Pcapng {
  readonly comment: string | undefined;
  readonly interfaces: readonly { readonly name: string; readonly filter: string | undefined }[];
  readonly packets: readonly PcapngPacket[];
  /** By interface: `isb_ifrecv` and `isb_ifdrop`. */
  readonly statistics: readonly { readonly received: bigint; readonly dropped: bigint }[];
}

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`no pcapng: ${what}`);
}

function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  if (bytes.length === 0) return options;
  let at = 0;
  for (;;) {
    must(at + 4 <= bytes.length, 'options end without opt_endofopt');
    const code = bytes.readUInt16LE(at);
    const length = bytes.readUInt16LE(at + 2);
    if (code === 0) {
      must(length === 0 && at + 4 === bytes.length, 'opt_endofopt is not the end');
      return options;
    }
    must(at + 4 + length <= bytes.length, 'an option is longer than its block');
    options.set(code, bytes.subarray(at + 4, at + 4 + length));
    const padding = bytes.subarray(at + 4 + length, at + 4 + Math.ceil(length / 4) * 4);
    must(
      padding.every((byte) => byte === 0),
      'padding is not zero',
    );
    at += 4 + Math.ceil(length / 4) * 4;
  }
}

export function readPcapng(file: string): Pcapng {
  const bytes = readFileSync(file);
  const interfaces: { name: string; filter: string | undefined }[] = [];
  const packets: PcapngPacket[] = [];
  const statistics: { received: bigint; dropped: bigint }[] = [];
  let comment: string | undefined;
  for (let at = 0; at < bytes.length; ) {
    must(at + 12 <= bytes.length, `a block of less than 12 bytes at ${at}`);
    const type = bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    must(length % 4 === 0 && length >= 12 && at + length <= bytes.length, `length ${length} at ${at}`);
    must(bytes.readUInt32LE(at + length - 4) === length, `both lengths differ at ${at}`);
    const body = bytes.subarray(at + 8, at + length - 4);
    must((at === 0) === (type === 0x0a0d0d0a), 'one section, at the beginning');
    if (type === 0x0a0d0d0a) {
      must(body.readUInt32LE(0) === 0x1a2b3c4d, 'byte order');
      must(body.readUInt16LE(4) === 1 && body.readUInt16LE(6) === 0, 'version');
      must(body.readBigInt64LE(8) === -1n, 'length of the section');
      comment = optionsOf(body.subarray(16)).get(1)?.toString();
    } else if (type === 1) {
      must(body.readUInt16LE(0) === 1 && body.readUInt16LE(2) === 0, 'Ethernet');
      const options = optionsOf(body.subarray(8));
      must(!options.has(9), 'times are microseconds');
      const filter = options.get(11);
      must(filter === undefined || filter[0] === 0, 'a filter as text');
      interfaces.push({ name: options.get(2)!.toString(), filter: filter?.subarray(1).toString() });
    } else if (type === 6) packets.push(packetOf(body, interfaces));
    else if (type === 5) {
      must(body.readUInt32LE(0) === statistics.length, 'statistics in the order of interfaces');
      const options = optionsOf(body.subarray(12));
      statistics.push({
        received: options.get(4)!.readBigUInt64LE(0),
        dropped: options.get(5)!.readBigUInt64LE(0),
      });
    } else must(false, `block type ${type}`);
    at += length;
  }
  return { comment, interfaces, packets, statistics };
}

function packetOf(body: Buffer, interfaces: readonly { name: string }[]): PcapngPacket {
  const captured = body.readUInt32LE(12);
  const found = interfaces[body.readUInt32LE(0)];
  must(found !== undefined, 'an interface that was not described before');
  const options = optionsOf(body.subarray(20 + Math.ceil(captured / 4) * 4));
  const flags = options.get(2)?.readUInt32LE(0);
  return {
    interface: found.name,
    seconds: (body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8)) / 1e6,
    bytes: body.subarray(20, 20 + captured),
    length: body.readUInt32LE(16),
    direction:
      flags === undefined ? undefined : (flags & 3) === 1 ? 'in' : (flags & 3) === 2 ? 'out' : undefined,
    comment: options.get(1)?.toString(),
  };
}
