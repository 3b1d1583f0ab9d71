import { expect, it } from 'vitest';
import { summarize } from '../../../deploy/setup/test-summary.mjs';

const ROOT = '/src/netfold';
const file = (name: string, status: string, ...tests: [string, string][]) => ({
  name: `${ROOT}/${name}`,
  status,
  assertionResults: tests.map(([fullName, status]) => ({ fullName, status })),
});
const good = file('test/unit/a.test.ts', 'passed', ['adds', 'passed'], ['subtracts', 'passed']);

it('counts the tests of all files', () => {
  const bad = file('test/kernel/b.test.ts', 'failed', ['shapes', 'failed'], ['delays', 'passed']);
  expect(summarize({ success: false, testResults: [good, bad] }, 1, ROOT)).toEqual({
    passed: 3,
    failed: 1,
    notRun: [],
  });
});

it('names the tests that were skipped or left to be done', () => {
  const lazy = file(
    'test/kernel/b.test.ts',
    'passed',
    ['shapes', 'skipped'],
    ['delays', 'todo'],
    ['loses', 'pending'],
  );
  expect(summarize({ success: true, testResults: [good, lazy] }, 0, ROOT).notRun).toEqual([
    'test/kernel/b.test.ts: shapes',
    'test/kernel/b.test.ts: delays',
    'test/kernel/b.test.ts: loses',
  ]);
});

it('counts a file that could not be loaded as one failure', () => {
  const broken = file('test/unit/c.test.ts', 'failed');
  expect(summarize({ success: false, testResults: [good, broken] }, 1, ROOT)).toEqual({
    passed: 2,
    failed: 1,
    notRun: [],
  });
});

it('counts an error outside of any test as one failure', () => {
  expect(summarize({ success: true, testResults: [good] }, 1, ROOT).failed).toBe(1);
  expect(summarize({ success: false, testResults: [good] }, 0, ROOT).failed).toBe(1);
});

it('never passes a run without a report or without a test', () => {
  expect(summarize(undefined, 0, ROOT)).toEqual({ passed: 0, failed: 1, notRun: [] });
  expect(summarize({ success: true, testResults: [] }, 0, ROOT).failed).toBe(1);
});
