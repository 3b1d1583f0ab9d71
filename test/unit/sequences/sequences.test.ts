import { describe, expect, it } from 'vitest';
import { Player } from '../../../agent/timeline/player.ts';
import { Rights } from '../../../agent/timeline/rights.ts';
import type { Command } from '../../../proto/command.ts';
import { formatMicros, micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';
import { TopologyError } from '../../../topology/model/diagnostics.ts';
import { Beginning } from '../../../topology/timeline/beginning.ts';

const LAB = `services: { a: {}, web: { replicas: 2 }, db: {} }
bridges: [s]
links: [{ from: a, to: s, latency: 1ms }, { from: web, to: s }, { from: db, to: s }]
`;
const SEQUENCES = `sequences:
  deploy:
    at: 2s
    steps:
      - run web "migrate" exit 0 timeout 30s
      - wait 1s
      - set a--s latency=50ms
      - wait for ready from web
      - crash db
  undo:
    after: deploy fails
    steps: [ 'run a "undo"', heal ]
  then:
    after: deploy
    steps: [ wait for deploy, wait for go, join db, quit ]
`;

const topologyOf = (text: string) => loadTopology(LAB + text, 'lab.yaml').topology;
const seconds = (value: number) => micros(value * 1e6);

let number = 0;
const told = (at: number, text: string, origin = 'host0'): Command => ({
  ...{ origin, incarnation: 1, number: ++number, text },
  ...{ issuedAt: (at - 0.1) * 1e6, at: at * 1e6 },
});

const player = (text = SEQUENCES): Player =>
  new Player(topologyOf(text), (_, { message }) => {
    throw new Error(message);
  });

const atomsOf = (one: Player, until: number): string[] =>
  one.advance(seconds(until)).atoms.map((atom) => `${formatMicros(atom.at)} ${atom.verb}`);

const statesOf = (one: Player): string[] =>
  one.sequences.map(({ name, state, step, about }) => [name, state, step ?? '-', ...about].join(' '));

describe('a sequence', () => {
  it('begins a step when the one before it has ended, in all endpoints', () => {
    const one = player();
    expect(atomsOf(one, 1)).toEqual([]);
    expect(atomsOf(one, 2)).toEqual(['2s run', '2s run']);
    expect(statesOf(one)).toEqual([
      'deploy runs 1 web.0 web.1',
      'undo waits - deploy fails',
      'then waits - deploy',
    ]);
    one.command(told(5, 'ended deploy 1 web.0 0'), seconds(4.9));
    expect(atomsOf(one, 20)).toEqual([]);
    expect(statesOf(one)[0]).toBe('deploy runs 1 web.1');
    one.command(told(21, 'ended deploy 1 web.1 0'), seconds(20.9));
    expect(atomsOf(one, 30)).toEqual(['22s set']);
    expect(statesOf(one)[0]).toBe('deploy runs 4 ready from web.0 web.1');
  });
  it('waits for what each endpoint notifies, also if that was before', () => {
    const one = player();
    one.advance(seconds(2));
    one.command(told(3, 'notify ready from web.1'), seconds(2.9));
    for (const name of ['web.0', 'web.1']) one.command(told(4, `ended deploy 1 ${name} 0`), seconds(3.9));
    expect(atomsOf(one, 9)).toEqual(['5s set']);
    one.command(told(10, 'notify ready from web.0'), seconds(9.9));
    expect(atomsOf(one, 10)).toEqual(['10s crash']);
    expect(statesOf(one)).toEqual(['deploy done -', 'undo waits - deploy fails', 'then runs 2 go']);
    expect(one.quitAt).toBeUndefined();
    one.command(told(12, 'notify go'), seconds(11.9));
    expect(one.quitAt).toBe(seconds(12));
    expect(atomsOf(one, 12)).toEqual(['12s join', '12s quit']);
  });
  it('that fails does nothing more, and another one may begin', () => {
    const one = player();
    one.advance(seconds(2));
    one.command(told(3, 'ended deploy 1 web.0 3'), seconds(2.9));
    one.command(told(4, 'ended deploy 1 web.1'), seconds(3.9));
    expect(statesOf(one).slice(0, 2)).toEqual([
      'deploy failed 1 web.0 exited with 3 web.1 was ended',
      'undo runs 1 a.0',
    ]);
    expect(atomsOf(one, 9)).toEqual(['4s run']);
    one.command(told(10, 'ended undo 1 a.0 0'), seconds(9.9));
    expect(atomsOf(one, 20)).toEqual(['10s heal']);
  });
  it('is the same on all hosts, however late and in which order they hear of it', () => {
    const facts = [
      told(4, 'ended deploy 1 web.0 0'),
      told(6, 'ended deploy 1 web.1 0', 'host1'),
      told(8, 'notify ready from web.0'),
      told(9, 'notify ready from web.1', 'host1'),
      // Told again: the first counts.
      told(9.5, 'ended deploy 1 web.0'),
    ];
    const prompt = player();
    for (const fact of facts) prompt.command(fact, micros(fact.issuedAt));
    prompt.advance(seconds(15));
    const late = player();
    late.advance(seconds(15));
    for (const fact of facts.toReversed()) late.command(fact, seconds(15));
    const joined = player();
    joined.commands(facts, seconds(15));
    for (const one of [late, joined]) {
      expect(one.graph).toEqual(prompt.graph);
      expect(one.sequences).toEqual(prompt.sequences);
      expect(one.isPresent(one.graph.endpoints.indexOf('db.0'))).toBe(false);
    }
  });
  it('starts a program whose beginning is heard of late', () => {
    const one = player();
    one.advance(seconds(9));
    const { atoms } = one.commands(
      [told(4, 'ended deploy 1 web.0 1'), told(4, 'ended deploy 1 web.1 1')],
      seconds(9),
    );
    expect(
      atoms.map(({ verb, event: { action } }) => [verb, action.verb === 'run' && action.command]),
    ).toEqual([['run', 'undo']]);
  });
  it('is not undone by a reset', () => {
    const one = player();
    one.advance(seconds(2));
    for (const name of ['web.0', 'web.1']) one.command(told(4, `ended deploy 1 ${name} 0`), seconds(3.9));
    one.command(told(7, 'reset'), seconds(6.9));
    one.advance(seconds(8));
    expect(statesOf(one)[0]).toBe('deploy runs 4 ready from web.0 web.1');
    expect(one.graph.links.find(({ name }) => name === 'a.0->s')!.latency).toBe(50_000);
  });
});

describe('what may be told', () => {
  const rights = new Rights(new Beginning(topologyOf(SEQUENCES)), {
    'web.0': 'host0',
    'web.1': 'host1',
    'a.0': 'host0',
  });
  const host0 = { kind: 'agent', host: 'host0' } as const;
  const user = { kind: 'user', name: 'u', rights: ['network', 'run'] } as const;

  it('is what the file waits for, of the own endpoints', () => {
    expect(rights.lacking(told(3, 'ended deploy 1 web.0 0'), host0)).toBeUndefined();
    expect(rights.lacking(told(3, 'notify ready from web.0'), host0)).toBeUndefined();
    expect(rights.lacking(told(3, 'ended deploy 1 web.1 0'), host0)).toContain('not assigned');
    expect(rights.lacking(told(3, 'ended deploy 1 a.0 0'), host0)).toContain('no sequence waits');
    expect(rights.lacking(told(3, 'ended deploy 2 web.0 0'), host0)).toContain('no sequence waits');
    expect(rights.lacking(told(3, 'notify other from web.0'), host0)).toContain('no sequence waits');
    expect(rights.lacking(told(3, 'notify ready'), host0)).toContain("users' keys");
  });
  it('is of users what happened outside, and not how programs end', () => {
    expect(rights.lacking(told(3, 'notify go'), user)).toBeUndefined();
    expect(rights.lacking(told(3, 'ended deploy 1 web.0 0'), user)).toContain('only agents');
  });
});

describe('sequences of a file', () => {
  const problems = (text: string): string[] => {
    try {
      topologyOf(`sequences:\n${text}`);
      return [];
    } catch (error) {
      if (!(error instanceof TopologyError)) throw error;
      return error.diagnostics
        .filter(({ severity }) => severity === 'error')
        .map(({ line, column, message }) => `${line}:${column}: ${message}`);
    }
  };
  it.each([
    ['  x: { steps: [at 5s heal] }', 'expected a verb'],
    ['  x: { steps: [flap a--s every 1s] }', 'needs a start and an end'],
    ['  x: { steps: [wait five] }', '"five"'],
    ['  x: { steps: [set a--s] }', 'expected'],
    ['  x: { steps: [crash nobody] }', 'nobody'],
    ['  x: { steps: [wait for ready from nobody] }', 'nobody'],
    ['  x: { steps: [run a "b" exit 256] }', 'an exit code'],
    ['  x: { at: 5, steps: [heal] }', ''],
    ['  x: { at: 5 parsecs, steps: [heal] }', 'parsecs'],
    ['  x: { at: 5s, after: y, steps: [heal] }', 'both at: and after:'],
    ['  x: { after: y fails, steps: [heal] }', 'no sequence "y" that could fail'],
    ['  x: { after: y, steps: [heal] }\n  y: { after: x, steps: [heal] }', 'after itself'],
    ['  x: { steps: [] }', ''],
  ])('are refused: %s', (text, message) => {
    expect(problems(text)[0]).toContain(message);
  });
  it('name the column of what is wrong', () => {
    expect(problems('  x:\n    steps:\n      - wait for ready frm web')[0]).toMatch(/^7:24: /);
  });
  it('may wait for each other, and then for ever', () => {
    const one = player(`sequences:
  x: { steps: [wait for y, heal] }
  y: { steps: [wait for x, heal] }
`);
    one.advance(seconds(5));
    expect(statesOf(one)).toEqual(['x runs 1 y', 'y runs 1 x']);
  });
});

describe('a step that waits for a log', () => {
  const text = `sequences:
  x: { steps: [wait for log web contains "is up", crash db] }
`;
  const { logs } = new Beginning(topologyOf(text)).sequences;

  it('ends when each endpoint has the text', () => {
    expect(logs).toEqual([{ name: logs[0]!.name, text: 'is up', endpoints: ['web.0', 'web.1'] }]);
    const one = player(text);
    one.command(told(3, `notify ${logs[0]!.name} from web.1`), seconds(2.9));
    one.advance(seconds(4));
    expect(statesOf(one)).toEqual(['x runs 1 "is up" in the log of web.0']);
    one.command(told(5, `notify ${logs[0]!.name} from web.0`), seconds(4.9));
    expect(atomsOf(one, 6)).toEqual(['5s crash']);
  });

  it('leaves the name log to who notifies it', () => {
    const one = player('sequences: { x: { steps: [wait for log, wait for log from a, heal] } }\n');
    one.command(told(3, 'notify log from a.0'), seconds(2.9));
    expect(atomsOf(one, 4)).toEqual(['3s heal']);
  });

  it.each([
    ['wait for log web', 'contains'],
    ['wait for log web contains up', 'no text of a log'],
    ['wait for log web contains ""', 'no text of a log'],
    ['wait for log nobody contains "up"', 'nobody'],
  ])('%s is refused', (step, message) => {
    expect(() => topologyOf(`sequences: { x: { steps: ['${step}'] } }\n`)).toThrow(message);
  });
});
