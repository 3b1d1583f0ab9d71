/** The verdict on an experiment, from those of its agents; the table of bounds in the documents. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CAUSES } from '../../../agent/fidelity/causes.ts';
import { causeLines, verdictLine } from '../../../controller/cli/terminal/verdict-text.ts';
import { ANSWER_MS, type Answer, combined } from '../../../controller/fidelity/verdict.ts';
import type { AgentVerdict, Cause } from '../../../proto/status.ts';

const date = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const cause = (changes: Partial<Cause> = {}): Cause => ({
  weight: 'degraded',
  ...{ code: 'PACKETS_LATE', since: date(5), until: null, host: 'host0', path: null },
  ...{ message: 'late', measured: 4, bound: 1, unit: 'ms' },
  ...changes,
});
const agent = (host: string, causes: readonly Cause[] = [], since: string | null = date(1)): Answer => {
  const verdict = causes.length > 0 ? 'degraded' : 'faithful';
  const said: AgentVerdict = { verdict, now: verdict, since, causes, forgotten: 0 };
  return { host, said };
};

test('agents that see nothing are faithful since the last of them judges', () => {
  expect(combined([agent('host0'), agent('host1', [], date(3))])).toEqual({
    ...{ verdict: 'faithful', now: 'faithful', since: date(3), causes: [], forgotten: 0 },
  });
  expect(combined([agent('host0', [], null)]).since).toBeNull();
});

test('a cause that has ended degrades the run, and not what goes on', () => {
  const { verdict, now, since } = combined([agent('host0', [cause({ until: date(6) })]), agent('host1')]);
  expect([verdict, now, since]).toEqual(['degraded', 'faithful', date(5)]);
});

test('an agent that does not answer is a cause of its own', () => {
  const silent = { host: 'host1', reason: 'no answer', sinceMs: Date.UTC(2026, 0, 1) };
  expect(combined([agent('host0'), silent])).toMatchObject({
    verdict: 'degraded',
    causes: [{ code: 'AGENT_SILENT', host: 'host1', until: null, bound: ANSWER_MS }],
  });
});

test('of what several hosts say of another, one cause remains, with the longest time', () => {
  const silent = (since: number, until: number | null) =>
    cause({
      code: 'HOST_SILENT',
      host: 'host2',
      since: date(since),
      until: until === null ? null : date(until),
    });
  const { causes } = combined([
    agent('host0', [silent(5, 8), silent(20, 25)]),
    agent('host1', [silent(6, 9), silent(21, null)]),
  ]);
  expect(causes.map(({ since, until }) => [since, until])).toEqual([
    [date(5), date(9)],
    [date(20), null],
  ]);
});

test('what an agent has forgotten still counts', () => {
  const said = {
    ...(agent('host0') as { said: AgentVerdict }).said,
    verdict: 'invalid',
    forgotten: 3,
  } as const;
  expect(combined([{ host: 'host0', said }])).toMatchObject({ verdict: 'invalid', forgotten: 3 });
});

test('the lines for a terminal name state, cause, host, path and value', () => {
  const verdict = combined([
    agent('host0', [cause({ path: 'a.0 > b.0' }), cause({ code: 'NOT_ENFORCED', weight: 'invalid' })]),
  ]);
  expect(verdictLine(verdict)).toMatch(/^✗ invalid since [\d:]+: 2 causes, 2 go on$/);
  expect(causeLines(verdict.causes).join('\n')).toMatch(
    /^! PACKETS_LATE {2}[\d:]+ – now {2}host0, a\.0 > b\.0\n {4}late \(4 ms; bound 1 ms\)\n✗ NOT_ENFORCED/,
  );
  expect(verdictLine(combined([agent('host0', [], null)]))).toMatch(/not judged yet/);
});

test('docs/fidelity.md has every cause with its weight, its bound and for how long it must go on', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/fidelity.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (\w+) \| ([^|]+) \|([^|]*)\|/gm)].map(
    ([, code, weight, bound, hold]) => [code, weight, bound!.trim(), hold!.trim()],
  );
  const perPath = new Set(['UNDERLAY_SLOW', 'RTT_SHORT', 'RTT_LONG']);
  const expected = Object.entries(CAUSES).map(([code, { weight, bound, unit, holdsMs }]) => {
    const text = perPath.has(code) ? 'path' : `${bound} ${unit}`;
    return [code, weight, text, holdsMs === 0 ? '' : `${holdsMs / 1000} s`];
  });
  expect(rows).toEqual([...expected, ['AGENT_SILENT', 'degraded', `${ANSWER_MS} ms`, '']]);
});
