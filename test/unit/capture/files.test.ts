/** Files of packets: as the format says, several of them, read again, and their indexes. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CaptureWriter, FileSink } from '../../../controller/capture/capture-files.ts';
import type { WrittenPacket } from '../../../controller/capture/format/pcapng.ts';
import { readPackets } from '../../../controller/capture/format/read-pcapng.ts';
import { exportCaptureIndexes, indexOf } from '../../../controller/record/export/captures.ts';
import { fromSeconds } from '../../../proto/units.ts';
import { A4, B4, udpFrame } from '../../support/frames.ts';
import { readPcapng } from '../../support/pcapng.ts';
import { makeRecord } from '../../support/records.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-capture-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Of makeRecord. */
const BEGAN = Date.parse('2026-01-01T00:00:00.000Z');
const HEAD = {
  program: 'netfold 1',
  comment: 'a test',
  interfaces: [
    { name: 'a.0', description: 'one end', filter: 'udp' },
    { name: 'b.0', description: 'the other' },
  ],
};

const packet = (second: number, more: Partial<WrittenPacket> = {}): WrittenPacket => {
  const bytes = udpFrame({ source: A4, destination: B4, payload: 'x'.repeat(second % 5) });
  return {
    ...{ interface: 0, at: fromSeconds(BEGAN / 1e3 + second), bytes, length: bytes.length, isOutgoing: true },
    ...more,
  };
};

function write(file: string, packets: readonly WrittenPacket[], limits = {}): string[] {
  const sink = new FileSink(file, limits);
  const writer = new CaptureWriter(sink, HEAD, limits);
  for (const one of packets) writer.write(one);
  writer.close(fromSeconds(1), [
    { received: packets.length, dropped: 0 },
    { received: 3, dropped: 2 },
  ]);
  return sink.files;
}

describe('a file', () => {
  it('is pcapng, with names, times, directions and comments', () => {
    const file = join(folder, 'one.pcapng');
    const comments = ['', 'ä', 'abc', 'abcd'];
    const packets = comments.map((comment, index) =>
      packet(index + 0.25, { comment, interface: index % 2, isOutgoing: index % 2 === 0, length: 9000 }),
    );
    expect(write(file, [...packets, packet(9)])).toEqual([file]);
    const read = readPcapng(file);
    expect(read).toMatchObject({
      comment: 'a test',
      interfaces: [
        { name: 'a.0', filter: 'udp' },
        { name: 'b.0', filter: undefined },
      ],
      statistics: [
        { received: 5n, dropped: 0n },
        { received: 3n, dropped: 2n },
      ],
    });
    expect(read.packets.map(({ comment, direction }) => [comment, direction])).toEqual([
      ...[
        ['', 'out'],
        ['ä', 'in'],
        ['abc', 'out'],
        ['abcd', 'in'],
      ],
      [undefined, 'out'],
    ]);
    expect(read.packets.map(({ seconds }) => seconds - BEGAN / 1e3)).toEqual([0.25, 1.25, 2.25, 3.25, 9]);
    expect(read.packets[3]!.bytes).toEqual(packets[3]!.bytes);
    expect(read.packets[3]!.length).toBe(9000);

    const own = [...readPackets(file)];
    expect(own.map(({ interface: name, isOutgoing, comment }) => [name, isOutgoing, comment])).toEqual(
      read.packets.map((one) => [one.interface, one.direction === 'out', one.comment]),
    );
    expect(own[3]!.bytes).toEqual(packets[3]!.bytes);
    expect(own.map(({ offset }) => readFileSync(file).readUInt32LE(offset))).toEqual([6, 6, 6, 6, 6]);
  });

  it('that was cut off is read to its last whole packet, and what is none is refused', () => {
    const file = join(folder, 'one.pcapng');
    write(file, [packet(0), packet(1)]);
    const offsets = [...readPackets(file)].map(({ offset }) => offset);
    truncateSync(file, offsets[1]! + 20);
    expect([...readPackets(file)]).toHaveLength(1);
    truncateSync(file, offsets[1]!);
    appendFileSync(file, Buffer.alloc(40, 0xff));
    const refused = expect.objectContaining({ code: 'RECORD_UNREADABLE' });
    expect(() => [...readPackets(file)]).toThrow(refused);
    writeFileSync(file, 'no packets, but text of some length');
    expect(() => [...readPackets(file)]).toThrow(refused);
  });
});

it('of several files the last ones are kept, each whole in itself', () => {
  const packets = Array.from({ length: 40 }, (_, second) => packet(second));
  const files = write(join(folder, 'ring.pcapng'), packets, { size: 1000, files: 2 });
  expect(files.map((file) => basename(file))).toHaveLength(2);
  expect(files.every((file) => /ring-0000\d\.pcapng$/.test(file))).toBe(true);
  const seconds = files.flatMap((file) => readPcapng(file).packets.map((one) => one.seconds));
  expect(seconds.at(-1)! - BEGAN / 1e3).toBe(39);
  expect(seconds.length).toBeGreaterThan(5);
  expect(seconds.length).toBeLessThan(25);
});

describe('indexes', () => {
  it('say where flows and seconds begin', () => {
    const file = join(folder, 'one.pcapng');
    const other = Buffer.alloc(60);
    write(file, [
      packet(0.5, { comment: 'delivered at b.0 after 1ms' }),
      packet(1.5, { comment: 'lost: not at the interface of b.0 within 3s' }),
      packet(1.75, { interface: 1, bytes: other, length: 60 }),
    ]);
    const offsets = [...readPackets(file)].map(({ offset }) => offset);
    const { flows, seconds } = indexOf(readPackets(file), () => BEGAN);
    const length = 2 * 42 + 1;
    expect(flows).toEqual([
      ['a.0', 'udp', '10.0.0.1', 1000, '10.0.0.2', 2000, 2, length, 1, 500, 1500, offsets[0], offsets[1]],
      ['b.0', 'other', '', 0, '', 0, 1, 60, 0, 1750, 1750, offsets[2], offsets[2]],
    ]);
    expect(seconds).toEqual([
      [0, offsets[0], 1, 42],
      [1, offsets[1], 2, 103],
    ]);
  });

  it('of a record are files beside its tables; of one without packets there are none', async () => {
    const record = await makeRecord(join(folder, 'lab@1'));
    expect(exportCaptureIndexes(record, folder)).toEqual([]);
    mkdirSync(join(record, 'captures'));
    write(join(record, 'captures', 'a.pcapng'), [packet(2)]);
    const files = exportCaptureIndexes(record, folder);
    expect(files.map(({ file, rows }) => [basename(file), rows])).toEqual([
      ['capture_flow.csv', 1],
      ['capture_second.csv', 1],
    ]);
    const [heading, row] = readFileSync(files[0]!.file, 'utf8').split('\r\n');
    expect(heading).toMatch(/^file,interface,protocol,source,source_port,destination,/);
    expect(row).toMatch(/^a\.pcapng,a\.0,udp,10\.0\.0\.1,1000,10\.0\.0\.2,2000,1,44,0,2000,2000,\d+,\d+$/);
  });
});
