import { describe, expect, it } from 'vitest';
import { judgeLoss, judgeRate, judgeRoundTrip } from '../../../controller/verify/judge.ts';

/** A measurement of the usual length, in which segments at its ends don't count. */
const TARGET = { rateBps: 10e6, seconds: 60 };

describe('a round trip', () => {
  const of = (
    meanMs: number,
    errorMs = 0,
    sample: { targetMs?: number; deviationMs?: number; medianMs?: number } = {},
  ) => {
    const { targetMs = 20, ...own } = sample;
    const jitter = { deviationMs: 10 * errorMs, independentSamples: 100 };
    return judgeRoundTrip('a ⇄ b', targetMs, jitter, {
      sent: 10,
      received: 10,
      meanMs,
      medianMs: meanMs,
      ...own,
    });
  };

  it('may be half a millisecond off, in either direction', () => {
    expect([20, 20.49, 19.51].map((ms) => of(ms).ok)).toEqual([true, true, true]);
    expect([20.51, 19.49, Number.NaN].map((ms) => of(ms).ok)).toEqual([false, false, false]);
  });

  it('may be further off where jitter moves the mean', () => {
    expect(of(21, 0.2).ok).toBe(true);
    expect(of(21.2, 0.2).ok).toBe(false);
    expect(of(21, 0.2).tolerance).toBe('1.16 ms');
  });

  it('is judged by the median, which a pause leaves alone, or by the mean, which jitter has', () => {
    expect(of(25, 0, { medianMs: 20.1 })).toMatchObject({ ok: true, measured: 20.1 });
    expect(of(25, 0.2, { medianMs: 20.1 })).toMatchObject({ ok: false, measured: 25 });
  });

  it('is never further off than a quarter, however large its jitter', () => {
    // 1 ms with a jitter of 50 ms, which packets can't have: the mean comes out at 45 ms.
    expect(of(45, 7, { targetMs: 2 })).toMatchObject({ ok: false, tolerance: '1.00 ms' });
    expect(of(25.4, 7).ok).toBe(true);
    expect(of(25.6, 7).ok).toBe(false);
  });

  it('has no room for a jitter that did not happen', () => {
    expect(of(21, 0.2, { deviationMs: 2 }).ok).toBe(true);
    expect(of(21, 0.2, { deviationMs: 0.1 })).toMatchObject({ ok: false, tolerance: '0.53 ms' });
  });
});

describe('loss', () => {
  const of = (target: number, sent: number, lost: number) =>
    judgeLoss('a ⇄ b', target, { sent, received: sent - lost, meanMs: 1, medianMs: 1 });

  it('is held against the spread of as many packets', () => {
    // 1 % of 10,000 packets: a standard error of 9.95.
    expect(of(0.01, 10_000, 132).ok).toBe(true);
    expect(of(0.01, 10_000, 68).ok).toBe(true);
    expect(of(0.01, 10_000, 133).ok).toBe(false);
    expect(of(0.01, 10_000, 67).ok).toBe(false);
    expect(of(0.01, 100, 3).ok).toBe(true);
  });

  it('on a path without any must be none', () => {
    expect(of(0, 1000, 0).ok).toBe(true);
    expect(of(0, 1000, 1).ok).toBe(false);
  });

  it('of everything must be of everything', () => {
    expect(of(1, 1000, 1000).ok).toBe(true);
    expect(of(1, 1000, 999).ok).toBe(false);
  });
});

describe('a rate', () => {
  it('is held against the payload that its frames carry', () => {
    const payload = (10e6 * 1448) / 1514;
    expect(judgeRate('bandwidth', 'a > b', TARGET, payload)).toMatchObject({
      ok: true,
      target: payload,
      measured: payload,
    });
    // 20 bytes of header more.
    expect(judgeRate('bandwidth', 'a > b', TARGET, payload, 'fd00::1').target).toBe((10e6 * 1428) / 1514);
    expect(judgeRate('bandwidth', 'a > b', TARGET, payload * 1.021).ok).toBe(false);
    expect(judgeRate('bandwidth', 'a > b', TARGET, payload * 0.979).ok).toBe(false);
  });

  it('may be off by the segments that were counted at its ends, of which a slow flow has few', () => {
    // Of a hundred frames in 12 s.
    const slow = { rateBps: (100 * 1514 * 8) / 12, seconds: 12 };
    const payload = (slow.rateBps * 1448) / 1514;
    expect(judgeRate('bandwidth', 'a > b', slow, payload * 1.039).ok).toBe(true);
    expect(judgeRate('bandwidth', 'a > b', slow, payload * 1.041)).toMatchObject({
      ok: false,
      tolerance: '4.0 %',
    });
  });

  it('may be 2 % off alone and 5 % off where flows compete', () => {
    const goodput = (10e6 * 1448 * 1.04) / 1514;
    expect(judgeRate('bandwidth', 'a > b', TARGET, goodput).ok).toBe(false);
    expect(judgeRate('share', 'a > b', TARGET, goodput).ok).toBe(true);
  });
});
