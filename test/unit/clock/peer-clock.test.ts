import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { DRIFT_PPM, type Exchange, PeerClock, SAMPLES } from '../../../agent/clock/peer-clock.ts';

/** The other clock shows so much more, in microseconds. */
const AHEAD = 5_000_000;
let peer: PeerClock;

beforeEach(() => {
  peer = new PeerClock({ name: 'b', peer: 'p', incarnation: 1, timed: true });
});

/** A question at `asked` (ms) whose ways took so many milliseconds; the answer took 2 ms. */
function exchange(asked: number, there: number, back: number, ahead = AHEAD): Exchange {
  const received = (asked + there) * 1000 + ahead;
  const answered = asked + there + 2 + back;
  return { incarnation: 1, asked, answered, timed: true, received, sent: received + 2000 };
}

test('the difference of two clocks, and how wrong it may be', () => {
  peer.add(exchange(100, 3, 1));
  const estimate = peer.estimate(106)!;
  expect(estimate.offset).toBe(AHEAD + 1000);
  // 6 ms later.
  expect(estimate.error).toBeCloseTo(2000.6, 6);
  expect(estimate.doubt).toBeCloseTo(0.6, 6);
  expect(peer.rttMicros).toBe(4000);
});

test('the sample with the least delay counts, until it is old', () => {
  peer.add(exchange(0, 9, 1));
  peer.add(exchange(1000, 1, 1.5));
  peer.add(exchange(2000, 1, 7));
  expect(peer.estimate(2010)!.offset).toBe(AHEAD - 250);
  expect(peer.rttMicros).toBe(2500);
  // 2.75 ms more of delay are worth 27.5 s of drift.
  peer.add(exchange(40_000, 4, 4));
  expect(peer.estimate(40_010)!.offset).toBe(AHEAD);
  expect(peer.estimate(40_010)!.doubt).toBeCloseTo(2751, 6);
});

test('an estimate becomes less certain', () => {
  peer.add(exchange(0, 1, 1));
  const first = peer.estimate(4)!;
  const later = peer.estimate(10_004)!;
  expect(later.error - first.error).toBeCloseTo(10 * DRIFT_PPM, 6);
  expect(later.doubt - first.doubt).toBeCloseTo(10 * DRIFT_PPM, 6);
});

test(`only the last ${SAMPLES} count`, () => {
  peer.add(exchange(0, 0.5, 0.5));
  for (let at = 1; at <= SAMPLES; at++) peer.add(exchange(at, 2, 1));
  expect(peer.rttMicros).toBe(3000);
  expect(peer.estimate(20)!.offset).toBe(AHEAD + 500);
});

test('how long an answer takes now, the latest say; those beside the regular ones are no samples of the clock', () => {
  peer.add(exchange(0, 1, 1));
  peer.noteAnswer(exchange(1000, 300, 300));
  expect(peer.answersAt(2000)).toBeUndefined();
  peer.noteAnswer(exchange(2000, 300, 310));
  expect(peer.answersAt(3000)).toEqual({ last: 610_000, least: 2000 });
  // One that has waited for 0.5 s will have taken so long at least.
  peer.underWaySince = 2600;
  expect(peer.answersAt(2600)).toEqual({ last: 610_000, least: 2000 });
  expect(peer.answersAt(3100)).toEqual({ last: 610_000, least: 500_000 });
  peer.underWaySince = undefined;
  peer.add(exchange(3000, 320, 300));
  expect(peer.answersAt(4000)).toEqual({ last: 620_000, least: 600_000 });
  for (let at = 4; at < 4 + SAMPLES - 2; at++) peer.noteAnswer(exchange(at * 1000, 300, 300));
  expect(peer.rttMicros).toBe(2000);
});

test('a clock that was stepped is believed at once', () => {
  peer.add(exchange(0, 1, 1));
  peer.add(exchange(1000, 4, 1, AHEAD + 100_000));
  expect(peer.estimate(1010)!.offset).toBe(AHEAD + 101_500);
  expect(peer.rttMicros).toBe(2000);
});

test('a host that does not know the time still gives a round-trip time', () => {
  peer.add({ ...exchange(0, 1, 2), timed: false });
  expect(peer.rttMicros).toBe(3000);
  expect(peer.estimate(10)).toBeUndefined();
  peer.add(exchange(1000, 5, 5));
  expect(peer.estimate(1012)).toMatchObject({ offset: AHEAD, doubt: expect.closeTo(3501.2, 6) });
  peer.forget();
  expect(peer.estimate(1012)).toBeUndefined();
  expect(peer.rttMicros).toBe(3000);
});

test('the true value is never further off than the error, however the ways differ and the clocks drift', () => {
  const delay = fc.double({ min: 0, max: 200, noNaN: true });
  const run = fc.array(fc.tuple(delay, delay, fc.integer({ min: 0, max: 5000 })), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(run, fc.integer({ min: -DRIFT_PPM, max: DRIFT_PPM }), (exchanges, ppm) => {
      const other = (ms: number): number => AHEAD + ms * 1000 * (1 + ppm / 1e6);
      const tested = new PeerClock({ name: 'b', peer: 'p', incarnation: 1, timed: true });
      let now = 0;
      for (const [there, back, pause] of exchanges) {
        const asked = now;
        now += there + back;
        const received = other(asked + there);
        tested.add({ incarnation: 1, asked, answered: now, timed: true, received, sent: received });
        now += pause;
        const { offset, error } = tested.estimate(now)!;
        expect(Math.abs(other(now) - now * 1000 - offset)).toBeLessThanOrEqual(error + 1e-6);
      }
    }),
    { seed: 2, numRuns: 300 },
  );
});
