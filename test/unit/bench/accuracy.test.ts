/** The bounds, and what the tables ask of the machine. */
import { describe, expect, it } from 'vitest';
import { INTERVAL_DEVIATIONS } from '../../../agent/linux/delay-line/jitter.ts';
import { isSlow } from '../../../bench/accuracy/context.ts';
import { delayTarget } from '../../../bench/accuracy/delays.ts';
import { framesPerSecond } from '../../../bench/accuracy/frame-rates.ts';
import { besideNetem, jitterTarget, spacingMs, withoutPauses } from '../../../bench/accuracy/jitters.ts';
import { lossTarget } from '../../../bench/accuracy/losses.ts';
import { besidePlain, isTooFast, targetOf } from '../../../bench/accuracy/tcp-rates.ts';
import { rateBetween } from '../../../bench/measure/traffic/frame-rate.ts';
import { judge } from '../../../bench/report/judge.ts';

const FAST = { goodputBps: 9e9 };
const SLOW = { goodputBps: 1.1e9 };

it('takes a machine for slow that has not twice 4 Gb/s', () => {
  expect([isSlow(FAST), isSlow(SLOW)]).toEqual([false, true]);
});

describe('TCP', () => {
  it('has the goodput of its rate for a target, within 1 %', () => {
    const { target, bound } = targetOf(128e3);
    expect(target).toBeCloseTo(122_420, 0);
    expect(bound).toEqual({ kind: 'relative', value: 0.01 });
  });
  it('is measured up to half of what the machine makes unshaped', () => {
    expect([isTooFast(512e6, SLOW), isTooFast(1e9, SLOW), isTooFast(4e9, FAST)]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe('a rate that was missed', () => {
  const missed = judge(targetOf(1e9), { measured: 930e6, spread: null, samples: 7 });
  it("is the machine's where tc by hand does no better", () => {
    expect(besidePlain(missed, 935e6)).toMatchObject({ verdict: 'beyond', note: 'tc by hand makes 935Mbps' });
  });
  it("is netfold's where tc by hand reaches it, or comes nearer", () => {
    expect(besidePlain(missed, 956e6).verdict).toBe('outside');
    expect(besidePlain(missed, 944e6).verdict).toBe('outside');
  });
});

describe('a jitter that netem misses', () => {
  const missed = judge(jitterTarget(1, 0.1), { measured: 1.27, spread: null, samples: 2000, note: 'own' });
  it("is the machine's where netem by hand misses it by as much", () => {
    expect(missed.verdict).toBe('outside');
    expect(besideNetem(missed, 1.2)).toMatchObject({
      verdict: 'beyond',
      note: 'own; netem by hand 1.200 ms',
    });
  });
  it("is netfold's where netem by hand meets it, or comes nearer", () => {
    expect(besideNetem(missed, 1.05).verdict).toBe('outside');
    expect(besideNetem(missed, 1.12).verdict).toBe('outside');
  });
});

describe('delay', () => {
  const at5 = { ms: 5, frameBytes: 64, rateBps: 10e9 };
  const baseline = { medianMs: 0.04, spread: { low: 0.03, high: 0.53 } };
  it('is twice one way and what the path takes unshaped', () => {
    const target = delayTarget({ ms: 50, frameBytes: 64, rateBps: 10e9 }, baseline, FAST);
    expect(target.what).toBe('50ms, 64 bytes');
    expect(target.target).toBeCloseTo(100.04, 3);
  });
  it('holds the time that a frame takes at the rate, without its check sum', () => {
    const slow = delayTarget({ ms: 10, frameBytes: 1518, rateBps: 8000 }, baseline, FAST);
    expect(slow.target).toBeCloseTo(2 * (10 + 1514) + 0.04);
  });
  it('is within 0.15 ms, on a slow machine within the spread of its own pings', () => {
    expect(delayTarget(at5, baseline, FAST).bound).toEqual({ kind: 'absolute', value: 0.15 });
    expect(delayTarget(at5, baseline, SLOW).bound.value).toBeCloseTo(0.5);
    const steady = { medianMs: 0.04, spread: { low: 0.03, high: 0.05 } };
    expect(delayTarget(at5, steady, SLOW).bound.value).toBe(0.15);
  });
});

describe('frames', () => {
  it('are counted as tc counts them, without check sum', () => {
    expect(framesPerSecond({ bps: 48e6, frameBytes: 64 })).toBe(100_000);
    expect(framesPerSecond({ bps: 1514 * 8, frameBytes: 1518 })).toBe(1);
  });
  it('have a rate from one arrival to another', () => {
    const from = { sent: 0, arrived: 100, atMs: 2000 };
    expect(rateBetween(from, { sent: 0, arrived: 137, atMs: 10_000 })).toBe(4.625);
  });
});

describe('loss', () => {
  it('is within 2 % of itself, given enough packets', () => {
    expect(lossTarget(0.025, 2_000_000).bound).toEqual({ kind: 'relative', value: 0.02 });
  });
  it('is within chance, given few', () => {
    expect(lossTarget(0.025, 10_000).bound.value).toBeCloseTo(0.161, 3);
  });
});

describe('jitter', () => {
  it("is held against itself and the machine's own, as variances add", () => {
    expect(jitterTarget(5, 0)).toMatchObject({ target: 5, bound: { kind: 'relative', value: 0.1 } });
    expect(jitterTarget(3, 4).target).toBe(5);
  });

  it('is met by pings that are independent', () => {
    for (const ms of [1, 5, 10])
      expect(spacingMs(ms, FAST)).toBeGreaterThanOrEqual(2 * INTERVAL_DEVIATIONS * ms);
    expect([spacingMs(1, FAST), spacingMs(1, SLOW)]).toEqual([20, 100]);
  });
  it('does not count pauses of the machine, but says how many there were', () => {
    const found = withoutPauses([50, 49, 51, 50, 56.1, 130, 44.5], 1);
    expect(found.kept).toEqual([50, 49, 51, 50, 44.5]);
    expect(found.leftOut).toBe(2);
    expect(found.spread.low).toBeLessThan(-5);
    expect(found.spread.high).toBeLessThan(1.01);
  });
});
