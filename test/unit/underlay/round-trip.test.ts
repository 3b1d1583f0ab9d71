/** What is made of measured round trips. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  estimate,
  FLOOR_MICROS,
  LASTING_LOOKS,
  MARGIN_MICROS,
  MARGIN_RATIO,
  ONE_MACHINE_FLOOR_MICROS,
  PROCESS_MICROS,
  type Settled,
  settle,
} from '../../../agent/underlay/round-trip.ts';
import { type Micros, micros } from '../../../proto/units.ts';

const settledAfter = (...measured: number[]): number =>
  measured.reduce<Settled | undefined>((before, one) => settle(before, micros(one), FLOOR_MICROS), undefined)!
    .micros;

describe('estimate', () => {
  test('takes what there is', () => {
    expect(estimate({ kernelMicros: undefined, clockMicros: undefined })).toBeUndefined();
    expect(estimate({ kernelMicros: micros(61_000), clockMicros: undefined })).toBe(61_000);
    expect(estimate({ kernelMicros: undefined, clockMicros: micros(63_000) })).toBe(63_000);
  });

  test("leaves the processes' time out, and believes whichever is shorter", () => {
    expect(estimate({ kernelMicros: micros(60_000), clockMicros: micros(60_000 + PROCESS_MICROS) })).toBe(
      60_000,
    );
    expect(estimate({ kernelMicros: micros(60_500), clockMicros: micros(60_100) })).toBe(60_100);
  });

  test('believes the newer one when the way has become longer since the connection began', () => {
    expect(estimate({ kernelMicros: micros(60_000), clockMicros: micros(90_000) })).toBe(90_000);
  });
});

describe('settle', () => {
  test('below the floor nothing is subtracted, so labs on one machine stay as they are', () => {
    expect(settledAfter(100)).toBe(0);
    expect(settledAfter(FLOOR_MICROS - 1, 120, FLOOR_MICROS - 1)).toBe(0);
    expect(settledAfter(FLOOR_MICROS)).toBe(FLOOR_MICROS);
  });

  test('where all hosts are on one machine, its own slowness is no distance', () => {
    const slow = Array.from({ length: 2 * LASTING_LOOKS }, () => 2000);
    const last = (floor: Micros): number =>
      slow.reduce<Settled | undefined>(
        (before, one) => settle(before, micros(one), floor),
        settle(undefined, micros(0), floor),
      )!.micros;
    expect(last(FLOOR_MICROS)).toBe(2000);
    expect(last(ONE_MACHINE_FLOOR_MICROS)).toBe(0);
  });

  test('what lies at the floor does not come and go', () => {
    const wobbling = Array.from({ length: 40 }, (_, look) => FLOOR_MICROS + (look % 2 === 0 ? 20 : -20));
    expect(settledAfter(...wobbling)).toBe(FLOOR_MICROS + 20);
    expect(settledAfter(FLOOR_MICROS + 20, FLOOR_MICROS / 2 - 1)).toBe(0);
  });

  test('what is shorter counts at once', () => {
    expect(settledAfter(62_000, 60_000)).toBe(60_000);
  });

  test('what is longer counts when it lasts, and then as the least of it', () => {
    const longer = Array.from({ length: LASTING_LOOKS }, (_, look) => 80_000 + ((look * 7) % 5) * 1000);
    expect(settledAfter(60_000, ...longer.slice(1))).toBe(60_000);
    expect(settledAfter(60_000, ...longer)).toBe(80_000);
    // Interrupted, it begins anew.
    expect(settledAfter(60_000, ...longer.slice(1), 60_000, ...longer.slice(1))).toBe(60_000);
  });

  test('estimates within the margin never change anything', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: FLOOR_MICROS * 2, max: 1_000_000 }),
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { maxLength: 50 }),
        (micros, offsets) => {
          const margin = Math.max(MARGIN_MICROS, MARGIN_RATIO * micros);
          expect(settledAfter(micros, ...offsets.map((part) => micros + part * margin * 0.99))).toBe(micros);
        },
      ),
    );
  });

  test('a new round trip that stays is reckoned with to the margin, whatever there was before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 20 }),
        fc.integer({ min: FLOOR_MICROS, max: 1_000_000 }),
        (before, micros) => {
          const settled = settledAfter(...before, ...Array(LASTING_LOOKS).fill(micros));
          // Of what was longer, the least counts, which may be of the time before.
          const last = settledAfter(settled, ...Array(LASTING_LOOKS).fill(micros));
          const margin = Math.max(MARGIN_MICROS, MARGIN_RATIO * Math.max(micros, last));
          expect(Math.abs(last - micros)).toBeLessThanOrEqual(margin);
        },
      ),
    );
  });
});
