import { describe, expect, it } from 'vitest';
import { Player } from '../../../agent/timeline/player.ts';
import { faultLines } from '../../../controller/cli/terminal/faults.ts';
import type { Command } from '../../../proto/command.ts';
import { micros } from '../../../proto/units.ts';
import { native } from '../topology/support.ts';

const BASE = `services: { a: { replicas: 4 }, b: {} }
bridges: [s1]
links:
  - { from: a, to: s1, latency: 1ms }
  - { from: b, to: s1, latency: 1ms }
events:
`;
const SECOND = 1e6;
const player = (...lines: string[]): Player =>
  new Player(
    native(BASE + (lines.length === 0 ? '  []' : lines.map((line) => `  - ${line}\n`).join(''))),
    () => {},
  );
const command = (number: number, at: number, text: string, until?: number): Command => ({
  ...{ origin: 'host0', incarnation: 1, number, issuedAt: at * SECOND, at: at * SECOND, text },
  ...(until !== undefined && { until: until * SECOND }),
});
const told = (of: Player, seconds: number): string[] =>
  faultLines({ faults: of.faults(), nowMs: seconds * 1000, nextEventMs: null }).slice(1);

describe('the faults in force', () => {
  it('name who is away, since when, until when and by which line', () => {
    const of = player(
      'from 1s to 9s disconnect a 1',
      'at 2s crash a.0',
      'from 3s to 8s set b--s1 latency=9ms',
    );
    of.advance(micros(4 * SECOND));
    expect(told(of, 4)).toEqual([
      'disconnect since 1s until 9s: a.3 (line 7 of test.yaml)',
      'crash since 2s: a.0 (line 8 of test.yaml)',
      'set since 3s until 8s: b.0->s1 s1->b.0 (line 9 of test.yaml)',
    ]);
    of.advance(micros(9 * SECOND));
    expect(told(of, 9)).toEqual(['crash since 2s: a.0 (line 8 of test.yaml)']);
    expect(of.faults()).toMatchObject([
      { what: 'away', sinceMs: 2000, untilMs: null, names: ['a.0'], count: 1 },
    ]);
  });

  it('have the groups of a partition, and a flap also while all is up', () => {
    const of = player('from 1s to 30s partition a.0 b | *', 'from 2s to 20s flap a.1--s1 every 2s');
    of.advance(micros(5 * SECOND));
    expect(told(of, 5)).toEqual([
      'partition since 1s until 30s: a.0 b.0 | a.1 a.2 a.3 (line 7 of test.yaml)',
      'flap since 2s until 20s: a.1->s1 s1->a.1 (line 8 of test.yaml)',
    ]);
  });

  it('name the command, also one that came late, and none after a reset', () => {
    const of = player('at 1s crash a.0');
    of.advance(micros(6 * SECOND));
    of.commands([command(1, 5, 'leave b', 20)], micros(6 * SECOND));
    expect(told(of, 6)).toEqual([
      'crash since 1s: a.0 (line 7 of test.yaml)',
      'leave since 5s until 20s: b.0 (leave b)',
    ]);
    of.commands([command(2, 7, 'reset')], micros(7 * SECOND));
    expect(told(of, 7)).toEqual(['crash since 1s: a.0 (line 7 of test.yaml)']);
  });
});

describe('the history', () => {
  it('says whom a command has hit', () => {
    const of = player();
    of.commands(
      [
        command(1, 1, 'churn a 1 every 1s seed 3', 3),
        command(2, 1, 'disconnect b'),
        command(3, 2, 'partition a | *', 3),
        command(4, 2, 'set a--s1 latency=2ms'),
        command(5, 9, 'crash b'),
      ],
      micros(0),
    );
    of.advance(micros(4 * SECOND));
    const hits = of.history().map(({ status, hit }) => [status, hit]);
    const [churn] = hits;
    expect(churn).toEqual([
      'done',
      { names: [expect.stringMatching(/^a\.\d$/), expect.stringMatching(/^a\.\d$/)], count: 2 },
    ]);
    expect(hits.slice(1)).toEqual([
      ['done', { names: ['b.0'], count: 1 }],
      ['done', { names: ['a.0 a.1 a.2 a.3', 'b.0'], count: 2 }],
      ['done', undefined],
      ['pending', undefined],
    ]);
  });
});
