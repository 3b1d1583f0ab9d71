import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../agent/timeline/errors.ts';
import { Player } from '../../../agent/timeline/player.ts';
import { type Command, MAX_COMMANDS } from '../../../proto/command.ts';
import { loadTopology } from '../../../topology/load.ts';
import { command, seconds } from '../../support/commands.ts';

const BASE = `services: { client: { replicas: 3 }, server: {} }
bridges: [s]
links:
  - { from: client, to: s, latency: 5ms, up: 10Mbps, down: 3Mbps }
  - { from: s, to: server, latency: 1ms }
events:
`;

function player(...events: string[]): Player {
  const lines = events.length === 0 ? '  []' : events.map((event) => `  - ${event}\n`).join('');
  const { topology } = loadTopology(BASE + lines, 'test.yaml');
  const one = new Player(topology, () => {});
  one.advance(seconds(0));
  return one;
}

const stateOf = (one: Player): unknown => [one.graph, one.epoch, one.nextAt, one.history()];

/** `CODE column: problem (remedy)`; `fine` where it would be accepted. Either way nothing has changed. */
function verdict(one: Player, now: number, asked: Command): string {
  const before = stateOf(one);
  try {
    one.check(asked, seconds(now));
    return 'fine';
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    expect(error.blame).toBe('input');
    expect(error.message).toContain(`column ${error.position.column}: ${error.problem}`);
    return `${error.code} ${error.position.column}: ${error.problem} (${error.remedy})`;
  } finally {
    expect(stateOf(one)).toEqual(before);
  }
}

describe('a command is refused', () => {
  test.each([
    ['crash srver', 'NAME_UNKNOWN 7: there is no service or bridge "srver" (did you mean "server"?)'],
    ['crash client.0 client.7', 'NAME_UNKNOWN 16: "client.7" does not exist: client has 3 replicas'],
    ['crash s', 'EVENT_TARGET 7: "s" is a bridge, and crash is for services'],
    ['set client--server latency=1ms', 'EVENT_TARGET 5: there is no link client--server'],
    ['crash client 4', 'EVENT_AMOUNT 7: crash is for 4 endpoints, but only 3 of them are present then'],
    ['partition client | client.1', 'EVENT_TARGET 1: client.1 is in two groups'],
    ['set s--server lateny=1ms', 'EVENT_SYNTAX 15: there is no property "lateny"'],
    ['flap s every 1s', 'EVENT_SYNTAX 1: "flap" needs a start and an end (say how long, e.g. --for 10s)'],
  ])('%j for its words', (text, message) => {
    expect(verdict(player(), 1, command(1, text))).toContain(message);
  });

  test('for its times', () => {
    const one = player();
    expect(verdict(one, 3, command(2, 'heal'))).toBe(
      'EVENT_TIME 1: 2s is over: it is 3s (give a later time, e.g. --at +5s)',
    );
    expect(verdict(one, 3, command(4, 'heal', { issuedAt: seconds(5) }))).toMatch(/^EVENT_TIME/);
    expect(verdict(one, 3, command(4, 'leave s', { until: seconds(4) }))).toMatch(
      /the end is not after the start/,
    );
    expect(verdict(one, 3, command(3, 'heal'))).toBe('fine');
  });

  test('for more leaves than joins, with all that is pending', () => {
    const one = player('at 5s leave client 2');
    expect(verdict(one, 1, command(6, 'crash client 2'))).toMatch(
      /^EVENT_AMOUNT 7: crash is for 2 endpoints, but only 1/,
    );
    one.command(command(7, 'join client', { issuedAt: seconds(1) }), seconds(1));
    expect(verdict(one, 1, command(6, 'crash client 2'))).toMatch(/^EVENT_AMOUNT/);
    expect(verdict(one, 1, command(8, 'crash client 2'))).toBe('fine');
  });

  test('for what could not happen any more after it, in the file or by another command', () => {
    const one = player('at 9s crash server');
    one.command(command(7, 'leave s', { issuedAt: seconds(1) }), seconds(1));
    expect(verdict(one, 2, command(3, 'crash server'))).toBe(
      'EVENT_AMOUNT 1: then line 7 of test.yaml, due at 9s, has nothing to do: ' +
        'crash is for endpoints, but none of them are present then (choose other targets or another time)',
    );
    expect(verdict(one, 2, command(3, 'leave s'))).toMatch(
      /then the command "leave s", due at 7s, has nothing to do/,
    );
    // It is back by then.
    expect(verdict(one, 2, command(3, 'leave s', { until: seconds(6) }))).toBe('fine');
    expect(verdict(one, 2, command(10, 'join server'))).toBe('fine');
  });

  test('not for what fails without it as well', () => {
    const one = player();
    one.command(command(2, 'crash server', { issuedAt: seconds(1) }), seconds(1));
    one.command(command(3, 'crash server', { issuedAt: seconds(1) }), seconds(1));
    expect(verdict(one, 1, command(1.5, 'crash client.0'))).toBe('fine');
  });

  test('for a contradiction at its instant', () => {
    const one = player('at 5s leave s--server', 'at 6s set s--server latency=2ms');
    one.command(command(7, 'partition client | server', { issuedAt: seconds(1) }), seconds(1));
    expect(verdict(one, 2, command(5, 'join s--server'))).toMatch(
      /^EVENT_CONTRADICTION 6: join of s->server.0 contradicts the leave in line 7 of test.yaml at the same instant, 5s/,
    );
    expect(verdict(one, 2, command(6, 'set s--server latency=3ms'))).toMatch(
      /another latency than from line 8/,
    );
    expect(verdict(one, 2, command(6, 'set s->server latency=3ms'))).toBe('fine');
    expect(verdict(one, 2, command(7, 'heal'))).toMatch(
      /heal contradicts the partition in the command "partition client \| server"/,
    );
  });

  test('after the quit, of the file or commanded', () => {
    const one = player('at 9s quit');
    expect(verdict(one, 1, command(10, 'heal'))).toBe(
      'EVENT_TIME 1: this is due at 10s, after the quit at 9s (give an earlier time)',
    );
    expect(verdict(one, 1, command(8, 'leave s', { until: seconds(10) }))).toMatch(
      /this is still due at 10s/,
    );
    expect(verdict(one, 1, command(9, 'quit'))).toMatch(/there is a quit at 9s already/);
    expect(verdict(one, 1, command(5, 'quit'))).toBe('fine');
    one.command(command(5, 'quit', { issuedAt: seconds(1) }), seconds(1));
    expect(verdict(one, 2, command(6, 'heal'))).toMatch(/after the quit at 5s/);
    one.command(command(3, 'reset', { issuedAt: seconds(2) }), seconds(2));
    expect(verdict(one, 2, command(6, 'heal', { issuedAt: seconds(2.5) }))).toBe('fine');
    one.advance(seconds(9));
    expect(verdict(one, 11, command(11, 'heal'))).toMatch(
      /the experiment has ended with the quit at 9s \(start it anew/,
    );
  });

  test('beyond what an experiment takes', () => {
    const one = player();
    const window = { issuedAt: seconds(1), until: seconds(3002) };
    one.command(command(2, 'flap s every 10ms', window), seconds(1));
    expect(verdict(one, 1, command(3, 'flap s every 10ms', window))).toMatch(
      /^LIMIT 1: with the commands before/,
    );
    expect(verdict(one, 1, command(3, 'churn client 1 every 10ms', { until: seconds(9000) }))).toMatch(
      /^LIMIT/,
    );
    for (const text of ['heal', 'reset', 'quit'])
      expect(verdict(one, 1, command(3100, text))).not.toMatch(/LIMIT/);
    const full = player();
    const many = Array.from({ length: MAX_COMMANDS }, () =>
      command(2, 'set s--server latency=1ms', { issuedAt: seconds(1) }),
    );
    full.commands(many, seconds(1));
    const oneMore = verdict(full, 1, command(3, 'set s--server latency=2ms'));
    expect(oneMore).toMatch(/^LIMIT 1: the experiment has 4096 commands that are in force/);
    for (const text of ['heal', 'reset', 'quit'])
      expect(verdict(full, 1, command(3, text))).not.toMatch(/LIMIT/);
  }, 60_000);
});

test('what is accepted takes effect', () => {
  const one = player(
    'from 1s to 8s churn client 1 every 1s replace seed 3',
    'at 4s set s--server latency=200%',
  );
  for (const [at, text] of [
    [1.5, 'set s--server latency=9ms'],
    [2, 'leave s'],
    [2.5, 'join s'],
    [3, 'reset'],
    [3.5, 'disconnect server'],
  ] as const) {
    const accepted = command(at, text);
    expect(verdict(one, at, accepted)).toBe('fine');
    one.command(accepted, seconds(at));
  }
  one.advance(seconds(9));
  expect(one.history().map(({ status }) => status)).toEqual(['undone', 'undone', 'undone', 'done', 'done']);
});
