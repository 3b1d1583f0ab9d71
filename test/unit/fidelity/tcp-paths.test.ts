/** Round trips that TCP has measured, against those of paths. */
import { beforeEach, describe, expect, test } from 'vitest';
import { limitsOf, type Measured, type RoundTrip, TcpPaths } from '../../../agent/fidelity/tcp-paths.ts';

const TRIP: RoundTrip = { latencyMs: 50, jitterMs: 0, transmissionMs: 2, isQuiet: true };
const connection = (changes: Partial<Measured> = {}): Measured => ({
  ...{
    id: 'x',
    smoothedMicros: 50_000,
    shortestMicros: 50_000,
    delivered: 50,
    retransmitted: 0,
    sinceAckMs: 10,
  },
  ...changes,
});

let tcp: TcpPaths;
let now: number;

/** A look at the only source. */
function look(connections: readonly Measured[], trip = TRIP) {
  now += 1000;
  tcp.begin(0, now);
  return tcp.judge(now, 'a > b', connections, trip);
}

const codes = (connections: readonly Measured[], trip = TRIP): string[] =>
  look(connections, trip).symptoms.map(({ code }) => code);

beforeEach(() => {
  tcp = new TcpPaths();
  now = 0;
  tcp.changed(0);
  // An endpoint's first look finds connections of any age.
  look([]);
});

describe('a connection that began after paths changed last', () => {
  test.each([
    [50_000, []],
    [47_600, []],
    [47_400, ['RTT_SHORT']],
    [100, ['RTT_SHORT']],
    [61_000, []],
    [62_500, ['RTT_LONG']],
  ])('with a shortest round trip of %i µs: %j', (shortestMicros, expected) => {
    expect(codes([connection({ shortestMicros, smoothedMicros: 80_000 })])).toEqual(expected);
  });

  test('may be faster or slower by jitter', () => {
    const jittery = { ...TRIP, jitterMs: 5 };
    expect(codes([connection({ shortestMicros: 30_000 })], jittery)).toEqual([]);
    expect(codes([connection({ shortestMicros: 20_000 })], jittery)).toEqual(['RTT_SHORT']);
    expect(codes([connection({ shortestMicros: 75_000 })], jittery)).toEqual([]);
  });

  test('may be slower where a queue can have formed, or after few packets', () => {
    const slow = connection({ shortestMicros: 90_000 });
    expect(codes([slow], { ...TRIP, isQuiet: false })).toEqual([]);
    expect(codes([{ ...slow, id: 'y', delivered: 9 }])).toEqual([]);
    expect(codes([{ ...slow, id: 'z' }])).toEqual(['RTT_LONG']);
  });

  test('that has heard nothing lately, or measured nothing, says nothing', () => {
    expect(codes([connection({ shortestMicros: 100, sinceAckMs: 10_000 })])).toEqual([]);
    expect(codes([connection({ shortestMicros: undefined })])).toEqual([]);
  });
});

describe('a connection that is older than its path', () => {
  test('is not judged by its shortest round trip, and by the smoothed one after enough packets', () => {
    const before = connection({ shortestMicros: 50_000 });
    expect(codes([before])).toEqual([]);
    tcp.changed(now + 500);
    const trip = { ...TRIP, latencyMs: 200 };
    expect(codes([{ ...before, smoothedMicros: 60_000 }], trip)).toEqual([]);
    expect(codes([{ ...before, smoothedMicros: 199_000, delivered: 250 }], trip)).toEqual([]);
    expect(codes([{ ...before, smoothedMicros: 60_000, delivered: 250 }], trip)).toEqual(['RTT_SHORT']);
  });

  test('even if it is seen for the first time', () => {
    const later = new TcpPaths();
    later.changed(0);
    later.begin(7, 60_000);
    expect(later.judge(60_000, 'a > b', [connection({ shortestMicros: 10 })], TRIP).symptoms).toEqual([]);
  });
});

test('the symptom names path, value and bound', () => {
  const { symptoms, seen } = look([
    connection({ shortestMicros: 1000, retransmitted: 3 }),
    connection({ id: 'y', retransmitted: 4 }),
  ]);
  expect(symptoms).toMatchObject([{ path: 'a > b', measured: 1, bound: 47.5 }]);
  expect(seen).toEqual({ measuredMs: 1, retransmitted: 7, at: now });
});

describe('a round trip that is too long', () => {
  test('is what all connections of a pair say, not one that began while the machine was busy', () => {
    const late = connection({ id: 'late', shortestMicros: 90_000, smoothedMicros: 95_000 });
    expect(look([late, connection({ id: 'right' })])).toMatchObject({ symptoms: [], isSuspicious: false });
    expect(codes([late])).toEqual(['RTT_LONG']);
    expect(codes([late, { ...late, id: 'another' }])).toEqual(['RTT_LONG']);
  });

  test('is suspected by the smoothed one, which proves nothing', () => {
    const queued = connection({ smoothedMicros: 90_000 });
    expect(look([queued])).toMatchObject({ symptoms: [], isSuspicious: true });
    expect(look([queued], { ...TRIP, isQuiet: false }).isSuspicious).toBe(false);
    expect(look([queued, connection({ id: 'y' })]).isSuspicious).toBe(false);
    expect(look([{ ...queued, sinceAckMs: 5000 }]).isSuspicious).toBe(false);
  });

  test('of an older connection is suspected once its packets are those of now', () => {
    tcp.changed(now);
    const old = connection({ smoothedMicros: 90_000, delivered: 1000 });
    expect(look([old]).isSuspicious).toBe(false);
    expect(look([{ ...old, delivered: 1200 }]).isSuspicious).toBe(true);
  });

  test('is judged with what this machine adds, up to a bound', () => {
    const judge = (shortestMicros: number, slackMs: number) => {
      now += 1000;
      tcp.begin(0, now);
      return tcp.judge(now, 'a > b', [connection({ shortestMicros })], TRIP, slackMs).symptoms.length;
    };
    expect([judge(65_000, 0), judge(65_000, 4), judge(69_000, 100)]).toEqual([1, 0, 1]);
  });
});

test('the limits grow with the path only so far, so that 20 ms too many are always too many', () => {
  for (const latencyMs of [1, 10, 50, 100, 1000])
    expect(limitsOf({ ...TRIP, latencyMs, transmissionMs: 0 }, 1000).most - latencyMs).toBeLessThan(20);
});
