/** A flow that has just begun: a bulk transfer is greedy at once, whatever else begins is found out soon. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../topology/model/random.ts';
import { Connection, FRAME_BYTES, Frames, MeteredFlow, TICK_MS } from '../../support/traffic.ts';

const PATH_BPS = 60e6;
const SHARE_BPS = 20e6;

/** How the flow's greed looked after each tick. */
function greedOf(metered: MeteredFlow, bytes: () => number, ticks: number): boolean[] {
  return Array.from({ length: ticks }, () => {
    metered.tick(bytes());
    metered.enforce(SHARE_BPS);
    return metered.flow.greedy;
  });
}

/** Some ticks in which nothing was sent. */
function silent(roundTripMs: number): MeteredFlow {
  const metered = new MeteredFlow(PATH_BPS, roundTripMs);
  metered.run(2000, new Frames(), 0);
  return metered;
}

describe('a bulk transfer', () => {
  test('is greedy from its first tick on, and stays so, at any round trip, however its bursts fall into ticks', () => {
    const starts = fc.record({
      roundTripMs: fc.integer({ min: 1, max: 400 }),
      phase: fc.double({ min: 0, max: 0.95, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(starts, ({ roundTripMs, phase, seed }) => {
        const random = new SeededRandom(seed);
        const stray = (): number => random.next() * 2;
        const connection = new Connection({ roundTripMs, phase, stray });
        const greed = greedOf(silent(roundTripMs), () => connection.bytes(SHARE_BPS), 80);
        // Ten segments may take until the second tick.
        expect(greed.slice(1)).toEqual(Array(79).fill(true));
      }),
      { seed: 53, numRuns: 300 },
    );
  });

  test('that ends is no flow any more as soon as others', () => {
    const metered = silent(40);
    const connection = new Connection({ roundTripMs: 40, totalBytes: 200e3 });
    const greed = greedOf(metered, () => connection.bytes(SHARE_BPS), 20);
    expect(greed.slice(0, 4)).toEqual(Array(4).fill(true));
    expect(greed.slice(10)).toEqual(Array(10).fill(false));
    expect(metered.flow.active).toBe(false);
  });
});

describe('what only looks like one', () => {
  test.each([0, 10, 40, 120])(
    'a steady rate at a round trip of %d ms is limited within half a second',
    (ms) => {
      const metered = silent(ms);
      const frames = new Frames({ jitterFrames: 1, seed: 7 });
      const greed = greedOf(metered, () => frames.bytes(6e6), 200);
      expect(greed.slice(10)).toEqual(Array(190).fill(false));
      expect(metered.flow.active).toBe(true);
    },
  );

  test('is not believed again for ten seconds, so that short transfers take others’ shares once', () => {
    const metered = silent(40);
    const transfer = (): boolean => {
      const connection = new Connection({ roundTripMs: 40, totalBytes: 50e3 });
      return greedOf(metered, () => connection.bytes(SHARE_BPS), 60).includes(true);
    };
    // One every three seconds.
    const transfers = Array.from({ length: 5 }, transfer);
    expect(transfers).toEqual([true, false, false, false, true]);
  });

  test('is believed at once when it has filled its share since', () => {
    const metered = silent(40);
    greedOf(
      metered,
      (
        (first) => () =>
          first-- > 0 ? 10 * FRAME_BYTES : 0
      )(1),
      20,
    );
    const bulk = (): boolean[] => {
      const connection = new Connection({ roundTripMs: 40 });
      return greedOf(metered, () => connection.bytes(SHARE_BPS), 30);
    };
    expect(bulk()[0]).toBe(false);
    greedOf(metered, () => 0, 20);
    expect(bulk()[0]).toBe(true);
  });

  test('a few small frames are nothing', () => {
    const metered = silent(40);
    expect(greedOf(metered, () => 2.9 * FRAME_BYTES, 5)).toEqual(Array(5).fill(false));
    expect(metered.flow.active).toBe(true);
    // What has begun small is judged by what it sends.
    expect(greedOf(metered, () => 20 * FRAME_BYTES, 10)).not.toContain(true);
  });
});

test('a pause of a round trip does not end a connection that begins', () => {
  const metered = silent(390);
  const connection = new Connection({ roundTripMs: 390 });
  metered.tick(connection.bytes(SHARE_BPS));
  for (let ms = TICK_MS; ms < 390; ms += TICK_MS) {
    metered.tick(connection.bytes(SHARE_BPS));
    expect(metered.flow).toMatchObject({ active: true, greedy: true });
  }
});
