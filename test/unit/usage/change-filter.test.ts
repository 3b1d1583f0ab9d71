import { beforeEach, describe, expect, test } from 'vitest';
import { ChangeFilter, LASTING_TICKS } from '../../../agent/usage/change-filter.ts';
import type { Flow } from '../../../agent/usage/flow-meter.ts';
import { DESTINATION, Frames, MeteredFlow, SOURCE } from '../../support/traffic.ts';

const flowOf = (changes: Partial<Flow> = {}): Flow => ({
  source: 3,
  destination: 1,
  pathBps: 100e6,
  enforcedBps: 100e6,
  rateBps: 20e6,
  active: true,
  greedy: false,
  ...changes,
});

let filter: ChangeFilter;
let flow: Flow;

beforeEach(() => {
  filter = new ChangeFilter();
  flow = flowOf();
});

const news = (): unknown[] => filter.changes([flow], 0);
const said = (rateBps: number, greedy = false): unknown => ({
  source: 3,
  destination: 1,
  rateBps,
  greedy,
  stopped: false,
});

test('a flow is announced when it starts, with all that others need, and not again', () => {
  expect(news()).toEqual([said(20e6)]);
  expect(news()).toEqual([]);
  expect(filter.announced(flow)).toMatchObject({ rateBps: 20e6, greedy: false });
});

test('a pair that has not become a flow is not announced, neither now nor as stopped', () => {
  flow.active = false;
  expect(news()).toEqual([]);
  expect(filter.announced(flow)).toBeUndefined();
});

test('a flow is announced when it stops, once; and when it starts again', () => {
  news();
  Object.assign(flow, { active: false, rateBps: 0 });
  expect(news()).toEqual([{ source: 3, destination: 1, rateBps: 0, greedy: false, stopped: true }]);
  expect(filter.announced(flow)).toBeUndefined();
  expect(news()).toEqual([]);
  Object.assign(flow, { active: true, rateBps: 20e6 });
  expect(news()).toEqual([said(20e6)]);
});

/** What is announced in so many ticks of the same. */
function newsIn(ticks: number): unknown[] {
  return Array.from({ length: ticks }, news).flat();
}

describe('a change of the rate', () => {
  beforeEach(() => void news());

  test.each([24.01e6, 15.99e6, 100e6])('to %d b/s is more than 20 %%, and news at once', (rateBps) => {
    flow.rateBps = rateBps;
    expect(news()).toEqual([said(rateBps)]);
    expect(newsIn(50)).toEqual([]);
  });

  test.each([24e6, 16e6, 21.01e6, 18.99e6])(
    'to %d b/s is more than 5 %%, and news when it lasts',
    (rateBps) => {
      flow.rateBps = rateBps;
      expect(newsIn(LASTING_TICKS - 1)).toEqual([]);
      expect(news()).toEqual([said(rateBps)]);
      expect(newsIn(50)).toEqual([]);
    },
  );

  test.each([21e6, 19e6, 20.5e6])('to %d b/s is 5 %% or less, and none however long', (rateBps) => {
    flow.rateBps = rateBps;
    expect(newsIn(50)).toEqual([]);
    expect(filter.announced(flow)).toMatchObject({ rateBps: 20e6, greedy: false });
  });

  test('that goes back in between, or in the other direction, has not lasted', () => {
    for (const pause of [20e6, 18.5e6]) {
      flow.rateBps = 22e6;
      expect(newsIn(LASTING_TICKS - 1)).toEqual([]);
      flow.rateBps = pause;
      expect(news()).toEqual([]);
    }
    flow.rateBps = 22e6;
    expect(newsIn(LASTING_TICKS - 1)).toEqual([]);
    expect(news()).toEqual([said(22e6)]);
  });

  test('adds up until it is more than 5 % of what was announced last', () => {
    const announced: number[] = [];
    for (let rateBps = 20e6; rateBps <= 24e6; rateBps += 0.25e6) {
      flow.rateBps = rateBps;
      if (newsIn(LASTING_TICKS).length > 0) announced.push(rateBps / 1e6);
    }
    expect(announced).toEqual([21.25, 22.5, 23.75]);
  });
});

test('the threshold can be chosen', () => {
  filter = new ChangeFilter({ threshold: 0.2, intervalMs: 0 });
  news();
  flow.rateBps = 24e6;
  expect(newsIn(50)).toEqual([]);
  flow.rateBps = 24.1e6;
  expect(newsIn(LASTING_TICKS - 1)).toEqual([]);
  expect(news()).toEqual([said(24.1e6)]);
  flow.rateBps = 34e6;
  expect(news()).toEqual([said(34e6)]);
});

test('a change that is small for the path is not announced, however large for the flow', () => {
  flow.rateBps = 1e6;
  news();
  flow.rateBps = 1.5e6;
  expect(news()).toEqual([]);
  flow.rateBps = 2.01e6;
  expect(news()).toEqual([said(2.01e6)]);
});

test('one that is a little more than small has to last, however large beside the flow', () => {
  flow.rateBps = 1e6;
  news();
  flow.rateBps = 1.51e6;
  for (let tick = 1; tick < LASTING_TICKS; tick++) expect(news()).toEqual([]);
  expect(news()).toEqual([said(1.51e6)]);
});

test('becoming greedy or limited is announced at any rate', () => {
  news();
  flow.greedy = true;
  expect(news()).toEqual([said(20e6, true)]);
  flow.greedy = false;
  expect(news()).toEqual([said(20e6)]);
});

test("a greedy flow's rate is not announced", () => {
  flow.greedy = true;
  news();
  for (const rateBps of [10e6, 90e6, 0]) {
    flow.rateBps = rateBps;
    expect(news()).toEqual([]);
  }
});

test('flows are filtered each by itself', () => {
  const other = flowOf({ source: 0, destination: 4, rateBps: 7e6 });
  expect(filter.changes([flow, other], 0).map(({ source }) => source)).toEqual([3, 0]);
  other.rateBps = 9e6;
  expect(filter.changes([flow, other], 0)).toEqual([
    { source: 0, destination: 4, rateBps: 9e6, greedy: false, stopped: false },
  ]);
});

describe('with a meter', () => {
  function announcements(metered: MeteredFlow, frames: Frames, bps: number, ticks: number): number {
    let count = 0;
    for (let tick = 0; tick < ticks; tick++) {
      metered.tick(frames.bytes(bps));
      count += filter.changes(metered.meter.flows(), 0).length;
    }
    return count;
  }

  test.each([
    { what: 'a limited flow', pathBps: 100e6, bps: 10e6 },
    { what: 'a greedy flow', pathBps: 10e6, bps: 10e6 },
    { what: 'a greedy flow on a slow link', pathBps: 128e3, bps: 128e3 },
  ])('$what that is steady is announced in its first second, and not in 10,000 ticks', ({ pathBps, bps }) => {
    const metered = new MeteredFlow(pathBps);
    const frames = new Frames({ jitterFrames: bps > 1e6 ? 1 : 0, seed: 5 });
    expect(announcements(metered, frames, bps, 20)).toBeGreaterThan(0);
    expect(announcements(metered, frames, bps, 10_000)).toBe(0);
    expect(filter.announced(metered.meter.get(SOURCE, DESTINATION)!)).toBeDefined();
  });

  test('pings announce nothing', () => {
    const metered = new MeteredFlow(10e6);
    let count = 0;
    for (let tick = 0; tick < 1000; tick++) {
      metered.tick(tick % 20 === 0 ? 98 : 0);
      count += filter.changes(metered.meter.flows(), 0).length;
    }
    expect(count).toBe(0);
  });

  test('a step is announced within 400 ms, and its end is right', () => {
    const metered = new MeteredFlow(100e6);
    const frames = new Frames({ jitterFrames: 1, seed: 6 });
    announcements(metered, frames, 10e6, 100);
    expect(announcements(metered, frames, 30e6, 8)).toBeGreaterThan(0);
    const { rateBps } = filter.announced(metered.flow)!;
    expect(Math.abs(rateBps / 30e6 - 1)).toBeLessThan(0.06);
  });
});

describe('where it is coarser', () => {
  const at = (now: number, ...flows: Flow[]): number => filter.changes(flows, now).length;

  test('rates are announced at most once in the interval, then with their present values', () => {
    filter = new ChangeFilter({ threshold: 0.1, intervalMs: 800 });
    expect(at(0, flow)).toBe(1);
    flow.rateBps = 40e6;
    expect(at(1, flow)).toBe(1);
    flow.rateBps = 80e6;
    expect(at(800, flow)).toBe(0);
    flow.rateBps = 60e6;
    expect(filter.changes([flow], 801)).toEqual([said(60e6)]);
  });

  test('starts, stops and changes of greed wait for an eighth of it, all of one tick together', () => {
    filter = new ChangeFilter({ threshold: 0.1, intervalMs: 800 });
    const other = flowOf({ source: 0 });
    const third = flowOf({ source: 1 });
    expect(at(0, flow, other)).toBe(2);
    flow.greedy = true;
    other.active = false;
    expect(at(99, flow, other, third)).toBe(0);
    expect(at(100, flow, other, third)).toBe(3);
    expect(filter.announced(other)).toBeUndefined();
  });

  test('what has not been announced is not used for shares either', () => {
    filter = new ChangeFilter({ threshold: 0.1, intervalMs: 800 });
    at(0, flow);
    const late = flowOf({ source: 0 });
    at(50, flow, late);
    expect(filter.announced(late)).toBeUndefined();
    flow.rateBps = 90e6;
    at(60, flow);
    expect(filter.announced(flow)!.rateBps).toBe(90e6);
    flow.rateBps = 10e6;
    at(70, flow);
    expect(filter.announced(flow)!.rateBps).toBe(90e6);
  });

  test('it counts from the next call on', () => {
    expect(at(0, flow)).toBe(1);
    filter.coarseness = { threshold: 0.5, intervalMs: 0 };
    flow.rateBps = 29e6;
    for (let tick = 1; tick < 100; tick++) expect(at(tick, flow)).toBe(0);
    filter.coarseness = { threshold: 0.05, intervalMs: 0 };
    expect(at(100, flow)).toBe(1);
  });
});
