/** How coarsely changes are announced within a budget. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Mesh } from '../../../agent/mesh/exchange/mesh.ts';
import { CHANGE_THRESHOLD, ChangeFilter } from '../../../agent/usage/change-filter.ts';
import type { Flow } from '../../../agent/usage/flow-meter.ts';
import {
  adapt,
  type BudgetState,
  coarseness,
  FIRST_INTERVAL_MS,
  LEAST_HOLD_MS,
  MAX_LEVEL,
  MAX_THRESHOLD,
  MOST_HOLD_MS,
  ROOM,
  UNBOUNDED,
} from '../../../agent/usage/metadata-budget.ts';
import { MetadataMeter } from '../../../agent/usage/metadata-meter.ts';
import { MemoryNetwork } from '../../../bench/simulation/memory-network.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const rates = fc.double({ min: 0, max: 1e6, noNaN: true });
const states: fc.Arbitrary<BudgetState> = fc.record({
  level: fc.integer({ min: 0, max: MAX_LEVEL }),
  roomSince: fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
  holdMs: fc.integer({ min: LEAST_HOLD_MS, max: MOST_HOLD_MS }),
  refinedAt: fc.integer({ min: 0, max: 1000 }),
});

describe('coarseness', () => {
  test('level 0 is as configured; each level doubles threshold and interval', () => {
    expect(coarseness(0)).toEqual({ threshold: CHANGE_THRESHOLD, intervalMs: 0 });
    expect(coarseness(0, 0.02)).toEqual({ threshold: 0.02, intervalMs: 0 });
    expect(coarseness(1)).toEqual({ threshold: 0.1, intervalMs: FIRST_INTERVAL_MS });
    expect(coarseness(3)).toEqual({ threshold: 0.4, intervalMs: 4 * FIRST_INTERVAL_MS });
    expect(coarseness(MAX_LEVEL).threshold).toBe(MAX_THRESHOLD);
    expect(coarseness(MAX_LEVEL, 0.9).threshold).toBe(0.9);
  });
});

describe('adapt', () => {
  test('stays within its levels and holds, and never moves the wrong way', () => {
    fc.assert(
      fc.property(states, rates, fc.double({ min: 1, max: 1e6, noNaN: true }), (state, sent, budget) => {
        const next = adapt(state, sent, budget, 1000 + 2 * MOST_HOLD_MS);
        expect(next.level).toBeGreaterThanOrEqual(0);
        expect(next.level).toBeLessThanOrEqual(MAX_LEVEL);
        expect(next.holdMs).toBeGreaterThanOrEqual(LEAST_HOLD_MS);
        expect(next.holdMs).toBeLessThanOrEqual(MOST_HOLD_MS);
        if (sent > budget) expect(next.level).toBeGreaterThanOrEqual(Math.min(MAX_LEVEL, state.level + 1));
        else expect(next.level).toBeGreaterThanOrEqual(state.level - 1);
        if (sent <= budget) expect(next.level).toBeLessThanOrEqual(state.level);
        if (sent <= budget && sent > ROOM * budget) expect(next.level).toBe(state.level);
      }),
    );
  });

  test('without a budget nothing is ever coarser', () => {
    fc.assert(
      fc.property(states, rates, (state, sent) => {
        expect(adapt(state, sent, undefined, 5000)).toEqual(UNBOUNDED);
      }),
    );
  });

  test('the further beyond the budget, the more levels at once', () => {
    expect(adapt(UNBOUNDED, 1001, 1000, 0).level).toBe(1);
    expect(adapt(UNBOUNDED, 3000, 1000, 0).level).toBe(2);
    expect(adapt(UNBOUNDED, 90_000, 1000, 0).level).toBe(3);
  });

  test('becomes finer only when there was room all the time', () => {
    let state: BudgetState = { ...UNBOUNDED, level: 2 };
    state = adapt(state, 100, 1000, 0);
    state = adapt(state, 100, 1000, LEAST_HOLD_MS - 1);
    expect(state.level).toBe(2);
    state = adapt(state, 900, 1000, LEAST_HOLD_MS);
    state = adapt(state, 100, 1000, LEAST_HOLD_MS + 1);
    expect(adapt(state, 100, 1000, 2 * LEAST_HOLD_MS).level).toBe(2);
    expect(adapt(state, 100, 1000, 2 * LEAST_HOLD_MS + 1).level).toBe(1);
  });

  test('waits longer each time that it was too early, and as before when it was right', () => {
    let state: BudgetState = { ...UNBOUNDED, level: 1, roomSince: 0 };
    state = adapt(state, 100, 1000, LEAST_HOLD_MS);
    expect(state.level).toBe(0);
    state = adapt(state, 1500, 1000, LEAST_HOLD_MS + 1000);
    expect(state).toMatchObject({ level: 1, holdMs: 2 * LEAST_HOLD_MS });
    state = { ...state, roomSince: 1e6 };
    expect(adapt(state, 100, 1000, 2e6)).toMatchObject({ level: 0, holdMs: LEAST_HOLD_MS });
  });
});

describe('a meter', () => {
  test('reports the rate of the last two seconds, and what is in force', () => {
    const meter = new MetadataMeter({ budgetBps: 8000, threshold: 0.02 });
    for (let second = 0; second <= 5; second++) meter.note(5_000 + 600 * second, second * 1000);
    expect(meter.status()).toEqual({
      bytesPerSecond: 600,
      budgetBytesPerSecond: 1000,
      threshold: 0.02,
      intervalMs: 0,
      level: 0,
    });
    meter.note(8000 + 2400, 6000);
    expect(meter.status()).toMatchObject({ bytesPerSecond: 1500, level: 1, threshold: 0.04 });
  });

  test('judges a change only by what was sent after it', () => {
    const meter = new MetadataMeter({ budgetBps: 8000 });
    meter.note(0, 0);
    meter.note(1500, 1000);
    expect(meter.status().level).toBe(1);
    meter.note(3000, 2000);
    meter.note(4500, 2999);
    expect(meter.status().level).toBe(1);
    meter.note(6000, 4000);
    expect(meter.status().level).toBe(2);
  });
});

/** 1,000 flows of one host whose rates jump about; some start and stop, some turn greedy. Seeded, 20 ticks a second. */
class JitteryFlows {
  readonly flows: Flow[];
  readonly #random;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.flows = Array.from({ length: 1000 }, (_, number) => ({
      source: number % 10,
      destination: 10 + Math.floor(number / 10),
      pathBps: 100e6,
      enforcedBps: 100e6,
      rateBps: 10e6,
      active: true,
      greedy: false,
    }));
  }

  tick(): void {
    const random = this.#random;
    for (const flow of this.flows) {
      flow.rateBps = Math.min(90e6, Math.max(1e6, flow.rateBps * (1 + 0.3 * (random.next() - 0.5))));
      if (random.next() < 0.0005) flow.active = !flow.active;
      if (random.next() < 0.0005) flow.greedy = !flow.greedy;
    }
  }
}

/** Bytes that the mesh sent in each second, and the level then. */
async function simulate(budgetBps: number | undefined, seconds: number) {
  const clock = new ManualClock();
  const network = new MemoryNetwork({ clock, seed: 1 });
  const endpointNames = Array.from({ length: 110 }, (_, number) => `n${number}.0`);
  const mesh = new Mesh(
    { transport: network.transport('me'), clock, timers: clock },
    { topology: '0123456789abcdef', endpointNames, host: 'me' },
  );
  await mesh.start();
  mesh.announceEndpoints(
    Array.from({ length: 10 }, (_, number) => ({ number, addresses: [`10.0.0.${number}`] })),
  );
  const jittery = new JitteryFlows(7);
  const filter = new ChangeFilter();
  const meter = new MetadataMeter({ budgetBps });
  const sent: number[] = [];
  const levels: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const before = mesh.stats.bytesSent;
    for (let tick = 0; tick < 20; tick++) {
      await clock.advance(50);
      jittery.tick();
      const changes = filter.changes(jittery.flows, clock.now());
      if (changes.length > 0) mesh.announceFlows(changes);
    }
    meter.note(mesh.stats.bytesSent, clock.now());
    filter.coarseness = meter.coarseness;
    sent.push(mesh.stats.bytesSent - before);
    levels.push(meter.status().level);
  }
  return { sent, levels };
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

test('1,000 jittery flows are announced within the budget, as finely as that allows', async () => {
  const free = await simulate(undefined, 30);
  const without = mean(free.sent.slice(10));
  expect(new Set(free.levels)).toEqual(new Set([0]));
  const coarsest: number[] = [];
  for (const part of [2, 5, 12]) {
    const budget = without / part;

    const { sent, levels } = await simulate(budget * 8, 120);
    // Settled after the first: in any 20 s, on average.
    for (let start = 20; start + 20 <= sent.length; start++)
      expect(mean(sent.slice(start, start + 20))).toBeLessThanOrEqual(budget);
    // It announces what the budget allows, rather than nothing.
    expect(mean(sent.slice(20))).toBeGreaterThan(0.15 * budget);
    const changes = levels.slice(40).filter((level, index) => index > 0 && level !== levels[39 + index]);
    expect(changes.length).toBeLessThan(12);
    coarsest.push(Math.max(...levels));
  }
  expect(coarsest).toEqual(coarsest.toSorted((a, b) => a - b));
});
