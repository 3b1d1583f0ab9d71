/** The kernel's output and input for qdiscs; the layouts are those of linux/pkt_sched.h, little endian. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributeBytes, editAttributes, u32Bytes } from '../../../agent/kernel/netlink/attribute-edit.ts';
import { readAttributes } from '../../../agent/kernel/netlink/netlink-message.ts';
import { frameNanoseconds, longestFrame, type Rate } from '../../../agent/kernel/netlink/rate-time.ts';
import type { TreeQdisc } from '../../../agent/linux/trees/model.ts';
import {
  canonicalQdisc,
  qdiscRequestOptions,
  whatQdiscLoses,
} from '../../../agent/linux/trees/qdisc-kinds.ts';
import { annotated } from '../../support/kernel/annotated-bytes.ts';

function qdisc(kind: string, options?: Buffer, more: Partial<TreeQdisc> = {}): TreeQdisc {
  return {
    kind,
    handle: 0x10000,
    parent: 0xffffffff,
    ...(options && { options: options.toString('base64') }),
    ...more,
  };
}

describe('attributes', () => {
  test('are replaced, left out and passed on, in their order, behind what comes before them', () => {
    const bytes = annotated('aabbccdd 0500 0100 11 000000 0600 0200 2233 0000 0400 0380');
    const edited = editAttributes(
      bytes,
      (type, value) => (type === 1 ? undefined : type === 2 ? Buffer.from([9]) : value),
      4,
    );
    expect(edited.toString('hex')).toBe('aabbccdd050002000900000004000300'.replace(/0300$/, '0380'));
  });
});

describe('htb', () => {
  const told = annotated(`1800 0200 11000300 05000000 30000000 00000000 2a000000
    0800 0500 e8030000`);
  test('is reported with its whole version and a count of packets, and set without', () => {
    expect(canonicalQdisc(qdisc('htb', told))).toEqual(
      annotated(`1800 0200 03000000 05000000 30000000 00000000 00000000
        0800 0500 e8030000`),
    );
    expect(qdiscRequestOptions(qdisc('htb', told))).toEqual(canonicalQdisc(qdisc('htb', told)));
  });
});

test('sfq: counters at the end are no part of what it is', () => {
  const v1 = Buffer.alloc(72, 7);
  const canonical = canonicalQdisc(qdisc('sfq', v1));
  expect(canonical.subarray(0, 48)).toEqual(v1.subarray(0, 48));
  expect(canonical.subarray(48)).toEqual(Buffer.alloc(24));
});

describe('codel counts in units of 1,024 ns', () => {
  /** codel_time_to_us(us * 1000 >> 10), net/codel.h */
  const told = (asked: number): number => Math.floor((Math.floor((asked * 1000) / 1024) * 1024) / 1000);

  test.each(['codel', 'fq_codel'])('%s is asked for what makes it tell the same', (kind) => {
    const threshold = kind === 'codel' ? 5 : 7;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_000_000 }), (micros) => {
        const was = told(micros);
        for (const type of [1, 3, threshold]) {
          const options = qdiscRequestOptions(qdisc(kind, attributeBytes(type, u32Bytes(was))))!;
          expect(told(readAttributes(options).get(type)!.readUInt32LE(0))).toBe(was);
        }
      }),
    );
  });

  test('but not what is not a time', () => {
    const limit = attributeBytes(2, u32Bytes(4999));
    expect(qdiscRequestOptions(qdisc('fq_codel', limit))).toEqual(limit);
  });
});

describe('the kernel counts rates', () => {
  const rate = (bytesPerSecond: bigint, overhead = 0, minimum = 0): Rate => ({
    bytesPerSecond,
    overhead,
    minimum,
  });

  test('in nanoseconds for a frame, rounded down', () => {
    expect(frameNanoseconds(rate(125_000n), 1514)).toBe(12_112_000n);
    expect(frameNanoseconds(rate(125_000n, 24), 1514)).toBe(12_304_000n);
    expect(frameNanoseconds(rate(125_000n, 0, 64), 1)).toBe(512_000n);
    expect(frameNanoseconds(rate(12_500_000_000n), 1514)).toBe(121n);
  });

  test('and of all bursts that take the same time the largest is found', () => {
    const anyRate = fc.bigInt({ min: 1000n, max: 12_500_000_000n });
    fc.assert(
      fc.property(anyRate, fc.integer({ min: 100, max: 10_000_000 }), fc.nat(100), (bps, burst, overhead) => {
        const one = rate(bps, overhead);
        const ticks = Number(frameNanoseconds(one, burst) >> 6n);
        fc.pre(ticks <= 0xffffffff);
        const found = longestFrame(one, ticks);
        expect(found).toBeGreaterThanOrEqual(burst);
        expect(Number(frameNanoseconds(one, found) >> 6n)).toBe(ticks);
        expect(Number(frameNanoseconds(one, found + 1) >> 6n)).toBeGreaterThan(ticks);
      }),
    );
  });
});

describe('tbf', () => {
  const spec = (bytesPerSecond: number, layer = 1): Buffer => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt8(layer, 1);
    bytes.writeUInt32LE(bytesPerSecond, 8);
    return bytes;
  };
  /** `buffer` and `mtu` in ticks of 64 ns */
  const parms = (rate: Buffer, peak: Buffer, buffer: number, mtu: number): Buffer =>
    attributeBytes(1, Buffer.concat([rate, peak, u32Bytes(30_000), u32Bytes(buffer), u32Bytes(mtu)]));
  const none = spec(0, 0);

  test('asks for its bursts in bytes too', () => {
    // 1514 bytes at 125,000 B/s are 189,250 ticks; 2000 at 250,000 B/s are 125,000.
    const told = parms(spec(125_000), spec(250_000), 189_250, 125_000);
    const asked = qdiscRequestOptions(qdisc('tbf', told))!;
    expect(asked.subarray(0, told.length)).toEqual(told);
    const attributes = readAttributes(asked);
    expect(attributes.get(6)!.readUInt32LE(0)).toBe(1514);
    expect(attributes.get(7)!.readUInt32LE(0)).toBe(2000);
  });

  test('has no peak burst without a peak rate', () => {
    const asked = qdiscRequestOptions(qdisc('tbf', parms(spec(125_000), none, 189_250, 0)))!;
    expect([...readAttributes(asked).keys()]).toEqual([1, 6]);
  });

  test('takes the 64-bit rate where there is one', () => {
    const rate64 = Buffer.alloc(8);
    rate64.writeBigUInt64LE(6_250_000_000n);
    const told = Buffer.concat([parms(spec(0xffffffff), none, 2500, 0), attributeBytes(4, rate64)]);
    // 2,500 ticks are 160 µs: 1,000,000 bytes, and some 400 that the time of a tick hides.
    const burst = readAttributes(qdiscRequestOptions(qdisc('tbf', told))!)
      .get(6)!
      .readUInt32LE(0);
    expect(burst).toBeGreaterThan(1_000_350);
    expect(burst).toBeLessThan(1_000_450);
  });

  test('over ATM is refused', () => {
    expect(whatQdiscLoses(qdisc('tbf', parms(spec(125_000, 2), none, 189_250, 0)))).toMatch(/ATM/);
    expect(whatQdiscLoses(qdisc('tbf', parms(spec(125_000), none, 189_250, 0)))).toBeUndefined();
  });
});

describe('netem', () => {
  const netem = (jitterTicks: number, ...attributes: Buffer[]): TreeQdisc => {
    const head = Buffer.alloc(24);
    head.writeUInt32LE(jitterTicks, 20);
    return qdisc('netem', Buffer.concat([head, ...attributes]));
  };
  const word64 = (at: number, size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    bytes.writeUInt32LE(1, at);
    return bytes;
  };

  test('is refused where a distribution may be in it', () => {
    expect(whatQdiscLoses(netem(0))).toBeUndefined();
    expect(whatQdiscLoses(netem(5))).toMatch(/jitter/);
    expect(whatQdiscLoses(netem(0, attributeBytes(11, word64(0, 8))))).toMatch(/jitter/);
    expect(whatQdiscLoses(netem(0, attributeBytes(11, Buffer.alloc(8))))).toBeUndefined();
    expect(whatQdiscLoses(netem(0, attributeBytes(12, word64(24, 40))))).toMatch(/slots/);
    expect(whatQdiscLoses(netem(0, attributeBytes(12, word64(0, 40))))).toBeUndefined();
  });
});

describe('what else is lost', () => {
  const sizeTable = (entries: number): string => {
    const base = Buffer.alloc(24);
    base.writeUInt32LE(entries, 20);
    return attributeBytes(1, base).toString('base64');
  };

  test('unknown kinds', () => {
    expect(whatQdiscLoses(qdisc('red'))).toMatch(/red/);
    expect(whatQdiscLoses(qdisc('pfifo'))).toBeUndefined();
  });
  test('the table of sizes, where there is one', () => {
    expect(whatQdiscLoses(qdisc('pfifo', undefined, { sizeTable: sizeTable(512) }))).toMatch(/stab/);
    expect(whatQdiscLoses(qdisc('pfifo', undefined, { sizeTable: sizeTable(0) }))).toBeUndefined();
  });
  test('blocks that others share', () => {
    expect(whatQdiscLoses(qdisc('pfifo', undefined, { sharesBlock: true }))).toMatch(/block/);
  });
});
