import { describe, expect, it } from 'vitest';
import { type Cost, orderOf, type Round, WAYS, type Workload } from '../../../bench/cost/model.ts';
import { packetMicros, tablesOf } from '../../../bench/cost/tables.ts';
import type { CpuUse } from '../../../bench/measure/cpu/cpu-watch.ts';
import { parseSegments } from '../../../bench/measure/traffic/tcp-segments.ts';
import { cells } from '../../../bench/report/cells.ts';

function useOf(machine: number, agents: readonly number[] = []): CpuUse {
  const part = [machine / 4];
  const rest = { traffic: part, bench: [0], softirq: part, stolen: [0], threads: new Map(), seconds: 5 };
  return { agents: agents.map((cores) => [cores]), machine: [machine], ...rest };
}

const cost = (machine: number, packetsPerSecond = 1000, agents: readonly number[] = []): Cost => ({
  use: useOf(machine, agents),
  packetsPerSecond,
});

const roundOf = (none: number, htb: number, netfold: number): Round => ({
  none: cost(none),
  htb: cost(htb),
  netfold: cost(netfold, 1000, [0.05, 0.03]),
});

function rowsOf(rounds: readonly Round[]) {
  const workload: Workload = {
    ...{ id: 'x', name: 'x', packet: 'a packet', packetsPerSecond: 1000, nothing: useOf(0.01), rounds },
  };
  const { rows } = tablesOf([workload], 'netem')[0]!;
  return (what: string) => rows.find((row) => row.what === what)!;
}

describe('the price of emulation', () => {
  it('is processor time by packets', () => {
    expect(packetMicros(cost(0.02, 1000))).toBeCloseTo(20);
  });
  it('is compared round by round, so that a machine that is slow for a while counts little', () => {
    const row = rowsOf([roundOf(0.1, 0.11, 0.3), roundOf(0.2, 0.22, 0.6), roundOf(0.1, 0.12, 0.2)]);
    expect(row('x, netfold by without shaping: times the cost').measured).toBeCloseTo(3);
    expect(row('x, netfold by without shaping: added to a packet').measured).toBeCloseTo(200);
    expect(row('x, HTB by hand by without shaping: times the cost').measured).toBeCloseTo(1.1);
    expect(cells(row('x, netfold by without shaping: times the cost'))[2]).toBe('× 3.00');
    expect(cells(row('x, netfold: a packet'))[2]).toBe('300.00 µs');
  });
  it('is not within its bounds where a way carried less than the others', () => {
    const round = roundOf(0.1, 0.1, 0.2);
    const row = rowsOf([{ ...round, netfold: cost(0.1, 900) }]);
    expect(row('x, netfold: packets').verdict).toBe('outside');
    expect(row('x, without shaping: packets').verdict).toBe('within');
  });
  it('names its known parts, and agents only where there are some', () => {
    const row = rowsOf([roundOf(0.1, 0.1, 0.4)]);
    expect(row('x, netfold: the machine').note).toContain('agents 8.0 %');
    expect(row('x, without shaping: the machine').note).not.toContain('agents');
  });
});

it('each way is the first of a round in turn', () => {
  const orders = [0, 1, 2].map(orderOf);
  expect(orders.map(([first]) => first)).toEqual(WAYS);
  for (const order of orders) expect(order.toSorted()).toEqual(WAYS.toSorted());
});

it('reads the segments that TCP has sent', () => {
  const text = 'Ip: OutSegs\nIp: 1\nTcp: ActiveOpens OutSegs RetransSegs\nTcp: 3 4711 9\nUdp: a\nUdp: 1\n';
  expect(parseSegments(text)).toBe(4711);
});
