/** Numbers of an agent, of its machine, of mesh and clocks → symptoms. */
import { describe, expect, test } from 'vitest';
import { CAUSES } from '../../../agent/fidelity/causes.ts';
import { type Counted, Counters } from '../../../agent/fidelity/counters.ts';
import { Judge } from '../../../agent/fidelity/judge.ts';
import { apart, conflicting, Silences, SlowAnswers, skewed, slowed } from '../../../agent/fidelity/looks.ts';
import { Machine } from '../../../agent/fidelity/machine.ts';
import { Window } from '../../../agent/fidelity/window.ts';
import { parseAvailable, parseStat } from '../../../agent/health/machine-load.ts';

const codes = (symptoms: readonly { code: string }[]): string[] => symptoms.map(({ code }) => code);

test('a window says what has grown since its oldest sample', () => {
  const window = new Window<'n'>(5000);
  expect(window.add(0, { n: 10 })).toEqual({ grown: { n: 0 }, ms: 0 });
  expect(window.add(4000, { n: 14 })).toEqual({ grown: { n: 4 }, ms: 4000 });
  expect(window.add(8000, { n: 20 })).toEqual({ grown: { n: 10 }, ms: 8000 });
  expect(window.add(9000, { n: 21 })).toEqual({ grown: { n: 7 }, ms: 5000 });
  window.forget();
  expect(window.add(9500, { n: 30 }).grown).toEqual({ n: 0 });
});

describe('counters', () => {
  const counters = (): Counters =>
    new Counters({ lateBoundMs: 1, leastPackets: 100, tickMs: 50, tickBound: 2 });
  const counted = (changes: Partial<Counted> = {}): Counted => ({
    ...{ released: 0, lateMs: 0, unattended: 0, overflowed: 0, uncounted: 0, ticks: 0, strays: new Map() },
    ...changes,
  });

  test('what has been before the first look does not count', () => {
    const first = counted({ unattended: 9, overflowed: 9, uncounted: 9, strays: new Map([['a.0', 9]]) });
    expect(counters().look(0, first)).toEqual([]);
  });

  test('each number that grows is a cause of its own, with how many', () => {
    const watch = counters();
    watch.look(0, counted());
    const grown = counted({
      unattended: 3,
      overflowed: 5,
      uncounted: 7,
      ticks: 20,
      strays: new Map([['a.0', 2]]),
    });
    const found = watch.look(1000, grown);
    expect(found.map(({ code, measured, path }) => [code, measured, path])).toEqual([
      ['PACKETS_UNDELAYED', 3, undefined],
      ['QUEUE_OVERFLOW', 5, undefined],
      ['TRAFFIC_UNCOUNTED', 7, undefined],
      ['QUEUE_BYPASSED', 2, 'a.0 > *'],
    ]);
    expect(watch.look(2000, { ...grown, ticks: 40 })).toEqual([]);
  });

  test('the mean of the window decides, and only of enough packets', () => {
    const watch = counters();
    watch.look(0, counted());
    expect(codes(watch.look(1000, counted({ released: 99, lateMs: 990, ticks: 20 })))).toEqual([]);
    expect(codes(watch.look(2000, counted({ released: 200, lateMs: 1100, ticks: 40 })))).toEqual([
      'PACKETS_LATE',
    ]);
    expect(codes(watch.look(3000, counted({ released: 2000, lateMs: 1200, ticks: 60 })))).toEqual([]);
    expect(watch.meanLateMs).toBeCloseTo(0.6);
    watch.forget();
    expect(watch.meanLateMs).toBe(0);
  });

  test('ticks that come less than half as often as they should are told of', () => {
    const watch = counters();
    const look = (second: number, ticks: number) => watch.look(second * 1000, counted({ ticks }));
    for (const second of [0, 1, 2, 3]) expect(look(second, second * 20)).toEqual([]);
    expect(watch.areTicksLate).toBe(false);
    for (const second of [4, 5, 6]) look(second, 60 + (second - 3) * 5);
    const [symptom] = look(7, 80);
    expect(symptom).toMatchObject({
      code: 'TICKS_LATE',
      measured: 4,
      message: expect.stringContaining('10 of 40'),
    });
    expect(watch.areTicksLate).toBe(true);
    look(10, 140);
    expect(watch.areTicksLate).toBe(false);
  });
});

describe('the machine', () => {
  const stat = 'cpu  100 10 30 800 40 0 5 15 7 3\ncpu0 1 2 3 4 5 6 7 8 9 10\n';
  const load = { total: 0, idle: 0, stolen: 0, available: 0.5, activeMs: 0, idleMs: 0 };

  test('/proc/stat has ticks; guests are counted by the kernel among the others', () => {
    expect(parseStat(stat)).toEqual({ total: 1000, idle: 840, stolen: 15 });
  });

  test('/proc/meminfo has what is available; an old kernel does not say', () => {
    expect(parseAvailable('MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:   250 kB\n')).toBe(0.25);
    expect(parseAvailable('MemTotal:  1000 kB\n')).toBe(1);
  });

  test('no idle time, time that others took, a thread without rest, and little memory are symptoms', () => {
    const machine = new Machine();
    expect(machine.look(0, load)).toEqual([]);
    expect(machine.isSaturated).toBe(true);
    expect(machine.look(1000, { ...load, total: 200, idle: 40, activeMs: 400, idleMs: 600 })).toEqual([]);
    expect(machine.isSaturated).toBe(false);
    const busy = { total: 400, idle: 41, stolen: 30, available: 0.01, activeMs: 1390, idleMs: 610 };
    expect(codes(machine.look(2000, busy))).toEqual([
      'MEMORY_SHORT',
      'CPU_SATURATED',
      'CPU_STOLEN',
      'AGENT_BUSY',
    ]);
  });
});

describe('an agent without rest', () => {
  /** One that works this part of each second, from second 30 on; returns the second in which it is named. */
  function namedIn(part: number, from = 30, idle = 1): number | undefined {
    const [machine, judge] = [new Machine(), new Judge()];
    let activeMs = 0;
    for (let second = 0; second < from + 8; second++) {
      activeMs += 1000 * (second > from ? part : 0.1);
      const numbers = { total: 200 * second, idle: 200 * second * idle, stolen: 0, available: 0.5 };
      const load = { ...numbers, activeMs, idleMs: 1000 * second - activeMs };
      const symptoms = machine.look(second * 1000, load).filter(({ code }) => code === 'AGENT_BUSY');
      judge.observe(second * 1000, symptoms);
      if (judge.causes.length > 0) return second - from;
    }
    return undefined;
  }

  test('is named after two looks, one with little after five, and one with some not at all', () => {
    expect([namedIn(1), namedIn(0.96), namedIn(0.94)]).toEqual([2, 5, undefined]);
  });
  test('in the beginning, and where the machine has no time left, it has as long as one with little', () => {
    expect([namedIn(1, 3), namedIn(1, 30, 0)]).toEqual([5, 5]);
  });
});

describe('an agent whose rest is looked at between two looks', () => {
  /** One that does not rest from 30,600 ms on, but for `restMs` of each 100; when a look is wanted, ms. */
  function wantedAt(restMs: number): number | undefined {
    const machine = new Machine();
    let idleMs = 0;
    for (let now = 0; now < 36_000; now += 100) {
      idleMs += now > 30_600 ? restMs : 60;
      if (machine.noteWork(now, idleMs)) return now;
      const numbers = { total: now / 5, idle: now / 10, stolen: 0, available: 0.5 };
      if (now % 1000 === 0) machine.look(now, { ...numbers, activeMs: now - idleMs, idleMs });
    }
    return undefined;
  }

  test('has news 1.4 s after its last rest, not with the next look but one', () => {
    expect([wantedAt(0), wantedAt(1), wantedAt(2)]).toEqual([32_000, 32_000, undefined]);
  });

  test('has no news once it has been told', () => {
    const machine = new Machine();
    const load = { total: 0, idle: 0, stolen: 0, available: 0.5, activeMs: 0, idleMs: 0 };
    machine.look(0, load);
    machine.look(20_000, { ...load, total: 2000, idle: 1000, activeMs: 10_000, idleMs: 10_000 });
    expect(machine.noteWork(22_000, 10_000)).toBe(true);
    const told = machine.look(22_000, { ...load, total: 2200, idle: 1100, activeMs: 12_000, idleMs: 10_000 });
    expect(told).toMatchObject([{ code: 'AGENT_BUSY', since: 20_000, holdsMs: 0 }]);
    expect(machine.noteWork(22_100, 10_000)).toBe(false);
  });
});

describe('mesh and clocks', () => {
  test('a silent host is silent since its last heartbeat, until it is heard', () => {
    const silences = new Silences();
    const { bound } = CAUSES.HOST_SILENT;
    expect([silences.isNews([]), silences.isNews(['host1'])]).toEqual([false, true]);
    expect(silences.look(10_000, ['host1'])).toMatchObject([
      { code: 'HOST_SILENT', host: 'host1', since: 10_000 - bound, measured: bound },
    ]);
    expect(silences.look(12_000, ['host1'])).toMatchObject([
      { since: 10_000 - bound, measured: 2000 + bound },
    ]);
    expect([silences.isNews(['host1']), silences.isNews(['host1', 'host2'])]).toEqual([false, true]);
    expect(silences.look(13_000, [])).toEqual([]);
    expect(silences.look(20_000, ['host1'])).toMatchObject([{ since: 20_000 - bound }]);
  });

  test('other commands and contradictions are named with their host', () => {
    const hosts = [
      { name: 'host0', self: true, inStep: false },
      { name: 'host1', self: false, inStep: false },
      { name: 'host2', self: false, inStep: true },
    ];
    expect(apart(hosts)).toMatchObject([{ code: 'COMMANDS_APART', host: 'host1' }]);
    expect(conflicting([])).toEqual([]);
    expect(conflicting([{ kind: 'host' }, {}])).toMatchObject([{ code: 'MESH_CONFLICT', measured: 2 }]);
  });

  test('of a clock counts what is certain', () => {
    const clock = { state: 'running', reference: 'host0', offsetMs: -25, errorMs: 10, peers: [] } as const;
    expect(skewed('host1', clock)).toMatchObject([
      { code: 'CLOCK_APART', measured: 15, message: expect.stringContaining('ahead of that of host0') },
    ]);
    expect(skewed('host1', { ...clock, errorMs: 15 })).toEqual([]);
    expect(skewed('host0', clock)).toEqual([]);
    expect(skewed('host1', { ...clock, offsetMs: null })).toEqual([]);
  });

  test('an agent that takes long to answer is named', () => {
    const answers = new SlowAnswers();
    const times = [
      { host: 'host1', ms: 499, lastingMs: 499 },
      { host: 'host2', ms: 800, lastingMs: 20 },
    ];
    expect([answers.isNews(times.slice(0, 1)), answers.isNews(times)]).toEqual([false, true]);
    expect(answers.look(times, false)).toMatchObject([{ code: 'GOSSIP_SLOW', host: 'host2', measured: 800 }]);
    expect(answers.isNews(times)).toBe(false);
    expect(answers.look([], false)).toEqual([]);
    expect(answers.isNews(times)).toBe(true);
    // Where this machine has no time itself, what lasts counts.
    expect(answers.look(times, true)).toEqual([]);
    expect(answers.isNews(times)).toBe(false);
    expect(answers.look([{ host: 'host2', ms: 800, lastingMs: 600 }], true)).toMatchObject([
      { host: 'host2', measured: 600 },
    ]);
  });

  test('each path for which the real network is too slow is one', () => {
    const worst = [{ from: 'a.0', to: 'b.0', latencyMs: 5, realMs: 12, byMs: 7 }];
    expect(slowed({ count: 1, worst })).toMatchObject([
      { code: 'UNDERLAY_SLOW', path: 'a.0 > b.0', measured: 12, bound: 5 },
    ]);
  });
});
