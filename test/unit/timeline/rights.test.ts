/** What the authors of commands may do. */
import { expect, test } from 'vitest';
import { Player } from '../../../agent/timeline/player.ts';
import type { Author, Right } from '../../../proto/command.ts';
import { loadTopology } from '../../../topology/load.ts';
import { command, seconds } from '../../support/commands.ts';

const { topology } = loadTopology(
  `
services:
  a: { replicas: 2 }
  b: { tags: [edge] }
  c: { tags: [edge] }
  d: { replicas: 2, share: true }
bridges: [s, t]
links:
  - { from: a, to: s, latency: 1ms, tags: [mine] }
  - { from: b, to: s, latency: 1ms }
  - { from: c, to: t, latency: 1ms }
  - { from: d, to: t, latency: 1ms }
  - { from: s, to: t, latency: 1ms }
  - { from: a.0, to: c, latency: 1ms, tags: [mine] }
`,
  'test.yaml',
);
/** Of d, each host has one; c is assigned to nobody. */
const ASSIGNMENT = { 'a.0': 'one', 'a.1': 'one', 'b.0': 'two', 'd.0': 'one', 'd.1': 'two' };
const player = new Player(topology, () => {});
const rights = player.rights(ASSIGNMENT);

const agent = (host: string): Author => ({ kind: 'agent', host });
const user = (...list: Right[]): Author => ({ kind: 'user', name: 'u', rights: list });
const may = (author: Author, text: string, until = /^(flap|churn)/.test(text)): boolean =>
  rights.lacking(command(1, text, until ? { until: seconds(2) } : {}), author) === undefined;

test.each([
  'set a--s latency=5ms',
  'set a.0->s latency=5ms',
  'set tag:mine latency=5ms',
  // The other end is somebody else's.
  'set a.0--c latency=5ms',
  'crash a',
  'crash a.1',
  'leave a 1',
  'leave a 50%',
  'join a',
  'disconnect a.0 d.0',
  'reconnect a',
  'leave a--s',
  'join s--a',
  'flap a--s every 100ms',
  'flap a every 100ms',
  'churn a 1 every 100ms',
])('an agent may change the network of its own endpoints: %s', (text) => {
  expect(may(agent('one'), text)).toBe(true);
  expect(may(agent('two'), text)).toBe(false);
  expect(may(user('network'), text)).toBe(true);
});

test.each([
  'set b--s latency=5ms',
  'set a--s b--s latency=5ms',
  'set s--t latency=5ms',
  "set '*' latency=5ms",
  'set * latency=5ms',
  // Its replicas share the link.
  'set d--t latency=5ms',
  'crash b',
  'crash a b',
  'crash d',
  'crash *',
  'crash tag:edge',
  'crash * 1',
  // Nobody's, until somebody is known to have it by assignment.
  'crash c',
  'leave c--t',
  'leave s',
  'join t',
  'flap s every 100ms',
  'flap * every 100ms',
  'churn * 1 every 100ms',
  'partition a | b',
  'partition a.0 | a.1',
  'heal',
  'reset',
  'quit',
  'signal a TERM',
  'run a "true"',
  'crash nobody',
  'set a--t latency=5ms',
  'nonsense',
  '',
])('an agent may not change more, nor anything at others, nor processes: %s', (text) => {
  expect(may(agent('one'), text)).toBe(false);
  expect(may(agent('nowhere'), text)).toBe(false);
});

test("an agent's command comes to a hundred changes at most: users' commands always have room", () => {
  const lacking = (text: string, lasts: number, author = agent('one')) =>
    rights.lacking(command(1, text, { until: seconds(1 + lasts) }), author);
  expect(lacking('flap a.0 every 100ms', 9.8)).toBeUndefined();
  expect(lacking('flap a.0 every 100ms', 11)).toBe('it comes to more than 100 changes');
  expect(lacking('flap a every 100ms', 6)).toBe('it comes to more than 100 changes');
  expect(lacking('flap a every 100ms', 600, user('network'))).toBeUndefined();
  expect(rights.lacking(command(1, `crash ${'a '.repeat(30)}`), agent('one'))).toMatch(/100 changes/);
});

test('an agent without an assignment may change nothing', () => {
  const free = player.rights(undefined);
  expect(free.lacking(command(1, 'crash a'), agent('one'))).toMatch(/a is not, or not only, of endpoints/);
});

test('a user with the right to the network alone may start no commands; one with none may nothing', () => {
  for (const text of [
    'heal',
    'reset',
    'quit',
    'signal a TERM',
    'partition a | b',
    'crash *',
    'set s--t loss=1%',
  ]) {
    expect(may(user('network'), text)).toBe(true);
    expect(may(user(), text)).toBe(false);
  }
  for (const text of ['run a "true"', '  run * "true"', 'run tag:edge "heal"']) {
    expect(may(user('network'), text)).toBe(false);
    expect(may(user('network', 'run'), text)).toBe(true);
  }
  expect(may(user('run'), 'heal')).toBe(false);
});

test('the answer does not depend on what has happened', () => {
  const busy = new Player(topology, () => {});
  const before = busy.rights(ASSIGNMENT);
  busy.commands([command(1, 'crash a'), command(2, 'leave s--t'), command(3, 'reset')], seconds(5));
  for (const text of ['crash a', 'join a', 'set a--s loss=1%', 'crash b', 'leave d.0'])
    expect(busy.rights(ASSIGNMENT).lacking(command(9, text), agent('one'))).toBe(
      before.lacking(command(9, text), agent('one')),
    );
});

test('many commands that name everything cost little', () => {
  const many = Array.from({ length: 4096 }, (_, at) => command(at, `leave ${'a '.repeat(300)}`));
  const start = process.cpuUsage().user;
  for (const one of many) rights.lacking(one, agent('one'));
  expect(process.cpuUsage().user - start).toBeLessThan(10e6);
});
