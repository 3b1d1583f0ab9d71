/** Probes: when they are sent, what they may cost, and what follows from what they meet. */
import { describe, expect, test } from 'vitest';
import { TURN_MS } from '../../../agent/fidelity/echoes.ts';
import { ProbeOutcomes } from '../../../agent/fidelity/probe-outcomes.ts';
import { Probes } from '../../../agent/fidelity/probes.ts';
import { PROBE_FRAME_BYTES, type Target } from '../../../agent/fidelity/probing.ts';
import { UnderlayLoss } from '../../../agent/fidelity/underlay-loss.ts';
import { WorkBudget } from '../../../agent/fidelity/work-budget.ts';
import {
  checksumOf,
  messageOf,
  PROBE_IDENTIFIER,
  tokenIn,
  writeToken,
} from '../../../agent/linux/probe/echo-probes.ts';
import { bps, fromMillis, micros, ratio } from '../../../proto/units.ts';
import type { Path } from '../../../topology/model/model.ts';
import { FakeEchoes } from '../../support/fakes/fake-echoes.ts';

const TRIP = { latencyMs: 40, jitterMs: 0, transmissionMs: 0, isQuiet: true };

/** One every half second. */
function judged(
  outcomes: readonly (number | undefined)[],
  changes: Partial<typeof TRIP> = {},
  { loss = 0, everyMs = 500, isBesideTcp = false, slackMs = 0 } = {},
): string[] {
  const probes = new ProbeOutcomes();
  for (const [index, one] of outcomes.entries()) probes.note(one, index * everyMs);
  const expected = { trip: { ...TRIP, ...changes }, loss, isBesideTcp, slackMs };
  return probes.symptoms('a.0 > b.0', expected).map(({ code }) => code);
}

describe('what probes meet', () => {
  test('as the path says, and a little more, is no symptom', () => {
    expect(judged([40.2, 40.4, 41, 44, 39.5])).toEqual([]);
  });
  test('two that are too short are', () => {
    expect(judged([0.1])).toEqual([]);
    expect(judged([40, 0.1, 0.1])).toEqual(['RTT_SHORT']);
    expect(judged([0.1, 40])).toEqual([]);
    expect(judged([0.1, 0.1], { jitterMs: 15 })).toEqual([]);
  });
  test('four that are too long are, unless a queue may have formed', () => {
    expect(judged([90, 90, 90])).toEqual([]);
    expect(judged([90, 40, 90, 90, 90])).toEqual([]);
    expect(judged([90, 95, 92, 91])).toEqual(['RTT_LONG']);
    expect(judged([90, undefined, 95, 92, undefined, 91])).toEqual(['RTT_LONG']);
    expect(judged([90, 95, 92, 91], { isQuiet: false })).toEqual([]);
    expect(judged([90, 95, 92, 91], { transmissionMs: 60 })).toEqual([]);
  });
  test('twenty milliseconds too many are too long on any path, however late this machine is', () => {
    for (const latencyMs of [0, 10, 40, 100, 400, 2000])
      expect(judged(Array(4).fill(latencyMs + 20), { latencyMs }, { slackMs: 50 })).toEqual(['RTT_LONG']);
  });
  test('what this machine adds now is no fault of the path', () => {
    expect(judged([50, 50, 50, 50])).toEqual(['RTT_LONG']);
    expect(judged([50, 50, 50, 50], {}, { slackMs: 4 })).toEqual([]);
  });
  test('a pause of the machine is shorter than what is too long', () => {
    expect(judged(Array(8).fill(90), {}, { everyMs: 100 })).toEqual([]);
    expect(judged(Array(10).fill(90), {}, { everyMs: 100 })).toEqual(['RTT_LONG']);
  });
  test('beside TCP, ten have to be too long, and lost ones say nothing', () => {
    const beside = { isBesideTcp: true };
    expect(judged(Array(9).fill(90), {}, beside)).toEqual([]);
    expect(judged(Array(10).fill(90), {}, beside)).toEqual(['RTT_LONG']);
    expect(judged([...Array(9).fill(90), 41], {}, beside)).toEqual([]);
    expect(judged([40, ...Array(9).fill(undefined)], {}, beside)).toEqual([]);
  });
  test('what was before the path was quiet says nothing of queues', () => {
    const probes = new ProbeOutcomes();
    for (const [index, one] of [90, 95, 92, 91, undefined].entries()) probes.note(one, index * 500);
    probes.forgetQueued();
    probes.note(93, 2500);
    expect(probes.symptoms('a.0 > b.0', { trip: TRIP, loss: 0 })).toEqual([]);
  });
  test('those that no longer come back are, if the path should not lose so many', () => {
    const none = [undefined, undefined, undefined, undefined] as const;
    const lossy = { loss: 0.36 };
    expect(judged([40, ...none.slice(1)])).toEqual([]);
    expect(judged([40, ...none])).toEqual(['PROBES_LOST']);
    expect(judged([40, ...none], { isQuiet: false })).toEqual([]);
    // A firewall in the endpoint.
    expect(judged([...none, ...none])).toEqual([]);
    // 20 % of both directions: eight in a row are not rare enough.
    expect(judged([40, ...none, ...none], {}, lossy)).toEqual([]);
    expect(judged([40, ...Array.from({ length: 14 }, () => undefined)], {}, lossy)).toEqual(['PROBES_LOST']);
    expect(judged([40, ...Array.from({ length: 30 }, () => undefined)], {}, { loss: 1 })).toEqual([]);
  });
  test('they are counted', () => {
    const probes = new ProbeOutcomes();
    for (const [index, one] of [40, undefined, 41].entries()) probes.note(one, index);
    expect(probes.told).toEqual({ sent: 3, lost: 1, latestMs: 41 });
  });
});

const pathWith = (bandwidthBps: number, latencyMs = 20): Path =>
  ({
    ...{ from: 0, to: 1, hops: 1, links: [0], loss: ratio(0), jitter: micros(0) },
    ...{ bandwidth: bps(bandwidthBps), latency: fromMillis(latencyMs) },
  }) as unknown as Path;

const targetOf = (
  key: number,
  bandwidthBps: number,
  changes: Partial<Target> & { latencyMs?: number } = {},
): Target => {
  const { latencyMs = 20, ...others } = changes;
  return {
    ...{ key, name: `path ${key}`, address: `10.0.0.${key}`, bandwidthBps, loss: 0 },
    from: { number: 0 } as Target['from'],
    ways: [pathWith(bandwidthBps, latencyMs), pathWith(bandwidthBps, latencyMs)],
    trip: { ...TRIP, latencyMs: 2 * latencyMs },
    waitMs: 2 * latencyMs,
    ...others,
  };
};

/** Probes over a network that a test decides about, on a clock of its own. */
class Trial {
  readonly echoes = new FakeEchoes();
  readonly probes = new Probes(this.echoes, new UnderlayLoss());
  now = 0;
  /** When each code was seen first: at a look once a second, or at once where there is news. */
  readonly named = new Map<string, number>();

  turn(now: number): boolean {
    this.now = this.echoes.now = now;
    return this.probes.turn(now);
  }

  look(targets: readonly Target[]): void {
    const symptoms = this.probes.look(this.now, [], (paths) => paths.look(this.now, targets));
    for (const { code } of symptoms) if (!this.named.has(code)) this.named.set(code, this.now);
  }

  /** `trip`: of a probe that is sent now, ms; `undefined`: it is lost. */
  run(
    ms: number,
    targets: readonly Target[],
    trip: (now: number, address: string) => number | undefined,
  ): void {
    for (const end = this.now + ms; this.now < end; this.now += TURN_MS) {
      const isNew = this.turn(this.now);
      for (const { token, address } of this.echoes.takeSent()) {
        const took = trip(this.now, address);
        if (took !== undefined) this.echoes.answer(token, took);
      }
      if (isNew || this.now % 1000 === 0) this.look(targets);
    }
  }

  count(address: string): number {
    return this.echoes.history.filter((one) => one === address).length;
  }
}

const right = (): number => 40;

describe('when probes are sent', () => {
  test('once a second, and on slow paths so that they use a two-thousandth of it', () => {
    const trial = new Trial();
    const targets = [targetOf(1, 10e6), targetOf(2, 50e3)];
    trial.look(targets);
    trial.run(240_000, targets, right);
    expect(trial.count('10.0.0.1')).toBeGreaterThan(220);
    expect(trial.count('10.0.0.1')).toBeLessThan(300);
    expect((trial.count('10.0.0.2') * PROBE_FRAME_BYTES * 8) / 240 / 50e3).toBeLessThan(0.00065);
    expect(trial.count('10.0.0.2')).toBeGreaterThan(1);
    expect(trial.named.size).toBe(0);
  });

  // Whenever it begins, between two probes.
  const begins = Array.from({ length: 11 }, (_, at) => 5000 + at * TURN_MS);

  test.each(begins)('a path that is cut at %i ms is named within three seconds', (cutAt) => {
    const trial = new Trial();
    const targets = [targetOf(1, 10e6, { latencyMs: 40 })];
    trial.look(targets);
    trial.run(20_000, targets, (now) => (now < cutAt ? 80 : undefined));
    expect(trial.named.get('PROBES_LOST')! - cutAt).toBeLessThanOrEqual(3000);
    // Once it is named, there is no more hurry.
    expect(trial.count('10.0.0.1')).toBeLessThan(40);
  });

  test.each(begins)('one that takes 20 ms longer from %i ms on, too', (from) => {
    const trial = new Trial();
    const targets = [targetOf(1, 10e6, { latencyMs: 40 })];
    trial.look(targets);
    trial.run(20_000, targets, (now) => (now < from ? 80.3 : 100.3));
    expect(trial.named.get('RTT_LONG')! - from).toBeLessThanOrEqual(3000);
  });

  test.each(begins)('and one whose rules are passed by from %i ms on', (from) => {
    const trial = new Trial();
    const targets = [targetOf(1, 10e6, { latencyMs: 40 })];
    trial.look(targets);
    trial.run(20_000, targets, (now) => (now < from ? 80 : 0.1));
    expect(trial.named.get('RTT_SHORT')! - from).toBeLessThanOrEqual(3000);
  });

  test('a path that TCP says is too long is looked after at once, and named or left alone', () => {
    for (const [trip, codes] of [
      [62, ['RTT_LONG']],
      [41, []],
    ] as const) {
      const trial = new Trial();
      const targets = [targetOf(1, 10e6, { isBesideTcp: true })];
      trial.look(targets);
      trial.run(2000, targets, () => trip);
      expect([...trial.named.keys()]).toEqual(codes);
      if (codes.length === 0) expect(trial.count('10.0.0.1')).toBeLessThan(4);
    }
  });

  test('where one probe in three waits in a queue, no path is too long', () => {
    const trial = new Trial();
    const targets = Array.from({ length: 50 }, (_, key) => targetOf(key, 20e6, { isBesideTcp: true }));
    let state = 1;
    const chance = (): number => {
      state = (state * 48_271) % 0x7fffffff;
      return state / 0x7fffffff;
    };
    trial.look(targets);
    trial.run(20_000, targets, () => (chance() < 0.3 ? 90 : 41));
    expect([...trial.named]).toEqual([]);
  });

  test('odd paths use less than half a percent of their bandwidth', () => {
    const trial = new Trial();
    const targets = [targetOf(1, 300e3)];
    trial.look(targets);
    trial.run(12_000, targets, right);
    const before = trial.count('10.0.0.1');
    trial.run(6000, targets, () => undefined);
    const sent = trial.count('10.0.0.1') - before;
    expect(sent).toBeGreaterThan(3);
    expect((sent * PROBE_FRAME_BYTES * 8) / 6 / 300e3).toBeLessThan(0.006);
  });

  test('a pause of this machine loses nothing', () => {
    const trial = new Trial();
    const targets = [targetOf(1, 10e6)];
    trial.look(targets);
    trial.run(5000, targets, right);
    // Sent before the pause, answered after it.
    let waiting = trial.echoes.takeSent();
    for (; waiting.length === 0; waiting = trial.echoes.takeSent()) trial.turn(trial.now + TURN_MS);
    trial.turn(trial.now + 3000);
    for (const { token } of waiting) trial.echoes.answer(token, 41);
    trial.run(2000, targets, right);
    expect([trial.probes.counted.lost, trial.named.size]).toEqual([0, 0]);
  });

  test('an answer of a path that was another does not count', () => {
    const trial = new Trial();
    trial.look([targetOf(1, 10e6)]);
    trial.turn(600);
    const [{ token } = { token: -1 }] = trial.echoes.takeSent();
    trial.look([targetOf(1, 10e6, { latencyMs: 50 })]);
    trial.echoes.answer(token, 40);
    trial.turn(700);
    expect(trial.probes.paths.ofPath(1)).toEqual({ sent: 0, lost: 0, latestMs: null });
    for (let now = 800; now <= 2000; now += TURN_MS) trial.turn(now);
    expect(trial.probes.paths.ofPath(1)).toEqual({ sent: 1, lost: 1, latestMs: null });
  });
});

describe('what probes cost', () => {
  test('is bounded: very many paths wait for their turn, each has one, and status says so', () => {
    const trial = new Trial();
    // A probe and its answer take 0.05 ms: 80 of them use up 0.4 % of a processor.
    trial.echoes.sendMs = 0.05;
    const targets = Array.from({ length: 300 }, (_, key) => targetOf(key, 1e9));
    trial.look(targets);
    trial.run(20_000, targets, right);
    expect(trial.probes.counted.workMs).toBeLessThan(0.004 * 21_000 + 1);
    expect(trial.probes.counted.sent).toBeGreaterThan(1200);
    expect(new Set(trial.echoes.history).size).toBe(300);
    const { everyMs, behind, paths } = trial.probes.status();
    expect([behind, paths]).toEqual([true, 300]);
    expect(everyMs).toBeGreaterThan(3000);
    expect(everyMs).toBeLessThan(6000);
  });

  test('of a hundred paths is within the bound, and none waits', () => {
    const trial = new Trial();
    trial.echoes.sendMs = 0.03;
    const targets = Array.from({ length: 100 }, (_, key) => targetOf(key, 10e6));
    trial.look(targets);
    trial.run(5000, targets, right);
    const before = trial.probes.counted.behind;
    trial.run(20_000, targets, right);
    // Now and then, more than a turn sends are due.
    expect(trial.probes.counted.behind - before).toBeLessThan(20);
    const { behind, everyMs } = trial.probes.status();
    expect(behind).toBe(false);
    expect(everyMs).toBeGreaterThan(850);
    expect(everyMs).toBeLessThan(1100);
  });

  test('an odd path is named although others have used up the rest', () => {
    const trial = new Trial();
    trial.echoes.sendMs = 0.05;
    const targets = Array.from({ length: 300 }, (_, key) => targetOf(key, 1e9));
    trial.look(targets);
    trial.run(20_000, targets, right);
    const isCut = (address: string): boolean => address === '10.0.0.7';
    const from = trial.now;
    trial.run(12_000, targets, (_, address) => (isCut(address) ? undefined : 40));
    // Up to its next turn, and then as soon as alone.
    expect(trial.named.get('PROBES_LOST')! - from).toBeLessThanOrEqual(8000);
  });

  test('a budget is saved up for a second, and what was used beyond it is paid back', () => {
    const budget = new WorkBudget(ratio(0.01));
    expect(budget.left(0)).toBe(1);
    expect(budget.left(60_000)).toBe(1);
    budget.spend(15);
    expect(budget.left(60_000)).toBeCloseTo(-0.5);
    expect(budget.left(60_500)).toBeCloseTo(0);
    expect(budget.left(60_750)).toBeCloseTo(0.25);
    expect(budget.usedMs).toBe(15);
  });
});

test('a probe is an echo request that is known as netfold’s', () => {
  const message = messageOf(0xabcd1234);
  expect([message[0], message[1], message.readUInt16BE(4)]).toEqual([8, 0, PROBE_IDENTIFIER]);
  expect(checksumOf(message)).toBe(0);
  expect(message.toString('latin1')).toContain('netfold probe');
  // Ethernet and IPv4 before it.
  expect(14 + 20 + message.length).toBe(PROBE_FRAME_BYTES);
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  expect(tokenIn(Buffer.concat([header, message]))).toBe(0xabcd1234);
  expect(tokenIn(Buffer.concat([header, message.subarray(0, 31)]))).toBeUndefined();
  expect(tokenIn(Buffer.alloc(0))).toBeUndefined();
  expect(tokenIn(Buffer.alloc(60))).toBeUndefined();
  const again = messageOf(7);
  writeToken(again, 0xabcd1234);
  expect(again.equals(message)).toBe(true);
});
