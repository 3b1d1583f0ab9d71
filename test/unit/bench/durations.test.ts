import { expect, test } from 'vitest';
import { atMost, timed } from '../../../bench/measure/durations.ts';
import { cells, titleOf } from '../../../bench/report/cells.ts';

test('the median is judged against the bound, in its unit', () => {
  const row = atMost('memory', 'MB', 12, [11, 300, 12], 'note');
  expect(row).toMatchObject({ measured: 12, verdict: 'within', samples: 3, unit: 'MB' });
  expect(cells(row).slice(0, 5)).toEqual(['memory', '', '12.0 MB', '', '≤ 12.0 MB']);
  expect(atMost('memory', 'MB', 12, [11, 300, 12.1]).verdict).toBe('outside');
  expect(atMost('memory', 'MB', 12, [11]).spread).toBeNull();
});

test('each run is prepared, and those of the warm-up are not counted', () => {
  const calls: string[] = [];
  const prepare = (): void => void calls.push('prepare');
  const run = (): void => void calls.push('run');
  const row = timed({ what: 'x', boundMs: 1e6, warmUp: 2, samples: 3, prepare, run });
  expect(calls).toEqual(Array.from({ length: 5 }, () => ['prepare', 'run']).flat());
  expect(row).toMatchObject({ samples: 3, verdict: 'within', unit: 'ms' });
});

test('a table without packets has no backend in its title', () => {
  const table = { id: 'a', title: 'shares', source: '', method: '', sampled: '', rows: [] };
  expect(titleOf(table)).toBe('shares');
  expect(titleOf({ ...table, backend: 'delay-line' })).toBe('delay line: shares');
});
