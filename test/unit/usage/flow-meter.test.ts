import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowMeter } from '../../../agent/usage/flow-meter.ts';
import { DESTINATION, FRAME_BYTES, Frames, MeteredFlow, SOURCE, TICK_MS } from '../../support/traffic.ts';

/** 10 Mb/s for a tick. */
const TICK_BYTES = 62_500;

describe('a flow starts', () => {
  test('in the tick in which it sends', () => {
    const metered = new MeteredFlow(10e6);
    for (let tick = 0; tick < 40; tick++) expect(metered.tick(0)).toBe(false);
    expect(metered.meter.get(SOURCE, DESTINATION)).toBeUndefined();
    expect(metered.tick(TICK_BYTES)).toBe(true);
    expect(metered.flow).toMatchObject({ source: SOURCE, destination: DESTINATION, active: true });
  });

  test('also in the first tick of all', () => {
    const metered = new MeteredFlow(10e6);
    expect(metered.tick(TICK_BYTES)).toBe(true);
    expect(metered.flow.rateBps).toBeCloseTo(10e6, 0);
  });

  test('again after it stopped', () => {
    const metered = new MeteredFlow(10e6);
    metered.tick(TICK_BYTES);
    for (let tick = 0; tick < 10; tick++) metered.tick(0);
    expect(metered.flow.active).toBe(false);
    expect(metered.tick(TICK_BYTES / 2)).toBe(true);
    expect(metered.flow.active).toBe(true);
    expect(metered.flow.rateBps).toBeCloseTo(5e6, 0);
  });
});

describe('a flow stops', () => {
  /** How long after its last byte. */
  function stopsAfter(bps: number): number {
    const metered = new MeteredFlow(bps);
    const frames = new Frames();
    metered.run(10_000, frames, bps);
    while (frames.bytes(bps) === 0);
    metered.tick(FRAME_BYTES);
    expect(metered.flow.active).toBe(true);
    for (let ms = TICK_MS; ms <= 10_000; ms += TICK_MS) {
      const changed = metered.tick(0);
      if (metered.flow.active) continue;
      expect(changed).toBe(true);
      expect(metered.flow).toMatchObject({ active: false, greedy: false, rateBps: 0 });
      return ms;
    }
    return Number.POSITIVE_INFINITY;
  }

  test.each([
    { rate: '10 Gb/s', bps: 10e9, ms: 200 },
    { rate: '10 Mb/s', bps: 10e6, ms: 200 },
    { rate: '1 Mb/s', bps: 1e6, ms: 200 },
    // Three frames of 1,514 bytes take longer there: 284 ms, 4.5 s; never more than 5 s.
    { rate: '128 kb/s', bps: 128e3, ms: 300 },
    { rate: '8 kb/s', bps: 8e3, ms: 4550 },
    { rate: '1 kb/s', bps: 1e3, ms: 5050 },
  ])('$ms ms after its last byte at $rate', ({ bps, ms }) => expect(stopsAfter(bps)).toBe(ms));
});

describe('greedy or limited', () => {
  const afterAWhile = (pathBps: number, bps: number): MeteredFlow => {
    const metered = new MeteredFlow(pathBps);
    metered.run(3000, new Frames(), bps);
    return metered;
  };

  test.each([64e3, 128e3, 200e3, 1e6, 10e6, 1e9, 100e9])(
    'at %d b/s: greedy at the rate, limited at 60 %%',
    (bps) => {
      expect(afterAWhile(bps, bps).flow.greedy).toBe(true);
      expect(afterAWhile(bps, 0.6 * bps).flow.greedy).toBe(false);
    },
  );

  test('is judged by what it may use, not by the path', () => {
    const metered = afterAWhile(100e6, 10e6);
    expect(metered.flow.greedy).toBe(false);
    metered.enforce(10e6);
    expect(metered.run(100, new Frames(), 10e6)).toBe(1);
    expect(metered.flow.greedy).toBe(true);
    expect(metered.flow.enforcedBps).toBe(10e6);
  });

  test('a flow that takes less becomes limited', () => {
    const metered = afterAWhile(10e6, 10e6);
    expect(metered.run(500, new Frames(), 6e6)).toBe(1);
    expect(metered.flow.greedy).toBe(false);
  });

  test('between 85 % and 95 % it stays what it is', () => {
    const greedy = afterAWhile(10e6, 10e6);
    expect(greedy.run(2000, new Frames(), 9e6)).toBe(0);
    expect(greedy.flow.greedy).toBe(true);
    const limited = afterAWhile(10e6, 7e6);
    expect(limited.run(2000, new Frames(), 9e6)).toBe(0);
    expect(limited.flow.greedy).toBe(false);
  });
});

describe('when its share changes', () => {
  function greedyAt(bps: number): { metered: MeteredFlow; frames: Frames } {
    const metered = new MeteredFlow(50e6);
    const frames = new Frames();
    metered.run(1000, frames, bps);
    metered.enforce(bps);
    metered.run(1000, frames, bps);
    expect(metered.flow.greedy).toBe(true);
    return { metered, frames };
  }

  test('a raise that is filled within 300 ms leaves it greedy', () => {
    const { metered, frames } = greedyAt(10e6);
    metered.enforce(20e6);
    expect(metered.run(300, frames, 10e6) + metered.run(3000, frames, 20e6)).toBe(0);
    expect(metered.flow.greedy).toBe(true);
  });

  test('a raise that is not filled makes it limited, but not before its time is over', () => {
    const { metered, frames } = greedyAt(10e6);
    metered.enforce(20e6);
    expect(metered.run(450, frames, 10e6)).toBe(0);
    expect(metered.run(150, frames, 10e6)).toBe(1);
    expect(metered.flow.greedy).toBe(false);
  });

  test('the same share again gives no more time', () => {
    const { metered, frames } = greedyAt(10e6);
    metered.enforce(20e6);
    for (let tick = 0; tick < 12; tick++) {
      metered.run(TICK_MS, frames, 10e6);
      metered.enforce(20e6);
    }
    expect(metered.flow.greedy).toBe(false);
  });

  test('a cut leaves it greedy, and gives no time afterwards', () => {
    const { metered, frames } = greedyAt(20e6);
    metered.enforce(5e6);
    expect(metered.run(1000, frames, 5e6)).toBe(0);
    expect(metered.flow.greedy).toBe(true);
    expect(metered.run(300, frames, 2e6)).toBe(1);
    expect(metered.flow.greedy).toBe(false);
    // Limited together with the rate that makes a difference, not before.
    expect(metered.flow.rateBps / 2e6).toBeCloseTo(1, 1);
  });

  test('a pair that has never sent is not listed', () => {
    const metered = new MeteredFlow(10e6);
    metered.enforce(5e6);
    metered.meter.setPath(SOURCE, DESTINATION, 5e6);
    expect([...metered.meter.flows()]).toEqual([]);
  });
});

describe('the rate', () => {
  test.each([3e6, 10e6, 300e6, 10e9])('of %d b/s is steady to 2 %% after a second', (bps) => {
    const metered = new MeteredFlow(2 * bps);
    const frames = new Frames({ jitterFrames: 1, seed: 3 });
    metered.run(1000, frames, bps);
    for (let tick = 0; tick < 400; tick++) {
      metered.tick(frames.bytes(bps));
      expect(Math.abs(metered.flow.rateBps / bps - 1)).toBeLessThan(0.02);
    }
  });

  test.each([
    [10e6, 20e6],
    [10e6, 15e6],
    [10e6, 90e6],
    [20e6, 10e6],
    [90e6, 10e6],
    [20e6, 14e6],
  ])('follows a step from %d to %d b/s within 400 ms', (before, after) => {
    const metered = new MeteredFlow(100e6);
    const frames = new Frames({ jitterFrames: 1, seed: 4 });
    metered.run(5000, frames, before);
    metered.run(400, frames, after);
    expect(Math.abs(metered.flow.rateBps / after - 1)).toBeLessThan(0.05);
    metered.run(1000, frames, after);
    expect(Math.abs(metered.flow.rateBps / after - 1)).toBeLessThan(0.02);
  });

  test.each([0.05, 0.5, 0.95])('is right 250 ms after a start in the middle of a tick (%d of it)', (part) => {
    const metered = new MeteredFlow(100e6);
    metered.run(2000, new Frames(), 0);
    metered.tick(TICK_BYTES * part);
    for (let tick = 0; tick < 4; tick++) metered.tick(TICK_BYTES);
    expect(Math.abs(metered.flow.rateBps / 10e6 - 1)).toBeLessThan(0.05);
  });

  test('is of the time that really passed, when ticks are late', () => {
    const meter = new FlowMeter(2);
    let total = 0;
    for (const [index, now] of [0, 50, 130, 150, 300, 350, 400, 460, 500, 560].entries()) {
      meter.begin(now);
      meter.count(0, 1, now * 1250 - total, () => 100e6);
      total = now * 1250;
      meter.finish();
      if (index >= 2) expect(meter.get(0, 1)!.rateBps).toBeCloseTo(10e6, -5);
    }
    expect(total).toBe(700_000);
  });
});

describe('what is no flow', () => {
  test('pings, one a second', () => {
    const metered = new MeteredFlow(10e6);
    for (let tick = 0; tick < 400; tick++) {
      metered.tick(tick % 20 === 0 ? 98 : 0);
      expect(metered.flow.active).toBe(false);
    }
  });

  test('traffic that sinks below a thousandth of the path', () => {
    const metered = new MeteredFlow(1e9);
    metered.run(1000, new Frames(), 5e6);
    expect(metered.flow.active).toBe(true);
    metered.run(2000, new Frames(), 400e3);
    expect(metered.flow).toMatchObject({ active: false, rateBps: 0 });
  });

  test('a flow on unlimited links, since it shares nothing', () => {
    const metered = new MeteredFlow(Number.POSITIVE_INFINITY);
    expect(metered.run(1000, new Frames(), 10e6)).toBe(0);
    expect(metered.flow.active).toBe(false);
  });

  test('a path that gets a limit becomes one, and one that loses it ends', () => {
    const metered = new MeteredFlow(Number.POSITIVE_INFINITY);
    metered.run(1000, new Frames(), 10e6);
    metered.meter.setPath(SOURCE, DESTINATION, 50e6);
    expect(metered.tick(TICK_BYTES)).toBe(true);
    expect(metered.flow).toMatchObject({ active: true, pathBps: 50e6 });
    metered.meter.setPath(SOURCE, DESTINATION, Number.POSITIVE_INFINITY);
    expect(metered.tick(TICK_BYTES)).toBe(true);
    expect(metered.flow.active).toBe(false);
  });
});

test('each direction and each pair is a flow of its own', () => {
  const meter = new FlowMeter(3);
  const paths = new Map([
    ['0 1', 10e6],
    ['1 0', 20e6],
    ['1 2', 30e6],
  ]);
  const asked: string[] = [];
  for (let tick = 1; tick <= 40; tick++) {
    meter.begin(tick * TICK_MS);
    for (const [source, destination, mbps] of [
      [0, 1, 4],
      [1, 0, 20],
      [1, 2, 8],
    ] as const)
      meter.count(source, destination, mbps * 6250, (a, b) => {
        asked.push(`${a} ${b}`);
        return paths.get(`${a} ${b}`)!;
      });
    meter.finish();
  }
  expect(asked).toEqual(['0 1', '1 0', '1 2']);
  const seen = [...meter.flows()].map(({ source, destination, pathBps, rateBps, greedy }) => [
    `${source} ${destination}`,
    pathBps / 1e6,
    Math.round(rateBps / 1e4) / 100,
    greedy,
  ]);
  expect(seen).toEqual([
    ['0 1', 10, 4, false],
    ['1 0', 20, 20, true],
    ['1 2', 30, 8, false],
  ]);
  expect(meter.get(2, 1)).toBeUndefined();
});

describe('a pair with a counter per address family', () => {
  /** A meter that counts the same bytes in parts; its view of the flow after each tick. */
  function seen(ticks: readonly (readonly number[])[]): unknown[] {
    const meter = new FlowMeter(3);
    return ticks.map((parts, tick) => {
      meter.begin((tick + 1) * TICK_MS);
      for (const bytes of parts) meter.count(2, 1, bytes, () => 10e6);
      const changed = meter.finish();
      const { active, greedy, rateBps } = meter.get(2, 1)!;
      return { changed, active, greedy, rateBps };
    });
  }

  test('is one flow of all of them', () => {
    const ticks = Array.from({ length: 40 }, () => [0.6 * TICK_BYTES, 0.4 * TICK_BYTES]);
    expect(seen(ticks).at(-1)).toEqual({
      changed: false,
      active: true,
      greedy: true,
      rateBps: expect.closeTo(10e6, 0),
    });
  });

  test('goes on when it changes from one to the other', () => {
    const half = TICK_BYTES / 2;
    const ticks = Array.from({ length: 60 }, (_, tick) => (tick < 30 ? [half] : [0, half]));
    const steady = { changed: false, active: true, greedy: false, rateBps: expect.closeTo(5e6, 0) };
    expect(seen(ticks).slice(20)).toEqual(Array(40).fill(steady));
  });

  test('is seen as one with a single counter is, however its bytes are divided', () => {
    const tick = fc.tuple(fc.nat(TICK_BYTES), fc.nat(TICK_BYTES), fc.nat(TICK_BYTES));
    fc.assert(
      fc.property(fc.array(tick, { minLength: 1, maxLength: 80 }), (ticks) => {
        const together = ticks.map((parts) => [parts.reduce((sum, bytes) => sum + bytes)]);
        expect(seen(ticks)).toEqual(seen(together));
      }),
      { seed: 23 },
    );
  });

  test('has sent nothing in a tick without a count', () => {
    const meter = new FlowMeter(3);
    for (let tick = 1; tick <= 20; tick++) {
      meter.begin(tick * TICK_MS);
      if (tick <= 10) meter.count(2, 1, TICK_BYTES, () => 10e6);
      meter.finish();
    }
    expect(meter.get(2, 1)).toMatchObject({ active: false, rateBps: 0 });
  });
});

test('a pair that has sent nothing for seconds is looked at no more, and begins anew', () => {
  const metered = new MeteredFlow(10e6);
  for (let tick = 0; tick < 40; tick++) metered.tick(TICK_BYTES);
  for (let ms = 0; ms < 9900; ms += 50) metered.tick(0);
  expect(metered.flow).toMatchObject({ active: false });
  for (let ms = 0; ms < 1200; ms += 50) metered.tick(0);
  expect([...metered.meter.flows()]).toEqual([]);
  expect(metered.tick(TICK_BYTES)).toBe(true);
  expect(metered.flow.rateBps).toBeCloseTo(10e6, 0);
});

describe('a pair that is silent', () => {
  const PATH_BPS = 1e6;

  /** Its state after each tick; `told`: also with counts of zero. */
  function history(traffic: readonly number[], told: boolean): unknown[] {
    const meter = new FlowMeter(2, () => 80);
    return traffic.map((bytes, tick) => {
      meter.begin(tick * TICK_MS);
      if (bytes > 0 || told) meter.count(SOURCE, DESTINATION, bytes, () => PATH_BPS);
      meter.finish();
      const { active, greedy, rateBps } = meter.get(SOURCE, DESTINATION) ?? {};
      // Nobody asks for the rate of what is no flow.
      return active ? { greedy, rateBps: Math.round(rateBps!) } : {};
    });
  }

  test('is the same as if each tick had counted zero bytes', () => {
    const silence = fc.integer({ min: 1, max: 60 }).map((ticks) => Array<number>(ticks).fill(0));
    const bytes = fc.oneof(fc.constant(98), fc.integer({ min: 1, max: 20_000 }));
    const burst = fc.array(bytes, { minLength: 1, maxLength: 12 });
    const traffic = fc.array(fc.tuple(burst, silence), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(traffic, (parts) => {
        const all = parts.flat(2);
        expect(history(all, false)).toEqual(history(all, true));
      }),
      { numRuns: 300, seed: 6 },
    );
  });

  test('is not looked at, and forgotten after a while', () => {
    const meter = new FlowMeter(100);
    const tick = (now: number, ...sources: number[]): void => {
      meter.begin(now);
      for (const source of sources) meter.count(source, DESTINATION, 98, () => 1e9);
      meter.finish();
    };
    tick(0, ...Array.from({ length: 50 }, (_, source) => source + 2));
    expect([...meter.active()]).toEqual([]);
    expect([...meter.flows()]).toHaveLength(50);
    for (let now = TICK_MS; now < 5000; now += TICK_MS) tick(now, 99);
    expect([...meter.flows()]).toHaveLength(51);
    // Nothing that is kept of it counts for longer.
    for (let now = 5000; now < 13_000; now += TICK_MS) tick(now, 99);
    expect([...meter.flows()]).toHaveLength(1);
  });
});
