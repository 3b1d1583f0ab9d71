import { describe, expect, it } from 'vitest';
import { COMMAND_FILE, parseAction } from '../../../topology/events/grammar.ts';
import { textOf } from '../../../topology/events/targets.ts';
import { formatDiagnostic } from '../../../topology/load.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import type { EventAction } from '../../../topology/model/events.ts';
import { native, problems } from './support.ts';

const BASE = `services: { client: { replicas: 3, tags: [edge] }, server: {}, pool: { replicas: 2, share: true } }
bridges: { s1: { tags: [core] }, s2: {} }
links:
  - { from: client, to: s1, tags: [access], up: 10Mbps, down: 20Mbps }
  - { from: s1, to: s2 }
  - { from: server, to: s2, oneway: true }
  - { from: pool, to: s2 }
events:
`;
const withEvents = (...lines: string[]): string => BASE + lines.map((line) => `  - ${line}\n`).join('');
const event = (line: string) => native(withEvents(line)).events[0]!;
const targetsOf = (action: EventAction): string[] => ('targets' in action ? action.targets.map(textOf) : []);

describe('an event line', () => {
  it.each([
    ['at 30s crash server', 30e6, undefined],
    ['at 1m30s quit', 90e6, undefined],
    ['from 500ms to 2s leave s1--s2', 500e3, 2e6],
  ])('%j has its times', (line, at, until) => {
    const { at: start, until: end } = event(line);
    expect([start, end]).toEqual([at, until]);
  });

  it.each([
    ['at 1s crash client 2', { verb: 'crash', amount: 2 }, ['client']],
    ['at 1s crash client 50%', { verb: 'crash', portion: 0.5 }, ['client']],
    ['at 1s disconnect client 37.5%', { verb: 'disconnect', portion: 0.375 }, ['client']],
    ['at 1s disconnect client.0 client.2', { verb: 'disconnect' }, ['client.0', 'client.2']],
    ['at 1s leave tag:core', { verb: 'leave' }, ['tag:core']],
    ['at 1s leave client.1->s1', { verb: 'leave' }, ['client.1->s1']],
    ['at 1s crash *', { verb: 'crash' }, ['*']],
    ['from 1s to 9s flap s1--s2 every 500ms', { verb: 'flap', period: 500e3 }, ['s1--s2']],
    [
      'from 1s to 9s churn client 50% every 2s',
      { verb: 'churn', amount: { share: 0.5 }, period: 2e6, replace: false, seed: 1 },
      ['client'],
    ],
    [
      'from 1s to 9s churn client 1 every 2s replace seed 7',
      { verb: 'churn', amount: { count: 1 }, replace: true, seed: 7 },
      ['client'],
    ],
    ['at 1s run client.0 "echo \\"a | b\\" 5"', { verb: 'run', command: 'echo "a | b" 5' }, ['client.0']],
    ['at 1s signal server USR1', { verb: 'signal', signal: 'USR1' }, ['server']],
    ['at 1s heal', { verb: 'heal' }, []],
    ['at 1s quit', { verb: 'quit' }, []],
  ])('%j is read', (line, action, targets) => {
    const read = event(line).action;
    expect(read).toMatchObject(action);
    expect(targetsOf(read)).toEqual(targets);
  });

  it.each([
    ['latency=10ms', { property: 'latency', to: { kind: 'value', value: 10_000 } }],
    ['latency=200%', { property: 'latency', to: { kind: 'factor', factor: 2 } }],
    ['latency=+5ms', { property: 'latency', to: { kind: 'difference', difference: 5000 } }],
    ['jitter=-1ms', { property: 'jitter', to: { kind: 'difference', difference: -1000 } }],
    ['loss=1%', { property: 'loss', to: { kind: 'value', value: 0.01 } }],
    ['loss=+1%', { property: 'loss', to: { kind: 'difference', difference: 0.01 } }],
    [
      'bandwidth=unlimited',
      { property: 'bandwidth', to: { kind: 'value', value: Number.POSITIVE_INFINITY } },
    ],
    ['up=50%', { property: 'up', to: { kind: 'factor', factor: 0.5 } }],
    ['down=3Mbps', { property: 'down', to: { kind: 'value', value: 3e6 } }],
  ])('sets %s', (text, change) => {
    expect(event(`at 1s set s1--s2 ${text}`).action).toMatchObject({ verb: 'set', changes: [change] });
    expect(event(`at 1s set s1--s2 ${text} jitter=2ms`).action).toMatchObject({
      changes: [change, { property: 'jitter' }],
    });
  });

  it('reads the groups of a partition', () => {
    const { action } = event('at 1s partition client.0 server | client.1 | pool');
    const groups = action.verb === 'partition' ? action.groups.map((group) => group.map(textOf)) : [];
    expect(groups).toEqual([['client.0', 'server'], ['client.1'], ['pool']]);
  });
});

describe('a wrong event line', () => {
  // The column is where the wrong word stands in the file.
  it.each([
    ['on 5s crash server', 5, /expected "at" or "from", but found "on"/],
    ['at 30 crash server', 8, /"30" has no unit/],
    ['at soon crash server', 8, /"soon" is not a time/],
    ['at 5s explode server', 11, /expected a verb, but found "explode"/],
    ['at 5s crsh server', 11, /did you mean "crash"/],
    ['at 5s crash', 16, /expected a target, but the line ends/],
    ['at 5s crash server now', 24, /no service or bridge "now"/],
    ['at 5s crash client 0', 24, /expected a number of endpoints/],
    ['at 5s crash "server"', 17, /expected a target, but found "server"/],
    ['at 5s crash tag:-x', 17, /"tag:-x" is not a tag/],
    ['from 5s crash server', 13, /expected "to", but found "crash"/],
    ['from 5s to 5s leave s1--s2', 16, /the end is not after the start/],
    ['from 5s to 6s crash server', 19, /"crash" happens at one instant/],
    ['at 5s flap s1 every 1s', 11, /"flap" needs a start and an end/],
    ['from 5s to 6s flap s1', 26, /expected "every" and a time/],
    ['from 5s to 6s flap s1 every 1ms', 33, /less than 10ms/],
    ['from 5s to 6s churn client every 1s', 32, /expected a number of endpoints, but found "every"/],
    ['from 5s to 6s churn client 101% every 1s', 32, /outside of 0% to 100%/],
    ['at 5s set s1--s2', 21, /expected a change/],
    ['at 5s set s1--s2 lat=5ms', 22, /no property "lat"/],
    ['at 5s set s1--s2 latency=5', 22, /"5" has no unit/],
    ['at 5s set s1--s2 loss=200%', 22, /outside of 0% to 100%/],
    ['at 5s set s1--s2 latency=1ms latency=2ms', 34, /latency is set twice/],
    ['at 5s set s1--s2 bandwidth=none', 22, /write unlimited/],
    ['at 5s partition client', 27, /expected "\|" and another group/],
    ['at 5s run client ls', 24, /expected a command in double quotes, but the line ends/],
    ['at 5s run client "ls', 22, /a text in quotes does not end/],
    ['at 5s signal server HALT', 29, /expected a signal, but the line ends/],
    ['at 5s quit now', 16, /expected the end of the line/],
  ])('%j is refused at the word', (line, column, message) => {
    const [problem] = problems(withEvents(line));
    expect([problem!.line, problem!.column, problem!.field]).toEqual([9, column, 'events[0]']);
    expect(formatDiagnostic(problem!)).toMatch(message);
  });

  it.each([
    ['at 5s crash srver', 'NAME_UNKNOWN', /did you mean "server"/],
    ['at 5s crash client.3', 'NAME_UNKNOWN', /client has 3 replicas/],
    ['at 5s crash s1', 'EVENT_TARGET', /"s1" is a bridge, and crash is for services/],
    ['at 5s disconnect s1--s2', 'EVENT_TARGET', /is a link/],
    ['at 5s set client latency=5ms', 'EVENT_TARGET', /"client" is a service, and set is for links/],
    ['at 5s set client--s2 latency=5ms', 'EVENT_TARGET', /there is no link client--s2/],
    ['at 5s set s2->server latency=5ms', 'EVENT_TARGET', /one-way/],
    ['at 5s set pool.1--s2 latency=5ms', 'EVENT_TARGET', /the replicas of pool share this link/],
    ['at 5s crash tag:cor', 'EVENT_TARGET', /none has the tag "cor" \(did you mean "core"/],
    ['at 5s crash tag:access', 'EVENT_TARGET', /none has the tag "access"/],
    [
      'at 5s set tag:edge loss=1%',
      'EVENT_TARGET',
      /"edge" \(it is a tag of endpoints; tag a link with tags: \[edge\]/,
    ],
    ['at 5s crash client 4', 'EVENT_AMOUNT', /only 3 of them are present/],
    ['at 5s join s1--s2 2', 'EVENT_AMOUNT|EVENT_TARGET', /amount/],
    ['at 5s reconnect server', 'EVENT_AMOUNT', /none of them are disconnected/],
    ['at 5s partition client | client.0', 'EVENT_TARGET', /client.0 is in two groups/],
    ['at 5s partition client * | server *', 'EVENT_TARGET', /two groups of the partition have \*/],
    ['at 5s partition client server pool | *', 'EVENT_TARGET', /\* stands for nobody/],
    ['at 5s crash client 10%', 'EVENT_AMOUNT', /crash is for 10% of 3 endpoints, which is none/],
    ['at 5s reconnect client 10%', 'EVENT_AMOUNT', /none of them are disconnected/],
    ['at 5s set s1->s2 down=2Mbps', 'EVENT_TARGET', /down changes nothing/],
    ['at 5s leave s1--s2 50%', 'EVENT_TARGET', /an amount is for services/],
  ])('%j is refused', (line, code, message) => {
    const found = problems(withEvents(line));
    expect(found[0]!.code).toMatch(new RegExp(`^(${code})$`));
    expect(formatDiagnostic(found[0]!)).toMatch(message);
  });

  it('is more leaves than joins', () => {
    const found = problems(withEvents('at 1s leave client 2', 'at 2s join client 1', 'at 3s crash client 3'));
    expect(found.map(({ code, line }) => [code, line])).toEqual([['EVENT_AMOUNT', 11]]);
  });

  it('is due after the quit, or one of two quits', () => {
    const found = problems(
      withEvents('at 10s quit', 'at 11s crash server', 'from 5s to 12s leave s1--s2', 'at 9s crash client'),
    );
    expect(found.map(({ code, line }) => [code, line])).toEqual([
      ['EVENT_TIME', 10],
      ['EVENT_TIME', 11],
    ]);
    expect(problems(withEvents('at 10s quit', 'at 10s quit')).map((one) => one.line)).toEqual([10]);
  });

  it('expands to too many changes', () => {
    expect(problems(withEvents('from 0s to 100h flap s1 every 10ms')).map((one) => one.code)).toEqual([
      'LIMIT',
    ]);
  });
});

describe('events of one instant that contradict each other', () => {
  const refused = (...lines: string[]) =>
    problems(withEvents(...lines)).map(({ code, line, column, message }) => {
      expect(code).toBe('EVENT_CONTRADICTION');
      return `${line}:${column} ${message}`;
    });

  it.each([
    [
      ['leave s1--s2', 'join s1--s2'],
      '10:16 join of s1->s2 contradicts the leave in line 9 at the same instant, 5s',
    ],
    [['leave client 1', 'join client'], /join of client.2 contradicts the leave in line 9/],
    [['leave s2', 'join s2'], /join of s2 contradicts the leave in line 9/],
    [['disconnect client.1', 'reconnect client'], /reconnect of client.1 contradicts the disconnect/],
    [
      ['partition client | server', 'heal'],
      '10:5 heal contradicts the partition in line 9 at the same instant, 5s',
    ],
    [
      ['set s1--s2 latency=1ms', 'set s1--s2 latency=2ms'],
      /10:15 s1->s2 gets another latency than from line 9/,
    ],
    [['set s1--s2 latency=1ms', 'set * latency=2ms'], /another latency/],
    [['set client--s1 loss=1%', 'set tag:access loss=2%'], /another loss/],
    [['set s1--s2 jitter=1ms', 'set s2--s1 jitter=2ms'], /another jitter/],
    [['set s1--s2 up=1Mbps', 'set s1->s2 bandwidth=2Mbps'], /another bandwidth/],
    [['set s1--s2 up=1Mbps', 'set s2--s1 down=2Mbps'], /another bandwidth/],
  ])('%j are refused', (lines, message) => {
    const [found, ...rest] = refused(...lines.map((line) => `at 5s ${line}`));
    expect(found).toMatch(message);
    expect(rest).toEqual([]);
  });

  it('start with a window, but do not end with one', () => {
    expect(refused('from 5s to 9s leave s1', 'at 5s join s1')).toHaveLength(1);
    expect(native(withEvents('from 5s to 9s leave s1', 'at 9s leave s1')).events).toHaveLength(2);
  });

  it.each([
    [['at 5s leave s1--s2', 'at 5001ms join s1--s2']],
    [['at 5s crash server', 'at 5s join server']],
    [['at 4s partition client | server', 'at 5s heal', 'at 5s partition client | pool']],
    [['at 5s set s1--s2 latency=1ms', 'at 5s set s1--s2 latency=1ms jitter=2ms']],
    [['at 5s set * latency=1ms', 'at 5s set client--s1 latency=2ms', 'at 5s set client.0--s1 latency=3ms']],
    [['at 5s set s1--s2 bandwidth=1Mbps', 'at 5s set s1--s2 up=2Mbps']],
    [['at 5s set s1--s2 up=1Mbps', 'at 5s set s1--s2 down=2Mbps']],
    [['at 5s set s1--s2 latency=1ms', 'at 5s set s1--s2 latency=+1ms']],
    [['at 5s leave client.0', 'at 5s leave client.1', 'at 6s join client.0 client.1']],
    [['from 1s to 9s flap s1--s2 every 1s', 'at 6s leave s1--s2']],
  ])('are none in %j', (lines) => {
    expect(native(withEvents(...lines)).events).toHaveLength(lines.length);
  });
});

describe('an action of an experiment that runs', () => {
  const read = (text: string, hasWindow = false) => {
    const findings = new Findings(COMMAND_FILE);
    const action = parseAction(text, hasWindow, findings);
    return action ?? findingsOf(findings);
  };
  const findingsOf = (findings: Findings): string => {
    try {
      findings.settle();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('neither an action nor a finding');
  };

  it.each([
    ['crash client 2', { verb: 'crash', amount: 2 }],
    [
      'set s1--s2 latency=50ms loss=1%',
      { verb: 'set', changes: [{ property: 'latency' }, { property: 'loss' }] },
    ],
    ['partition client | server', { verb: 'partition' }],
    ['run client.0 "ls -l"', { verb: 'run', command: 'ls -l' }],
    ['heal', { verb: 'heal' }],
    ['reset', { verb: 'reset' }],
  ])('%j has no time', (text, action) => {
    expect(read(text)).toMatchObject(action);
  });

  it('may have a window where the file may', () => {
    expect(read('flap s1--s2 every 500ms', true)).toMatchObject({ verb: 'flap', period: 500e3 });
    expect(read('leave s1--s2', true)).toMatchObject({ verb: 'leave' });
  });

  it('has positions on line 1', () => {
    const action = read('crash client.0 server');
    expect(typeof action !== 'string' && 'targets' in action && action.targets[1]?.position).toEqual({
      file: 'command',
      line: 1,
      column: 16,
    });
  });

  it.each([
    ['', false, 'command:1:1: error: expected a verb, but the line ends'],
    ['explode server', false, 'command:1:1: error: expected a verb, but found "explode" (write one of join'],
    ['rest', false, 'did you mean "reset"?'],
    ['at 5s crash server', false, 'found "at" (begin with the verb, and give the time with --at'],
    [
      'flap s1 every 1s',
      false,
      'command:1:1: error: "flap" needs a start and an end (say how long, e.g. --for 10s)',
    ],
    ['churn client 1 every 1s', false, '--for 10s'],
    ['crash server', true, 'command:1:1: error: "crash" happens at one instant (leave --for out)'],
    ['reset', true, '"reset" happens at one instant (leave --for out)'],
    ['set s1--s2 lat=5ms', false, 'command:1:12: error: there is no property "lat"'],
    ['set s1--s2 latency=5', false, 'command:1:12: error: "5" has no unit'],
    ['heal now', false, 'command:1:6: error: expected the end of the command, but found "now"'],
  ])('%j with window %j is refused', (text, hasWindow, message) => {
    expect(read(text, hasWindow)).toContain(message);
  });

  it('is not the reset of a file', () => {
    const [problem] = problems(withEvents('at 5s reset'));
    expect(problem).toMatchObject({ code: 'EVENT_SYNTAX', line: 9, column: 11 });
    expect(problem!.remedy).toMatch(/a file has nothing to go back to/);
  });
});
