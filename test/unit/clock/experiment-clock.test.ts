import { beforeEach, describe, expect, test } from 'vitest';
import { ExperimentClock } from '../../../agent/clock/experiment-clock.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

let clock: ManualClock;
let time: ExperimentClock;

beforeEach(async () => {
  clock = new ManualClock();
  await clock.advance(700);
  time = new ExperimentClock(clock);
});

describe('the start', () => {
  test('is not known at first', () => {
    expect(time.state).toBe('unset');
    expect(time.now()).toBeUndefined();
    expect(time.millisUntil(0)).toBeUndefined();
    time.steer(1e6);
    expect(time.now()).toBeUndefined();
  });
  test('is a date, which is read once', async () => {
    expect(time.startAt(clock.wallNow() + 3000)).toBe(true);
    expect(time.now()).toBe(-3e6);
    expect(time.state).toBe('waiting');
    clock.stepWall(-3_600_000);
    await clock.advance(3250);
    expect(time.now()).toBe(250_000);
    expect(time.state).toBe('running');
  });
  test('is so far ahead, or so long over, whatever the date', async () => {
    expect(time.startIn(-1500)).toBe(true);
    await clock.advance(10);
    expect(time.now()).toBe(1_510_000);
  });
  test('is the first that was set', () => {
    expect(time.adopt(42e6)).toBe(true);
    expect(time.adopt(1e6)).toBe(false);
    expect(time.startAt(clock.wallNow())).toBe(false);
    expect(time.startIn(5000)).toBe(false);
    expect(time.now()).toBe(42e6);
  });
});

describe('what is steered', () => {
  test.each([
    ['ahead', 20_000, 40e6 + 20_000],
    ['back', -20_000, 40e6 - 20_000],
  ])('a little %s comes little by little', async (_, micros, after) => {
    time.adopt(0);
    time.steer(micros);
    expect(time.now()).toBe(0);
    await clock.advance(10_000);
    expect(time.now()).toBeCloseTo(10e6 + Math.sign(micros) * 5000, 3);
    await clock.advance(30_000);
    expect(time.now()).toBeCloseTo(after, 3);
    await clock.advance(1000);
    expect(time.now()).toBeCloseTo(after + 1e6, 3);
  });
  test('anew replaces what was left of it', async () => {
    time.adopt(0);
    time.steer(20_000);
    await clock.advance(10_000);
    time.steer(-1000);
    await clock.advance(50_000);
    expect(time.now()).toBeCloseTo(60e6 + 5000 - 1000, 3);
  });
  test('far ahead comes at once', () => {
    time.adopt(1e6);
    time.steer(50_001);
    expect(time.now()).toBe(1_050_001);
  });
  test('far back makes it stand still until the others are where it was', async () => {
    time.adopt(5e6);
    expect(time.now()).toBe(5e6);
    time.steer(-2e6);
    expect(time.now()).toBe(5e6);
    expect(time.exact()).toBe(3e6);
    await clock.advance(1900);
    expect(time.now()).toBe(5e6);
    await clock.advance(300);
    expect(time.now()).toBe(5.2e6);
  });
  test('back beyond the start does not make it wait again', () => {
    time.adopt(1e6);
    time.now();
    time.steer(-9e6);
    expect(time.state).toBe('running');
    expect(time.now()).toBe(1e6);
  });
  test('before the start comes at once, in both directions', () => {
    time.startIn(5000);
    expect(time.now()).toBe(-5e6);
    time.steer(300);
    expect(time.now()).toBe(-4_999_700);
    time.steer(-1000);
    expect(time.now()).toBe(-5_000_700);
  });
});

describe('how long to wait for an instant', () => {
  test.each([0, 30_000, -30_000])('while it is steered by %i µs', async (micros) => {
    time.adopt(1e6);
    time.steer(micros);
    await clock.advance(7000);
    for (const ahead of [1000, 20e6, 400e6]) {
      const at = time.exact()! + ahead;
      const wait = time.millisUntil(at)!;
      expect(time.exact(clock.now() + wait)).toBeCloseTo(at, 2);
    }
  });
  test('that is over', async () => {
    time.adopt(1e6);
    expect(time.millisUntil(1e6)).toBe(0);
    expect(time.millisUntil(900_000)).toBe(-100);
  });
});

test('listeners are called when it becomes known and when it is corrected', () => {
  const heard: (number | undefined)[] = [];
  const stop = time.onChange(() => heard.push(time.now()));
  time.adopt(1e6);
  time.steer(60_000);
  time.steer(10);
  stop();
  time.steer(10);
  expect(heard).toEqual([1e6, 1_060_000, 1_060_000]);
});
