import { describe, expect, test } from 'vitest';
import { RunLog, type RunLogOptions } from '../../../agent/runlog/run-log.ts';
import type { RunLogFacts } from '../../../proto/run-log.ts';

let now: number | undefined;

function logOf(capacity: RunLogOptions['capacity'] = {}): RunLog {
  now = undefined;
  return new RunLog({ now: () => now, capacity });
}

const state = (name: 'ready' | 'running'): RunLogFacts => ({ kind: 'state', state: name });
const flow = (rateBps: number): RunLogFacts => ({ kind: 'flow', from: 'a', to: 'b', rateBps, greedy: false });
const positions = (log: RunLog, from: number, most?: number) =>
  log.since(from, most).entries.map(({ position }) => position);

test('entries have positions and times, in the order in which they were appended', () => {
  const log = logOf();
  log.append(state('ready'));
  now = 5;
  log.append(flow(1e6));
  log.append(flow(2e6), 3);
  expect(log.since(0)).toEqual({
    entries: [
      { kind: 'state', state: 'ready', position: 0, atMicros: null },
      { kind: 'flow', from: 'a', to: 'b', rateBps: 1e6, greedy: false, position: 1, atMicros: 5 },
      { kind: 'flow', from: 'a', to: 'b', rateBps: 2e6, greedy: false, position: 2, atMicros: 3 },
    ],
    next: 3,
    forgotten: 0,
  });
});

describe('following from a position', () => {
  test('gives what came since, and where to go on', () => {
    const log = logOf();
    for (let rate = 0; rate < 5; rate++) log.append(flow(rate));
    const { entries, next } = log.since(3);
    expect(entries.map(({ position }) => position)).toEqual([3, 4]);
    expect(log.since(next)).toEqual({ entries: [], next: 5, forgotten: 0 });
    log.append(state('running'));
    expect(positions(log, next)).toEqual([5]);
  });

  test('gives no more than asked for, and the rest next time', () => {
    const log = logOf();
    for (let rate = 0; rate < 5; rate++) log.append(flow(rate));
    const { entries, next, forgotten } = log.since(1, 2);
    expect(entries.map(({ position }) => position)).toEqual([1, 2]);
    expect([next, forgotten]).toEqual([3, 0]);
    expect(positions(log, next, 9)).toEqual([3, 4]);
  });

  test('says how many are no longer kept', () => {
    const log = logOf({ flow: 2 });
    for (let rate = 0; rate < 6; rate++) log.append(flow(rate));
    expect(log.since(1)).toMatchObject({ next: 6, forgotten: 3 });
    expect(positions(log, 1)).toEqual([4, 5]);
    expect(log.since(5).forgotten).toBe(0);
  });

  test('a position that lies ahead stays', () => {
    const log = logOf();
    log.append(flow(1));
    expect(log.since(7)).toEqual({ entries: [], next: 7, forgotten: 0 });
  });
});

test('kinds are bounded by themselves: many of one leave the few of another', () => {
  const log = logOf({ flow: 3 });
  log.append(state('ready'));
  for (let rate = 0; rate < 100; rate++) log.append(flow(rate));
  log.append(state('running'));
  expect(log.of('state').map((entry) => entry.state)).toEqual(['ready', 'running']);
  expect(log.of('flow').map(({ rateBps }) => rateBps)).toEqual([97, 98, 99]);
  expect(log.forgotten('flow')).toBe(97);
  expect(positions(log, 0)).toEqual([0, 98, 99, 100, 101]);
});

test('listeners get each entry once, until they have enough', () => {
  const log = logOf();
  const seen: number[] = [];
  const stop = log.follow(({ position }) => seen.push(position));
  log.append(flow(1));
  log.append(flow(2));
  stop();
  log.append(flow(3));
  expect(seen).toEqual([0, 1]);
});
