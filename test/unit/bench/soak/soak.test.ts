import { describe, expect, it } from 'vitest';
import { Player } from '../../../../agent/timeline/player.ts';
import { growth } from '../../../../bench/measure/growth.ts';
import { Lateness } from '../../../../bench/soak/lateness.ts';
import { SOAK_TOPOLOGY, SoakPlan } from '../../../../bench/soak/plan.ts';
import { tableOf } from '../../../../bench/soak/table.ts';
import type { RunLogEntry } from '../../../../proto/run-log.ts';
import type { AgentRecord } from '../../../../proto/view.ts';
import { loadTopology } from '../../../../topology/load.ts';
import { command, seconds } from '../../../support/commands.ts';

describe('the plan of a soak', () => {
  it('is the same for a seed, has all kinds, and nothing that an agent refuses', () => {
    const { topology } = loadTopology(SOAK_TOPOLOGY, 'bench.yaml');
    const player = new Player(topology, () => {});
    player.advance(seconds(0));
    const [plan, again] = [new SoakPlan(3), new SoakPlan(3)];
    const verbs = new Set<string>();
    for (let index = 1; index <= 600; index++) {
      const { text, forMs } = plan.next();
      expect(again.next()).toEqual({ text, ...(forMs !== undefined && { forMs }) });
      verbs.add(text.split(' ')[0]!);
      const at = index / 5;
      const given = command(at + 0.1, text, {
        issuedAt: seconds(at),
        ...(forMs !== undefined && { until: seconds(at + 0.1 + forMs / 1000) }),
      });
      expect(() => player.check(given, seconds(at))).not.toThrow();
      player.commands([given], seconds(at));
      player.advance(seconds(at + 0.1));
    }
    const all = 'crash disconnect flap heal join leave partition reconnect set';
    expect([...verbs].sort().join(' ')).toBe(all);
  }, 60_000);
});

describe('what a soak measures', () => {
  it('growth is that of most of the time: neither that of the ends, nor of a while in which less was there', () => {
    const line = Array.from({ length: 11 }, (_, at) => ({ atMs: 1000 * at, value: 5 + 2 * at }));
    expect(growth(line)).toBeCloseTo(20);
    const spike = line.map(({ atMs }) => ({ atMs, value: atMs === 5000 ? 100 : 7 }));
    expect(growth(spike)).toBeCloseTo(0);
    const dip = line.map(({ atMs, value }) => ({ atMs, value: atMs === 1000 || atMs === 2000 ? 0 : value }));
    expect(growth(dip)).toBeCloseTo(20);
    const step = line.map(({ atMs }) => ({ atMs, value: atMs < 4000 ? 7 : 17 }));
    expect(growth(step)).toBeCloseTo(10);
    expect(growth([])).toBeNaN();
  });

  it('lateness is of commands, whatever else is due', () => {
    const lateness = new Lateness(2);
    const record = (...events: [number, number][]): AgentRecord =>
      ({
        events: events.map(([dueMicros, settledMicros]) => ({ dueMicros, settledMicros })),
      }) as unknown as AgentRecord;
    lateness.note([record([1000, 3000], [2000, 2500]), record([1000, 900])]);
    lateness.note([record([2000, 2500], [5000, 6000]), record()]);
    expect(lateness.of([1000, 5000, 7000])).toEqual([[2, 1], [0]]);
  });

  it('a command that comes late counts from its instant, though no epoch begins with it', () => {
    const lateness = new Lateness(1);
    const entry = (at: number, atMicros: number): RunLogEntry =>
      ({ kind: 'command', command: command(at, 'heal'), by: 'x', position: 1, atMicros }) as RunLogEntry;
    const [one, two] = [seconds(1), seconds(2)];
    lateness.arrived(0, [entry(1, one - 90_000), entry(2, two + 5000.5)]);
    lateness.note([{ events: [{ dueMicros: one, settledMicros: one + 3000 }] } as unknown as AgentRecord]);
    expect(lateness.of([one, two, seconds(3)])).toEqual([[3, 5.001]]);
  });

  it('a refusal, a slower pace, and an agent that grows, are outside', () => {
    const samples = (slope: number) =>
      Array.from({ length: 20 }, (_, at) => ({
        ...{ atMs: 5000 * at, rssBytes: 1e8 + slope * at, descriptors: 40 },
      }));
    const facts = {
      ...{ given: 100, seconds: 20, answersMs: [5, 8], lateness: [[1, 2]], disagreeing: 0, kept: 90 },
      files: samples(0).map(({ atMs }) => ({ atMs, journalBytes: 1e6, logBytes: 1e6 })),
    };
    const verdicts = (refusals: string[], slope: number, given = 100) =>
      tableOf({ ...facts, given, refusals, samples: [samples(slope)] }, { minutes: 2, seed: 1 }, 'delay-line')
        .rows.filter(({ verdict }) => verdict === 'outside')
        .map(({ what }) => what);
    expect(verdicts([], 0)).toEqual([]);
    expect(verdicts([], 0, 98)).toEqual(['commands']);
    expect(verdicts(['heal: no'], 2e6)).toEqual(['commands refused', 'host0: growth of memory']);
  });
});
