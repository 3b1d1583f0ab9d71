/** What frames take of a link's bandwidth: at one link, along a path, and in the delay line. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { framingOf } from '../../../agent/linux/delay-line/treatment/framing.ts';
import {
  encodePacketImpairment,
  foldImpairments,
  type Impairment,
  impairment,
  impairsPackets,
  timeAtLinks,
} from '../../../proto/impairment.ts';
import { bytesAtLink, frameShare, parseOverhead } from '../../../proto/queue.ts';
import { bps, byteTime, micros, timeToTransmit, toMillis, UnitError } from '../../../proto/units.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';

const link = (mbps: number, overhead?: string, more: Partial<Impairment> = {}): Impairment =>
  impairment({ bandwidth: bps(mbps * 1e6), ...(overhead !== undefined && { overhead }), ...more });
const path = (...links: Impairment[]): Impairment =>
  foldImpairments(
    links.map((_, index) => index),
    links,
  );
/** Of one link. */
const timeMs = (mbps: number, bytes: number): number =>
  toMillis(timeToTransmit(bytes, byteTime(bps(mbps * 1e6))));

describe('an overhead', () => {
  it.each([
    ['ethernet', 1514, 1538],
    ['ethernet', 60, 84],
    ['vlan', 60, 88],
    ['38 bytes', 100, 138],
    // 1,532 bytes are 31.9 cells; 78 are 1.6; 96 are two.
    ['atm', 1514, 32 * 53],
    ['atm', 60, 2 * 53],
    ['atm', 78, 2 * 53],
    ['atm', 79, 3 * 53],
  ])('%s makes %i bytes %i', (text, bytes, expected) => {
    expect(bytesAtLink(bytes, parseOverhead(text))).toBe(expected);
  });

  it('is read in any spelling of its number, and 0 is none', () => {
    expect([' 38bytes ', '1 byte', '0 bytes', 'none'].map(parseOverhead)).toEqual([
      '38 bytes',
      '1 bytes',
      'none',
      'none',
    ]);
    expect(bytesAtLink(100, 'none')).toBe(100);
    expect(frameShare('ethernet')).toBe(1514 / 1538);
  });

  it.each(['', '38', 'bytes', '-4 bytes', '1001 bytes', 'token ring', '9'.repeat(300)])(
    '%j is refused',
    (text) => {
      expect(() => parseOverhead(text)).toThrow(UnitError);
    },
  );
});

describe('along a path', () => {
  it('bandwidth and overhead are those of the link over which a full frame takes longest', () => {
    // 100 Mb/s in cells let less through than 95 Mb/s.
    expect(path(link(95), link(100, 'atm'))).toMatchObject({ bandwidth: 100e6, overhead: 'atm' });
    const plain = path(link(80), link(100, 'atm'), link(1000, 'vlan'));
    expect(plain.bandwidth).toBe(80e6);
    expect(plain).not.toHaveProperty('overhead');
    expect(path(link(10, 'ethernet'), impairment({}))).toMatchObject({
      bandwidth: 10e6,
      overhead: 'ethernet',
    });
  });

  it('the times of all links add up, each with its own overhead', () => {
    const all = path(link(10, 'ethernet'), link(8, 'atm'), link(20), link(2, 'atm'));
    for (const bytes of [60, 98, 1514]) {
      const expected =
        timeMs(10, bytes + 24) +
        timeMs(8, bytesAtLink(bytes, 'atm')) +
        timeMs(20, bytes) +
        timeMs(2, bytesAtLink(bytes, 'atm'));
      expect(toMillis(timeAtLinks(bytes, all))).toBeCloseTo(expected, 9);
    }
    expect(all.spacing).toBe(byteTime(bps(2e6)));
  });

  it('a queue that is a time has room for the frames that pass in it', () => {
    const queue = { queueTime: micros(100_000) };
    expect(path(link(10, undefined, queue)).queueBytes).toBe(125_000);
    expect(path(link(10, 'atm', queue)).queueBytes).toBe(Math.round((125_000 * 1514) / (32 * 53)));
    expect(path(link(10, 'atm', { queueBytes: 64_000 })).queueBytes).toBe(64_000);
  });

  it('of a fast link holds no packet', () => {
    expect(impairsPackets(path(link(1000, 'ethernet')))).toBe(false);
    expect(impairsPackets(path(link(1000, 'atm')))).toBe(false);
    expect(impairsPackets(path(link(10, 'atm')))).toBe(true);
  });
});

it('the delay line takes as long as the path says, for any links and frames', () => {
  const links = fc.record({
    mbps: fc.constantFrom(0.1, 1, 10, 95, 1000),
    overhead: fc.constantFrom(undefined, 'ethernet', 'vlan', 'atm', '7 bytes'),
  });
  fc.assert(
    fc.property(
      fc.array(links, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 42, max: 65_000 }),
      (all, bytes) => {
        const folded = path(...all.map(({ mbps, overhead }) => link(mbps, overhead)));
        const framing = framingOf(encodePacketImpairment(folded));
        fc.pre(framing !== undefined);
        expect(framing!.timeMs(bytes)).toBeCloseTo(toMillis(timeAtLinks(bytes, folded)), 6);
        const slowest = bytesAtLink(bytes, folded.overhead) / bytes;
        expect(framing!.spacingMs(bytes)).toBeCloseTo((slowest * bytes * folded.spacing!) / 1e6, 6);
      },
    ),
  );
});

it('flows are measured with the overhead of their path, and without one as they are', () => {
  const text = `services: { a: {}, b: {}, c: {} }
links:
  - { from: a, to: b, bandwidth: 1Mbps, overhead: atm }
  - { from: b, to: c, bandwidth: 1Mbps }
`;
  const epoch = new Epoch(expandGraph(loadTopology(text, 'x.yaml').topology));
  // Ten frames of 120 bytes: 138 are three cells each.
  expect(epoch.bytesAtLink(0, 1, 1200, 10)).toBe(10 * 3 * 53);
  expect(epoch.bytesAtLink(1, 2, 1200, 10)).toBe(1200);
  expect(epoch.bytesAtLink(0, 1, 0, 0)).toBe(0);
});
