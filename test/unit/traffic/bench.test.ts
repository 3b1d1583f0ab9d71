import { describe, expect, it } from 'vitest';
import { HEAD_BYTES, writeHead } from '../../../agent/traffic/datagram.ts';
import { timetableOf } from '../../../agent/traffic/packet-times.ts';
import { apart, burstsOf, DISTRIBUTIONS, distance } from '../../../bench/traffic/bursts.ts';
import { parsePcap } from '../../../bench/traffic/capture.ts';
import { EACH, INTERVAL_MS, SOURCES, seededText, steadyText } from '../../../bench/traffic/labs.ts';
import { micros, toMillis } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';

function pcapOf(packets: readonly { source: number; atMs: number; bytes: number }[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b23c4d, 0);
  const records = packets.map(({ source, atMs, bytes }) => {
    const record = Buffer.alloc(16 + 42 + HEAD_BYTES);
    record.writeUInt32LE(Math.floor(atMs / 1000), 0);
    record.writeUInt32LE(Math.round((atMs % 1000) * 1e6), 4);
    record.writeUInt32LE(42 + HEAD_BYTES, 8);
    record.writeUInt32LE(42 + bytes, 12);
    writeHead(new DataView(record.buffer, record.byteOffset, record.length), 58, source, atMs);
    return record;
  });
  return Buffer.concat([head, ...records]);
}

describe('the traffic bench', () => {
  it('reads what left from a capture', () => {
    const sent = [
      { source: 3, atMs: 1_767_225_600_123.25, bytes: 958 },
      { source: 7, atMs: 1_767_225_600_124.5, bytes: 100 },
    ];
    expect(parsePcap(pcapOf(sent))).toEqual(sent);
    // The last record may be half written.
    expect(parsePcap(pcapOf(sent).subarray(0, -3))).toEqual(sent.slice(0, 1));
    expect(() => parsePcap(Buffer.alloc(40))).toThrow('no capture');
  });

  it('finds bursts and pauses as they were drawn', () => {
    const { traffic } = loadTopology(seededText(), 'lab.yaml').topology;
    const { start: _, stop: _stop, rate = 0, ...rest } = traffic![0]!;
    const times = timetableOf({ ...rest, rate }, 0, { from: micros(0), until: micros(6000e6) }, 0);
    const sent: number[] = [];
    for (; Number.isFinite(times.due); times.advance()) sent.push(toMillis(micros(times.due)));
    const { on, off } = burstsOf(sent);
    expect(on.length).toBeGreaterThan(1000);
    for (const sample of [on, off])
      expect(distance(sample, DISTRIBUTIONS.exponential)).toBeLessThan(1.63 / Math.sqrt(sample.length));
    expect(distance(off, DISTRIBUTIONS.pareto)).toBeGreaterThan(0.1);
    expect(INTERVAL_MS).toBe(10);
  });

  it('compares two runs, datagram by datagram', () => {
    const one = new Map([
      [0, [1, 2, 3]],
      [1, [5]],
    ]);
    const other = new Map([[0, [1.5, 2, 3, 4]]]);
    expect(apart(one, other)).toEqual({ distances: [0.5, 0, 0], others: 2 });
  });

  it('has topologies that are right', () => {
    expect(loadTopology(steadyText(), 'lab.yaml').topology.traffic).toHaveLength(SOURCES);
    const { traffic } = loadTopology(seededText(), 'lab.yaml').topology;
    expect(traffic!.map(({ count }) => count)).toEqual([EACH, EACH, 2 * EACH]);
  });
});
