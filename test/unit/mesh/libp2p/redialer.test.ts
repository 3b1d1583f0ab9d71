import { expect, test } from 'vitest';
import {
  ENOUGH_CONNECTIONS,
  FIRST_REDIAL_MS,
  MAX_REDIAL_MS,
  MAX_TARGETS,
  Redialer,
} from '../../../../agent/mesh/libp2p/redialer.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

function lab(random = () => 0) {
  const clock = new ManualClock();
  const connected = new Set<string>();
  const dials: { target: string; at: number }[] = [];
  let reachable = false;
  const redialer = new Redialer<string>({
    dial: async (target) => {
      dials.push({ target, at: clock.now() });
      if (!reachable) throw new Error('unreachable');
      connected.add(target);
    },
    isConnected: (target) => connected.has(target),
    connections: () => connected.size,
    clock,
    timers: clock,
    random,
  });
  redialer.start();
  return { clock, connected, dials, redialer, reach: (now: boolean) => (reachable = now) };
}

test('what can not be reached is dialled less and less often, but for ever', async () => {
  const { clock, dials, redialer } = lab();
  redialer.keep('a', 'a');
  await clock.advance(60_000);
  const gaps = dials.slice(1).map(({ at }, number) => at - dials[number]!.at);
  expect(gaps.slice(0, 2)).toEqual([2 * FIRST_REDIAL_MS, 4 * FIRST_REDIAL_MS]);
  expect(new Set(gaps.slice(2))).toEqual(new Set([MAX_REDIAL_MS]));
  expect(dials.at(-1)!.at).toBeGreaterThan(57_000);
});

test('how long it waits is left to chance, between half of it and all', async () => {
  const draws = [0.99, 0, 0.99, 0.4, 0.99];
  const { clock, dials, redialer } = lab(() => draws[(dials.length - 1) % draws.length]!);
  redialer.keep('a', 'a');
  await clock.advance(10_000);
  const gaps = dials.slice(1).map(({ at }, number) => at - dials[number]!.at);
  // 505, 1000, 505, 800 and 505 ms, as it is looked every 250 ms.
  expect(gaps.slice(1, 10)).toEqual([1000, 750, 1000, 750, 750, 1000, 750, 1000, 750]);
});

test('a lost connection is dialled again at once, and with the first interval', async () => {
  const { clock, connected, dials, redialer, reach } = lab();
  redialer.keep('a', 'a');
  await clock.advance(20_000);
  reach(true);
  await clock.advance(MAX_REDIAL_MS);
  expect(connected.has('a')).toBe(true);
  const before = dials.length;
  await clock.advance(10_000);
  expect(dials).toHaveLength(before);
  reach(false);
  connected.delete('a');
  const lostAt = clock.now();
  await clock.advance(1000);
  expect(dials[before]!.at - lostAt).toBe(FIRST_REDIAL_MS);
  expect(dials[before + 1]!.at - dials[before]!.at).toBe(2 * FIRST_REDIAL_MS);
});

test('addresses without an answer are listed, as long as that lasts', async () => {
  const { clock, connected, redialer, reach } = lab();
  redialer.keep('a', 'a');
  connected.add('b');
  redialer.keep('b', 'b');
  expect(redialer.failing()).toEqual([]);
  await clock.advance(2000);
  expect(redialer.failing()).toEqual(['a']);
  // Whoever it is has dialled this agent.
  connected.add('a');
  expect(redialer.failing()).toEqual([]);
  connected.delete('a');
  reach(true);
  await clock.advance(2000);
  expect(redialer.failing()).toEqual([]);
});

test('what is forgotten, and everything after the stop, is left alone', async () => {
  const { clock, dials, redialer } = lab();
  redialer.keep('a', 'a');
  redialer.keep('b', 'b');
  redialer.forget('a');
  await clock.advance(1000);
  expect(new Set(dials.map(({ target }) => target))).toEqual(new Set(['b']));
  redialer.stop();
  dials.length = 0;
  await clock.advance(60_000);
  expect(dials).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

test('a new address of a known target is used from then on', async () => {
  const { clock, dials, redialer } = lab();
  redialer.keep('peer', 'old');
  await clock.advance(FIRST_REDIAL_MS);
  redialer.keep('peer', 'new');
  expect(redialer.get('peer')).toBe('new');
  await clock.advance(10_000);
  expect(dials.filter(({ target }) => target === 'old')).toHaveLength(1);
});

test('there are enough connections at some point, and targets have a bound', async () => {
  const { clock, connected, redialer, reach } = lab();
  reach(true);
  for (let number = 0; number < MAX_TARGETS + 5; number++) redialer.keep(`${number}`, `${number}`);
  await clock.advance(10_000);
  expect(connected.size).toBe(ENOUGH_CONNECTIONS);
  expect(redialer.get(`${MAX_TARGETS - 1}`)).toBeDefined();
  expect(redialer.get(`${MAX_TARGETS}`)).toBeUndefined();
});
