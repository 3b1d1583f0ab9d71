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
    expect(problem('no reach a web.1 by 5s').remedy).toContain('from T to T');
    expect(problem('exit a 256').message).toContain('no exit code');
    expect(problem('log a contains x').message).toContain('text in quotes');
    expect(problem('verdict good').code).toBe('EXPECT_SYNTAX');
    expect(problem('exit a 0 0').message).toContain('the end of the line');
  });
  it('refuse endpoints that do not exist', () => {
    expect(problem('exit b 0')).toMatchObject({ code: 'EXPECT_NODE', line: 5 });
    expect(problem('exit web 0').remedy).toContain('web.0');
    expect(problem('exit web.3 0').message).toContain('web has 3');
    expect(problem('reach a s').message).toContain('no service');
  });
});
