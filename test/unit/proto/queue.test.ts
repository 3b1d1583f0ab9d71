import { describe, expect, it } from 'vitest';
import { foldImpairments, impairment } from '../../../proto/impairment.ts';
import { parseQueue, queueInBytes } from '../../../proto/queue.ts';
import { bps, fromMillis, UNLIMITED } from '../../../proto/units.ts';

describe('the size of a queue', () => {
  it.each([
    ['200 packets', { queuePackets: 200 }],
    ['1 packet', { queuePackets: 1 }],
    ['64KB', { queueBytes: 64_000 }],
    ['64 KiB', { queueBytes: 65_536 }],
    ['1514B', { queueBytes: 1514 }],
    ['50ms', { queueTime: 50_000 }],
    ['1.5s', { queueTime: 1_500_000 }],
  ])('%s', (text, size) => {
    expect(parseQueue(text)).toEqual(size);
  });

  it.each([
    ['5', 'UNIT_MISSING'],
    ['5 frames', 'UNIT_UNKNOWN'],
    ['packets', 'UNIT_SYNTAX'],
    ['0 packets', 'UNIT_RANGE'],
    ['10000001 packets', 'UNIT_RANGE'],
    ['1513B', 'UNIT_RANGE'],
    ['9GB', 'UNIT_RANGE'],
    ['-5ms', 'UNIT_RANGE'],
    ['0.5B', 'UNIT_PRECISION'],
  ])('%s is refused with what to write', (text, code) => {
    expect(() => parseQueue(text)).toThrow(
      expect.objectContaining({ code, remedy: expect.stringMatching(/write/) }),
    );
  });

  it('is comparable in bytes of full frames', () => {
    expect(queueInBytes({ queuePackets: 10 }, bps(1e6))).toBe(15_140);
    expect(queueInBytes({ queueBytes: 5000 }, UNLIMITED)).toBe(5000);
    expect(queueInBytes({ queueTime: fromMillis(50) }, bps(8e6))).toBe(50_000);
    // It lets a full frame through, however short.
    expect(queueInBytes({ queueTime: fromMillis(1) }, bps(8e3))).toBe(1514);
    expect(queueInBytes({ queueTime: fromMillis(50) }, UNLIMITED)).toBeUndefined();
    expect(queueInBytes({}, bps(1e6))).toBeUndefined();
  });

  it('of a path is the shortest one, in its unit; a time becomes bytes at the bandwidth of its link', () => {
    const packets = impairment({ bandwidth: bps(8e6), queuePackets: 20 });
    const bytes = impairment({ bandwidth: bps(8e6), queueBytes: 30_000 });
    const time = impairment({ bandwidth: bps(8e6), queueTime: fromMillis(40) });
    const plain = impairment({ bandwidth: bps(1e6) });
    const folded = (...links: (typeof plain)[]) => {
      const { queuePackets, queueBytes, queueTime } = foldImpairments([...links.keys()], links);
      return { queuePackets, queueBytes, queueTime };
    };
    expect(folded(plain, packets)).toEqual({ queuePackets: 20 });
    expect(folded(packets, bytes)).toEqual({ queueBytes: 30_000 });
    expect(folded(time, plain)).toEqual({ queueBytes: 40_000 });
    expect(folded(time, packets, bytes)).toEqual({ queueBytes: 30_000 });
    expect(folded(plain)).toEqual({});
  });
});
