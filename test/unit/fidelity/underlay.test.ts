/** Losses of the real network: how soon they are certain, and how seldom chance looks like them. */
import { describe, expect, test } from 'vitest';
import { TURN_MS } from '../../../agent/fidelity/echoes.ts';
import { LongerTrip, LongerTrips } from '../../../agent/fidelity/longer-trips.ts';
import { LossTest } from '../../../agent/fidelity/loss-test.ts';
import { Probes } from '../../../agent/fidelity/probes.ts';
import { UnderlayLoss } from '../../../agent/fidelity/underlay-loss.ts';
import { micros, ratio } from '../../../proto/units.ts';
import { FakeEchoes } from '../../support/fakes/fake-echoes.ts';

/** Numbers in 0..1, always the same for a seed (S. K. Park, K. W. Miller, 1988). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fffffff;
    return state / 0x7fffffff;
  };
}

describe('the test of losses', () => {
  const may = ratio(0.02);

  /** How many probes, which cross a network with this loss twice, until it is certain. */
  function untilCertain(loss: number, seed: number, most = 1e6): number {
    const test = new LossTest(may);
    const next = numbers(seed);
    for (let count = 1; count <= most; count++) {
      const isLost = next() < loss || next() < loss;
      test.note(isLost ? 1 : 0, isLost ? 0 : 1, 2);
      if (test.isCertain) return count;
    }
    return Number.POSITIVE_INFINITY;
  }
  const seeds = Array.from({ length: 20 }, (_, at) => 1 + at * 7919);

  test('a network that loses what it may is never accused: 200,000 probes are three hours of twenty a second', () => {
    expect(untilCertain(0.02, 1, 200_000)).toBe(Number.POSITIVE_INFINITY);
    expect(untilCertain(0.001, 2, 200_000)).toBe(Number.POSITIVE_INFINITY);
  });
  test.each([
    [0.3, 60],
    [0.5, 25],
    [1, 10],
  ])('a loss of %d each way is certain after %i probes at the most, of twenty tries', (loss, most) => {
    expect(Math.max(...seeds.map((seed) => untilCertain(loss, seed)))).toBeLessThanOrEqual(most);
  });
  test('one of a tenth takes longer, and is found', () => {
    expect(Math.max(...seeds.map((seed) => untilCertain(0.1, seed)))).toBeLessThan(600);
  });
  test('a lost one is a reason to ask more, until some have arrived', () => {
    const one = new LossTest(may);
    one.note(0, 100, 2);
    expect([one.isSuspicious, one.seen]).toEqual([false, { lost: 0, crossed: 0 }]);
    one.note(1, 0, 2);
    one.note(0, 1, 2);
    expect([one.isSuspicious, one.seen]).toEqual([true, { lost: 1, crossed: 4 }]);
    one.note(0, 20, 2);
    expect([one.isSuspicious, one.seen]).toEqual([false, { lost: 0, crossed: 0 }]);
  });
});

describe('segments of the mesh', () => {
  const look = (watch: UnderlayLoss, at: number, sent: number, lost: number) =>
    watch.look(at, [{ host: 'host1', sent, lost }]).map(({ code, host }) => `${code} ${host}`);

  test('losses count when they are still there a look later', () => {
    const watch = new UnderlayLoss();
    expect(look(watch, 0, 1000, 90)).toEqual([]);
    expect(look(watch, 1000, 1040, 110)).toEqual([]);
    expect(look(watch, 2000, 1060, 110)).toEqual(['UNDERLAY_LOSSY host1']);
    expect(watch.takeNews()).toBe(true);
    expect(watch.takeNews()).toBe(false);
  });
  test('those that the other end had already do not', () => {
    const watch = new UnderlayLoss();
    look(watch, 0, 1000, 0);
    look(watch, 1000, 1040, 20);
    expect(look(watch, 2000, 1060, 1)).toEqual([]);
    expect(look(watch, 3000, 1080, 1)).toEqual([]);
  });
  test('it is over when nothing was lost for five seconds', () => {
    const watch = new UnderlayLoss();
    look(watch, 0, 0, 0);
    look(watch, 1000, 40, 20);
    look(watch, 2000, 60, 20);
    expect(look(watch, 7000, 100, 20)).toEqual(['UNDERLAY_LOSSY host1']);
    expect(look(watch, 8000, 120, 20)).toEqual([]);
  });
  test('a connection that began anew has lost nothing, nor what was before', () => {
    const watch = new UnderlayLoss();
    look(watch, 0, 500, 3);
    look(watch, 1000, 10, 9);
    expect(look(watch, 2000, 20, 9)).toEqual([]);
    watch.forget();
    look(watch, 3000, 100, 50);
    expect(look(watch, 4000, 110, 50)).toEqual([]);
  });
});

describe('probes to other hosts', () => {
  /** A second of silence of the mesh, and a network whose losses follow `isLost`. */
  function run(
    ms: number,
    isLost: (now: number, address: string) => boolean,
    addresses: readonly (string | undefined)[] = ['192.0.2.1'],
  ) {
    const echoes = new FakeEchoes();
    const loss = new UnderlayLoss();
    const probes = new Probes(echoes, loss);
    const others = addresses.map((address, at) => ({ host: `host${at}`, sent: 10, lost: 0, address }));
    const named = new Map<string, number>();
    let inSecond = 0;
    let most = 0;
    for (let now = 0; now < ms; now += TURN_MS) {
      echoes.now = now;
      const isNew = probes.turn(now);
      const sent = echoes.takeSent();
      inSecond += sent.length;
      for (const { token, address } of sent) if (!isLost(now, address)) echoes.answer(token, 1);
      if (!isNew && now % 1000 !== 0) continue;
      probes.hosts.keep(others);
      for (const { host } of loss.look(now, others)) if (!named.has(host!)) named.set(host!, now);
      if (now % 1000 !== 0) continue;
      most = Math.max(most, inSecond);
      inSecond = 0;
    }
    return { named, most, history: echoes.history };
  }

  test.each(Array.from({ length: 10 }, (_, at) => [5000 + at * TURN_MS, 1 + at * 104_729]))(
    'a network that begins to lose three in ten at %i ms (seed %i) is named within three seconds',
    (from, seed) => {
      const next = numbers(seed);
      const { named } = run(20_000, (now) => now >= from && (next() < 0.3 || next() < 0.3));
      expect(named.get('host0')! - from).toBeLessThanOrEqual(3000);
    },
  );

  test('one that loses nothing gets five a second, whatever the number of hosts', () => {
    const addresses = Array.from({ length: 30 }, (_, at) => `192.0.2.${at}`);
    for (const all of [addresses, addresses.slice(0, 1)]) {
      const { named, most, history } = run(40_000, () => false, all);
      expect([named.size, new Set(history).size]).toEqual([0, all.length]);
      expect(most).toBeLessThanOrEqual(6);
    }
  });

  test('a host that never answers may not be allowed to, and is asked seldom', () => {
    const { named, history } = run(60_000, () => true);
    expect(named.size).toBe(0);
    expect(history.length).toBeLessThan(25);
  });

  test('a host without an address is not probed', () => {
    expect(run(5000, () => false, [undefined]).history).toEqual([]);
  });
});

describe('a network that takes longer', () => {
  test('is one as soon as all of almost a second took longer, until one did not', () => {
    const trip = new LongerTrip();
    const note = (ms: number, at: number): (number | undefined)[] => {
      trip.note(ms, at);
      return [trip.longerMs, trip.isDoubtful ? 1 : 0];
    };
    expect(note(2, 0)).toEqual([undefined, 0]);
    expect(note(12, 200)).toEqual([undefined, 0]);
    for (const at of [300, 400, 500, 1199]) expect(note(62, at)).toEqual([undefined, 1]);
    expect(note(70, 1200)).toEqual([62, 0]);
    expect(note(65, 1400)).toEqual([62, 0]);
    for (let at = 1600; at < 4000; at += 200) note(90, at);
    expect([trip.longerMs, trip.shortestMs]).toEqual([90, 2]);
    expect(note(5, 4000)).toEqual([undefined, 0]);
  });

  test('of few answers nothing is known, however long they are apart', () => {
    const trip = new LongerTrip();
    for (const [ms, at] of [
      [1, 0],
      [50, 1000],
      [50, 4000],
      [50, 7000],
    ] as const)
      trip.note(ms, at);
    expect([trip.longerMs, trip.isDoubtful]).toEqual([undefined, true]);
  });

  test('a long way may differ by a fifth', () => {
    const trip = new LongerTrip();
    trip.note(100, 0);
    for (let at = 100; at < 3000; at += 100) trip.note(120, at);
    expect(trip.longerMs).toBeUndefined();
    for (let at = 3000; at < 6000; at += 100) trip.note(121, at);
    expect(trip.longerMs).toBe(121);
  });

  /**
   * Two hosts, the first of which is `longerMs` further from `from` on, for `forMs`. TCP was there before. When that was known, and how many
   * were sent in all.
   */
  function run(forMs: number, longerMs: number, from = 5000) {
    const echoes = new FakeEchoes();
    const loss = new UnderlayLoss();
    const probes = new Probes(echoes, loss);
    const others = ['192.0.2.1', '192.0.2.2'].map((address, at) => ({
      ...{ host: `host${at}`, sent: 10, lost: 0, address, shortestMicros: micros(1000) },
    }));
    let knownAt: number | undefined;
    let over: number | undefined;
    for (let now = 0; now < 20_000; now += TURN_MS) {
      echoes.now = now;
      const isNew = probes.turn(now);
      const isLong = now >= from && now < from + forMs;
      for (const { token, address } of echoes.takeSent())
        echoes.answer(token, isLong && address === '192.0.2.1' ? 1 + longerMs : 1);
      probes.hosts.keep(others);
      if (now > 0) expect(loss.look(now, others)).toEqual([]);
      const longer = probes.hosts.longer(false);
      if (longer.size > 0 && knownAt === undefined) {
        knownAt = now;
        expect([isNew, [...longer]]).toEqual([true, [['host0', (1 + longerMs) * 1000]]]);
        expect(probes.hosts.longer(false)).toBe(longer);
      }
      if (longer.size === 0 && knownAt !== undefined) over ??= now;
    }
    return { after: knownAt === undefined ? undefined : knownAt - from, over, sent: echoes.history.length };
  }

  test('is known within two seconds, alone, and over when it is as before; then it is asked as seldom as ever', () => {
    const { after, over, sent } = run(5000, 60);
    expect(after).toBeLessThan(2000);
    expect(over).toBeLessThan(10_600);
    expect(sent).toBeLessThan(5 * 20 + 15);
  });
  test('by far is no loss: what comes late was not lost', () => {
    const { after, sent } = run(15_000, 600);
    expect(after).toBeLessThan(3000);
    expect(sent).toBeLessThan(5 * 20 + 80);
  });
  test('since before the first probe is known as soon, by what TCP took before', () => {
    expect(run(15_000, 60, 0).after).toBeLessThan(2000);
    expect(run(15_000, 600, 0).after).toBeLessThan(4000);
    expect(run(15_000, 9, 0).after).toBeUndefined();
  });
  test('counts on a machine without idle time when it has lasted for five seconds, by the least of them', () => {
    const trip = new LongerTrip();
    const seen: (number | undefined)[] = [];
    trip.note(1, 0);
    for (let at = 100; at <= 6000; at += 100) {
      trip.note(at === 2000 ? 20 : 60, at);
      seen.push(trip.lastingMs);
    }
    expect(seen.indexOf(20)).toBe(50);
    expect([seen[49], trip.longerMs]).toEqual([undefined, 60]);
    const trips = new LongerTrips();
    const told = (isBusy: boolean) => [...trips.of([['host1', trip]], isBusy)];
    expect([told(false), told(true)]).toEqual([[['host1', 60_000]], [['host1', 20_000]]]);
    trip.note(1, 6100);
    expect([told(false), told(true), trip.lastingMs]).toEqual([[], [], undefined]);
  });
  test('TCP counts by the shortest that it ever took; without it, the first probe does', () => {
    for (const [tcp, longer] of [
      [[2, 70], 62],
      [[70, 2], 62],
      [[60], undefined],
      [[], undefined],
    ] as const) {
      const trip = new LongerTrip();
      for (const ms of tcp) trip.noteTcp(ms);
      for (let at = 0; at < 2000; at += 200) trip.note(62, at);
      expect([trip.longerMs, trip.shortestMs]).toEqual([longer, 62]);
    }
  });
  test('is no matter when it passes, or is little', () => {
    expect(run(600, 60).after).toBeUndefined();
    expect(run(15_000, 9).after).toBeUndefined();
  });
});
