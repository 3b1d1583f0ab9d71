import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_BYTES, Frames, MeteredFlow, TICK_MS } from '../../support/traffic.ts';

describe('steady traffic changes nothing after the first second', () => {
  test.each([
    { what: '10 Mb/s that fill the path', pathBps: 10e6, bps: 10e6, greedy: true },
    { what: '10 Mb/s of 100 Mb/s', pathBps: 100e6, bps: 10e6, greedy: false },
    { what: '1 Gb/s that fills the path', pathBps: 1e9, bps: 1e9, greedy: true },
    { what: '600 kb/s of 1 Mb/s', pathBps: 1e6, bps: 600e3, greedy: false },
  ])('$what, ± 1 frame', ({ pathBps, bps, greedy }) => {
    for (let seed = 1; seed <= 5; seed++) {
      const metered = new MeteredFlow(pathBps);
      const frames = new Frames({ jitterFrames: 1, seed });
      metered.run(1000, frames, bps);
      expect(metered.flow).toMatchObject({ active: true, greedy });
      expect(metered.run(30_000, frames, bps)).toBe(0);
    }
  });

  /** Seen where the whole machine stands still: of every flow there, two ticks have nothing. */
  test('a greedy flow that pauses for 100 ms, now and then, stays greedy', () => {
    const metered = new MeteredFlow(2e6);
    const frames = new Frames({ jitterFrames: 1, seed: 4 });
    metered.run(2000, frames, 2e6);
    for (let pause = 0; pause < 10; pause++) {
      expect(metered.run(100, frames, 0)).toBe(0);
      expect(metered.run(1500, frames, 2e6)).toBe(0);
    }
    expect(metered.flow).toMatchObject({ active: true, greedy: true });
  });

  test('a slow link whose frames are 95 ms apart carries one greedy flow', () => {
    const metered = new MeteredFlow(128e3);
    const frames = new Frames();
    metered.run(1000, frames, 128e3);
    expect(metered.run(60_000, frames, 128e3)).toBe(0);
    expect(metered.flow).toMatchObject({ active: true, greedy: true });
  });

  test('frames that are 300 ms apart are one limited flow', () => {
    const metered = new MeteredFlow(2e6);
    const frames = new Frames();
    metered.run(3000, frames, 40e3);
    expect(metered.run(60_000, frames, 40e3)).toBe(0);
    expect(metered.flow).toMatchObject({ active: true, greedy: false });
  });

  test('a link on which frames are 1.5 s apart carries one greedy flow', () => {
    const metered = new MeteredFlow(8e3);
    const frames = new Frames();
    metered.run(5000, frames, 8e3);
    expect(metered.run(60_000, frames, 8e3)).toBe(0);
    expect(metered.flow).toMatchObject({ active: true, greedy: true });
  });

  test('any rate on any path becomes greedy once at most, and stays so', () => {
    const rates = fc.record({
      pathBps: fc.constantFrom(2e6, 10e6, 55e6, 1e9),
      part: fc.double({ min: 0.15, max: 1, noNaN: true }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(rates, ({ pathBps, part, seed }) => {
        const metered = new MeteredFlow(pathBps);
        const frames = new Frames({ jitterFrames: 1, seed });
        metered.run(1000, frames, part * pathBps);
        const before = metered.flow.greedy;
        const changes = metered.run(10_000, frames, part * pathBps);
        expect(changes).toBe(!before && metered.flow.greedy ? 1 : 0);
      }),
      { seed: 15, numRuns: 100 },
    );
  });
});

/**
 * Applications write in blocks, iperf3 128 KB: with headers, 91 frames that pass at once, then a pause. Whatever window
 * it is, there is one block more or less in it.
 */
describe('a flow that comes in blocks', () => {
  const BLOCK = 91 * FRAME_BYTES;

  /** A block every `period` ms. */
  class Blocks {
    readonly metered = new MeteredFlow(50e6);
    readonly #period: number;
    #elapsedMs = 0;
    #sent = 0;

    constructor(period: number) {
      this.#period = period;
    }

    /** How often the flow started, stopped or changed its greed. */
    run(ms: number, each: () => void = () => {}): number {
      let changes = 0;
      for (const end = this.#elapsedMs + ms; this.#elapsedMs < end; ) {
        this.#elapsedMs += TICK_MS;
        const due = Math.ceil(this.#elapsedMs / this.#period);
        if (this.metered.tick((due - this.#sent) * BLOCK)) changes++;
        this.#sent = due;
        each();
      }
      return changes;
    }
  }

  test.each([105, 175, 262, 330, 490])('every %d ms is one limited flow after the first second', (period) => {
    const blocks = new Blocks(period);
    blocks.run(1000);
    expect(blocks.run(30_000)).toBe(0);
    expect(blocks.metered.flow).toMatchObject({ active: true, greedy: false });
  });

  test.each([105, 175, 262])('every %d ms has a rate that is right to a block in a second', (period) => {
    const blocks = new Blocks(period);
    blocks.run(2000);
    blocks.run(10_000, () => {
      const error = Math.abs(blocks.metered.flow.rateBps - (BLOCK * 8000) / period);
      expect(error).toBeLessThan(BLOCK * 8);
    });
  });

  test('has stopped after two of its pauses, not before', () => {
    const blocks = new Blocks(262);
    blocks.run(10_000);
    const { metered } = blocks;
    let silent = 0;
    for (metered.tick(BLOCK); metered.flow.active; silent += TICK_MS) metered.tick(0);
    expect(silent).toBeGreaterThan(2 * 250);
    expect(silent).toBeLessThanOrEqual(2 * 300 + TICK_MS);
  });

  test('stops as others do when it has come steadily for a while', () => {
    const blocks = new Blocks(262);
    blocks.run(5000);
    const { metered } = blocks;
    metered.run(3000, new Frames(), 10e6);
    let silent = 0;
    for (metered.tick(BLOCK); metered.flow.active; silent += TICK_MS) metered.tick(0);
    expect(silent).toBe(200);
  });
});
