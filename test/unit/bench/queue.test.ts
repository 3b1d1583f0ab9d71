import { beforeEach, describe, expect, it } from 'vitest';
import { type Figures, inRounds, rowsOf } from '../../../bench/queue/rows.ts';

const pings = (value: number): Figures => ({ ping: { kind: 'round trip', value } });

let said: string[];
beforeEach(() => {
  said = [];
});

describe('rows beside a router', () => {
  it('take one round, if a row is within a tenth of the router', async () => {
    const rows = await inRounds(
      (text) => said.push(text),
      async () => ({ router: pings(100), ours: pings(109) }),
    );
    expect(said).toEqual([]);
    expect(rows).toMatchObject([{ target: 100, measured: 109, verdict: 'within', tries: 1, spread: null }]);
  });
  it('take three rounds, if netfold is outside in each', async () => {
    const rows = await inRounds(
      (text) => said.push(text),
      async () => ({ router: pings(100), ours: pings(111) }),
    );
    expect(said[2]).toBe('outside, in the mean of 3: ping: router 100, netfold 111 ms');
    expect(rows).toMatchObject([{ target: 100, measured: 111, verdict: 'outside', tries: 3 }]);
  });
  it("are judged by means, within the router's own spread", () => {
    const rounds = [
      { router: pings(60), ours: pings(80) },
      { router: pings(100), ours: pings(120) },
    ];
    const [row] = rowsOf(rounds);
    expect(row).toMatchObject({ target: 80, measured: 100, bound: { value: 20 }, verdict: 'within' });
    expect(rowsOf([{ router: pings(60), ours: pings(81) }, rounds[1]!])[0]!.verdict).toBe('outside');
  });
  it('allow twice what the ways themselves differ by, where that is measured', () => {
    const bbr = (value: number, emptyMs: number): Figures => ({
      ping: { kind: 'round trip', value, emptyMs },
    });
    const row = (ours: number): unknown => rowsOf([{ router: bbr(10, 3), ours: bbr(ours, 2.5) }])[0];
    expect(row(8)).toMatchObject({ verdict: 'within', bound: { value: 2 } });
    expect(row(7.9)).toMatchObject({
      verdict: 'outside',
      note: 'without load: router 3.00 ms, netfold 2.50 ms',
    });
  });
  it('judge a row that could not be measured as outside, and counts not at all', () => {
    expect(rowsOf([{ router: pings(10), ours: pings(Number.NaN) }])[0]!.verdict).toBe('outside');
    const counts: Figures = { retransmissions: { kind: 'count', value: 3 } };
    expect(rowsOf([{ router: counts, ours: counts }])[0]).toMatchObject({
      verdict: 'told',
      note: 'router 3',
    });
  });
});
