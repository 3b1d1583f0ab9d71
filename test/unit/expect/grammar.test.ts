import { describe, expect, it } from 'vitest';
import { loadTopology } from '../../../topology/load.ts';
import { TopologyError } from '../../../topology/model/diagnostics.ts';
import type { Expectation } from '../../../topology/model/expectations.ts';

const LAB =
  'services: { a: {}, web: { replicas: 3 } }\nbridges: [s]\nlinks: [{ from: a, to: s, latency: 1ms }, { from: web, to: s }]\n';

const expected = (...lines: string[]): readonly Expectation[] => {
  const text = `${LAB}expect:\n${lines.map((line) => `  - ${line}\n`).join('')}`;
  return loadTopology(text, 'lab.yaml').topology.expectations!;
};
const problem = (
  line: string,
): { code: string; message: string; remedy: string; column: number; line: number } => {
  try {
    expected(line);
  } catch (error) {
    if (error instanceof TopologyError) return error.diagnostics[0]!;
  }
  throw new Error(`${line} is accepted`);
};

function loaded(events: readonly string[], lines: readonly string[]) {
  const listed = (all: readonly string[]): string => all.map((line) => `  - ${line}\n`).join('');
  const timeline = events.length === 0 ? 'events: []\n' : `events:\n${listed(events)}`;
  const { topology, warnings } = loadTopology(`${LAB}${timeline}expect:\n${listed(lines)}`, 'lab.yaml');
  return { expectations: topology.expectations!, warnings };
}

function errorsOf(events: readonly string[], lines: readonly string[]): string[] {
  try {
    loaded(events, lines);
    return [];
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    return error.diagnostics
      .filter(({ severity }) => severity === 'error')
      .map(({ code, message }) => `${code}: ${message}`);
  }
}

const A = { name: 'a' };
const WEB = { name: 'web', replica: 1 };

describe('expectations', () => {
  it('are measures with a statistic, a window and a quantity of their kind', () => {
    expect(
      expected(
        'rtt a web.1 p99.9 from 1s to 2s < 50ms',
        'rtt a web.1 <= 50ms',
        'loss a web.1 = 0%',
        'rate web.1 a max > 25Mbps',
        'rate web.1 a > 25Mbps',
        'bytes a web.1 from 0s to 10s >= 10MB',
      ),
    ).toMatchObject([
      {
        ...{ what: 'rtt', from: A, to: WEB, statistic: { kind: 'percentile', part: expect.closeTo(0.999) } },
        ...{ when: { kind: 'window', from: 1e6, to: 2e6 }, comparison: '<', value: 50_000 },
      },
      { what: 'rtt', statistic: { kind: 'percentile', part: 0.5 }, when: { kind: 'run' }, comparison: '<=' },
      { what: 'loss', comparison: '=', value: 0 },
      { what: 'rate', statistic: { kind: 'greatest' }, value: 25e6 },
      { what: 'rate', statistic: { kind: 'mean' } },
      { what: 'bytes', value: 10e6, comparison: '>=' },
    ]);
  });
  it('are reachability, exits, logs and the verdict', () => {
    expect(
      expected(
        'reach a web.1 by 5s',
        'no reach a web.1 from 1s to 2s',
        'reach a web.1 within 2s after 20s',
        `'reach a web.1 within 2s after "heal"'`,
        'exit a 3 by 10s',
        `'log a contains "x y" before log web.1 "z"'`,
        'log a lacks "panic"',
        'verdict faithful',
      ),
    ).toMatchObject([
      { what: 'reach', isReached: true, when: { kind: 'by', by: 5e6 } },
      { what: 'reach', isReached: false, when: { kind: 'window' } },
      { when: { kind: 'within', within: 2e6, after: { at: 20e6 } } },
      { when: { kind: 'within', within: 2e6, after: { event: 'heal' } } },
      { what: 'exit', code: 3, when: { kind: 'by', by: 10e6 } },
      { what: 'log', contains: true, text: 'x y', before: { node: WEB, text: 'z' } },
      { what: 'log', contains: false, text: 'panic', when: { kind: 'run' } },
      { what: 'verdict', line: 'verdict faithful' },
    ]);
  });
  it('are numbers that applications write', () => {
    expect(
      expected('number a "took" p95 from 1s to 2s < 1.5e-3', 'number web.1 "of " mean >= -2'),
    ).toMatchObject([
      {
        ...{ what: 'number', node: A, text: 'took', comparison: '<', value: 0.0015 },
        ...{ statistic: { kind: 'percentile' }, when: { kind: 'window', from: 1e6, to: 2e6 } },
      },
      {
        node: WEB,
        text: 'of ',
        statistic: { kind: 'mean' },
        comparison: '>=',
        value: -2,
        when: { kind: 'run' },
      },
    ]);
    expect(problem('number a "took" < 50ms').message).toBe('"50ms" is no number');
    expect(problem('number a took < 50')).toMatchObject({ code: 'EXPECT_SYNTAX' });
    expect(problem('number web "took" < 50').message).toBe('web has 3 replicas');
    expect(problem('always number a "took" < 50').remedy).toContain('max < 50');
    expect(errorsOf([], ['number a "took" max < 50', 'number a "took" p99 > 60'])).toEqual([
      'EXPECT_CONTRADICTION: this contradicts line 6: number a "took" max < 50',
    ]);
    expect(
      errorsOf([], ['number a "took" max < 50', 'number a "other" > 60', 'number a "took" < -5']),
    ).toEqual([]);
  });

  it('know where they stand, and errors in them too', () => {
    expect(expected('exit a 0')[0]!.position).toEqual({ file: 'lab.yaml', line: 5, column: 5 });
    expect(problem('rtt a web.1 < 50')).toMatchObject({ code: 'UNIT', line: 5, column: 19 });
    expect(problem('rtt a web.1 faster 50ms')).toMatchObject({ code: 'EXPECT_SYNTAX', column: 17 });
    expect(problem('rtt a web.1 faster 50ms').message).toContain('expected a comparison');
    expect(problem('rrt a web.1 < 50ms').remedy).toContain('rtt');
  });
  it('refuse what makes no sense', () => {
    expect(problem('loss a web.1 p99 < 1%').message).toContain('one number');
    expect(problem('reach a web.1 from 2s to 1s').message).toContain('not after');
    expect(problem('exit a 256').message).toContain('not an exit code');
    expect(problem('log a contains x').message).toContain('text in quotes');
    expect(problem('verdict good').code).toBe('EXPECT_SYNTAX');
    expect(problem('exit a 0 0').message).toContain('the end of the line');
  });
  it('hold always, once until a time, or once after an event', () => {
    expect(
      expected(
        'always rtt a web.1 p99 over 5s from 10s to 30s < 50ms',
        'always rtt a web.1 over 5s < 50ms from 10s to 30s',
        'eventually rate a web.1 over 10s > 5Mbps by 30s',
        'after 20s within 5s loss a web.1 over 2s < 1%',
        `'after "heal" within 5s log a contains "back"'`,
        'after log a "gone" within 9s reach a web.1',
        'eventually no reach a web.1 by 7s',
        'eventually exit a 0 by 7s',
        'always processes web >= 2 from 1s to 9s',
        'processes web = 3 at 4s',
        'latency a web.1 max < 20ms',
        'rtt a web.1 of traffic p95 < 20ms',
      ),
    ).toMatchObject([
      { what: 'rtt', over: 5e6, statistic: { part: 0.99 }, when: { kind: 'window', from: 10e6, to: 30e6 } },
      { what: 'rtt', over: 5e6, when: { kind: 'window', from: 10e6, to: 30e6 } },
      { what: 'rate', over: 10e6, when: { kind: 'by', by: 30e6 } },
      { what: 'loss', over: 2e6, when: { kind: 'within', within: 5e6, after: { at: 20e6 } } },
      { what: 'log', when: { kind: 'within', within: 5e6, after: { event: 'heal' } } },
      { what: 'reach', when: { kind: 'within', after: { log: { node: A, text: 'gone' } } } },
      { what: 'reach', isReached: false, when: { kind: 'by', by: 7e6 } },
      { what: 'exit', when: { kind: 'by', by: 7e6 } },
      { what: 'processes', node: { name: 'web' }, comparison: '>=', value: 2, when: { kind: 'window' } },
      { what: 'processes', value: 3, when: { kind: 'window', from: 4e6, to: 4e6 } },
      { what: 'latency', statistic: { kind: 'greatest' }, value: 20_000 },
      { what: 'rtt', ofTraffic: true, statistic: { part: expect.closeTo(0.95) } },
    ]);
  });
  it('say over which time they are measured, where that can be judged', () => {
    expect(problem('always rtt a web.1 < 50ms')).toMatchObject({ code: 'EXPECT_SYNTAX', column: 24 });
    expect(problem('always rtt a web.1 < 50ms').message).toContain('expected "over" and a time');
    expect(problem('rtt a web.1 over 5s < 50ms').remedy).toContain('always');
    expect(problem('always rtt a web.1 over 500ms < 50ms').message).toContain('a second or more');
    expect(problem('always rate a web.1 over 1s < 5Mbps').message).toContain('two seconds or more');
    expect(problem('always rtt a web.1 over 5s from 1s to 4s < 5ms').message).toContain('never be judged');
    expect(problem('after 1s within 2s rtt a web.1 over 5s < 5ms').message).toContain('never be judged');
    expect(problem('rate a web.1 from 1s to 1500ms > 5Mbps').message).toContain('a second or more');
    expect(problem('reach a web.1 from 1s to 1500ms').message).toContain('a second or more');
    expect(problem('eventually reach a web.1').message).toContain('"by" and a time');
    expect(problem('always exit a 0').remedy).toContain('eventually');
    expect(problem(`'always log a contains "x"'`).message).toContain('one instant');
    expect(problem(`'eventually log a lacks "x" by 5s'`).remedy).toContain('always log');
    expect(problem('eventually verdict faithful by 5s').message).toContain('whole run');
    expect(problem('rate a web.1 of traffic > 5Mbps').message).toContain('of the traffic itself');
  });
  it('refuse endpoints that do not exist', () => {
    expect(problem('exit b 0')).toMatchObject({ code: 'EXPECT_NODE', line: 5 });
    expect(problem('exit web 0').remedy).toContain('web.0');
    expect(problem('exit web.3 0').message).toContain('web has 3');
    expect(problem('reach a s').message).toContain('no service');
    expect(problem('after log b "x" within 5s reach a web.1').message).toContain('no service');
  });
  it('take the times of the events that they name', () => {
    const [first] = loaded(
      ['at 9s heal', 'from 2s to 3s partition a | web'],
      ['after "partition" within 5s reach a web.1'],
    ).expectations;
    expect(first).toMatchObject({ when: { after: { event: 'partition', due: 2e6 } } });
    const none = loaded(['at 9s heal'], ['after "crash" within 5s reach a web.1']);
    expect(none.warnings).toMatchObject([{ code: 'EXPECT_EVENT', line: 7, column: 5 }]);
  });
  it('warn of commands that nobody gives', () => {
    expect(loaded([], ['exit a 0']).warnings).toMatchObject([
      { code: 'EXPECT_NODE', message: expect.stringMatching(/a runs nothing/) },
    ]);
    expect(loaded(['at 1s run a "true"'], ['exit a 0']).warnings).toEqual([]);
  });
  it('are refused after the end of the run', () => {
    expect(errorsOf(['at 9s quit'], ['reach a web.1 by 10s'])).toEqual([
      'EXPECT_TIME: this is judged at 10s, and the run quits at 9s',
    ]);
    expect(errorsOf(['at 9s quit'], ['reach a web.1 by 8s'])).toEqual([]);
  });
});

describe('contradictions', () => {
  it.each([
    ['loss a web.1 < 0%'],
    ['processes web > 3'],
    ['processes a = 2'],
    ['rtt a web.1 < 0ms'],
    ['rtt a web.1 < 10ms', 'rtt a web.1 > 20ms'],
    ['rtt a web.1 min > 20ms', 'rtt a web.1 p99 < 20ms'],
    ['rate a web.1 mean > 20Mbps', 'rate a web.1 max <= 20Mbps'],
    ['exit a 0', 'exit a 1'],
    ['reach a web.1 from 1s to 9s', 'no reach a web.1 from 5s to 12s'],
    ['reach a web.1', 'eventually no reach a web.1 by 5s'],
    ['no reach a web.1 from 0s to 9s', 'reach a web.1 by 9s'],
    ['always processes web >= 3 from 1s to 9s', 'processes web < 3 at 4s'],
    ['always rtt a web.1 over 2s < 9ms', 'after 2s within 5s rtt a web.1 over 2s > 9ms'],
    [`'log a lacks "x"'`, `'log a contains "x" by 4s'`],
  ])('are found: %s %s', (...lines) => {
    expect(errorsOf([], lines)).toEqual([expect.stringMatching(/^EXPECT_CONTRADICTION: this/)]);
  });
  it.each([
    ['loss a web.1 <= 0%'],
    ['rtt a web.1 min < 10ms', 'rtt a web.1 max > 20ms'],
    ['rtt a web.1 from 1s to 5s < 10ms', 'rtt a web.1 from 5s to 9s > 20ms'],
    ['rtt a web.1 < 10ms', 'rtt web.1 a > 20ms'],
    ['rtt a web.1 < 10ms', 'rtt a web.1 of traffic > 20ms'],
    ['reach a web.1 from 1s to 5s', 'no reach a web.1 from 5s to 9s'],
    ['reach a web.1 by 9s', 'no reach a web.1 from 1s to 4s'],
    ['eventually processes web = 3 by 5s', 'eventually processes web = 0 by 9s'],
    [`'log a lacks "x" by 4s'`, `'log a contains "x" by 9s'`],
  ])('are no others: %s %s', (...lines) => {
    expect(errorsOf([], lines)).toEqual([]);
  });
  it('are told with the line of the other one', () => {
    expect(errorsOf([], ['exit a 0', 'exit a 1'])).toEqual([
      'EXPECT_CONTRADICTION: this contradicts line 6: exit a 0',
    ]);
  });
});
