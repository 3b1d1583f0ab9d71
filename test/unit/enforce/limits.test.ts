/** Rules that limit a part of a path's traffic: its classes, and the steps to them. */
import { describe, expect, test } from 'vitest';
import type { InterfaceState } from '../../../agent/enforce/interface-state.ts';
import type { Destination } from '../../../agent/enforce/path-class.ts';
import { planTc } from '../../../agent/enforce/plan.ts';
import { formatPlan } from '../../../agent/enforce/plan-text.ts';
import { impairment } from '../../../proto/impairment.ts';
import { bps, micros } from '../../../proto/units.ts';
import type { Path } from '../../../topology/model/model.ts';
import { desiredInterface } from '../../support/desired-interface.ts';

const path = (bandwidth: number, changes: Partial<Path>): Path => ({
  ...{ from: 0, to: 1, hops: 2, links: [0, 1] },
  ...impairment({ latency: micros(10e3), bandwidth: bps(bandwidth) }),
  ...changes,
});

const destination = (changes: Pick<Destination, 'path' | 'rateBps'> & Partial<Destination>): Destination => ({
  ...{ number: 4, addresses: ['10.2.0.3'], rttMicros: micros(30e3) },
  ...changes,
});

describe('rules that limit', () => {
  const limited = (rules: string | undefined, rate = 10e6, changes: Partial<Destination> = {}) =>
    desiredInterface(
      [destination({ path: path(rate, rules === undefined ? {} : { rules }), rateBps: rate, ...changes })],
      'elsewhere',
    );
  const text = (from: InterfaceState, to: InterfaceState): string =>
    planTc(from, to)
      .filter(({ op }) => op !== 'set-gso')
      .map(({ op }) => op)
      .join(' ');

  test('give a part of the path a class and a queue of its own, the slowest first', () => {
    const { limits, bytesPerSecond } = limited(
      'limit 40Mbps only tcp; limit 1Mbps only udp',
      100e6,
    ).classes.get(5)!;
    expect(bytesPerSecond).toBe(12_500_000);
    expect(limits).toMatchObject([
      { bytesPerSecond: 125_000, queue: { kind: 'bfifo' } },
      { bytesPerSecond: 5_000_000, queue: { kind: 'bfifo' } },
    ]);
    expect(limits![0]!.queue.limit).toBeLessThan(limits![1]!.queue.limit);
  });

  test('bound the runs of frames on the interface as slow paths do', () => {
    expect(limited('limit 128Kbps only udp', 1e9).gsoSegments).toBe(limited(undefined, 128e3).gsoSegments);
  });

  test('move the class into a group, and out of it; a share of the path changes the group alone', () => {
    const [plain, one] = [limited(undefined), limited('limit 1Mbps only udp')];
    expect(text(plain, one)).toBe('take-out set-group set-class set-queue set-limit set-limit-queue');
    expect(text(one, plain)).toBe('delete-limit take-out delete-group set-class set-queue');
    expect(text(one, limited('limit 1Mbps only udp', 10e6, { rateBps: 5e6 }))).toBe('set-group set-class');
    expect(text(one, limited('limit 1Mbps only icmp'))).toBe('set-class');
    expect(text(one, limited('limit 2Mbps only udp'))).toBe('set-class set-limit');
    const two = limited('limit 1Mbps only udp; limit 1Mbps only icmp');
    expect(text(one, two)).toBe('set-class set-limit set-limit-queue');
    expect(text(two, one)).toBe('set-class delete-limit');
    expect(text(two, desiredInterface([], 'elsewhere'))).toContain(
      'delete-limit delete-limit delete-class delete-group',
    );
  });

  test('are printed as tc has them', () => {
    const plan = formatPlan('eth0', planTc(limited(undefined), limited('limit 1Mbps only udp')));
    expect(plan).toMatch(/tc class del dev eth0 classid 4e46:5 {2}# rules limit a part of it/);
    expect(plan).toMatch(
      /tc class replace dev eth0 parent 4e46: classid 4e46:afb4 htb rate 10000000bit burst/,
    );
    expect(plan).toMatch(/parent 4e46:afb4 classid 4e46:5 htb rate 8bit ceil 10000000bit cburst/);
    expect(plan).toMatch(/parent 4e46:afb4 classid 4e46:afb3 htb rate 8bit ceil 1000000bit cburst/);
    expect(plan).toMatch(/qdisc replace dev eth0 parent 4e46:afb3 handle afb3: bfifo limit/);
  });

  test('have no class where there are no numbers for it', () => {
    const far = { number: 5000 };
    expect(limited('limit 1Mbps', 10e6, far).classes.get(5001)!.limits).toBeUndefined();
  });
});
