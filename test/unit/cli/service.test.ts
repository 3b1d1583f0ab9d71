import { expect, test, vi } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';

// Each test waits for a process; a busy machine takes its time to start it.
vi.setConfig({ testTimeout: 60_000 });

/** No service of any machine has this name, and none is made: every line is refused. */
const UNUSED = 'unit-test-that-never-runs';
const AGENT = ['--', '--join', '192.0.2.7', '--at', 'a=eth0'];

test.each([
  [['install', '../x', ...AGENT], 2, /"\.\.\/x" can't be the name of a service/],
  [['install', UNUSED, '--', '--at', 'a=eth0'], 2, /--join ADDRESS is missing/],
  [
    ['install', UNUSED, ...AGENT, '--name', 'other'],
    2,
    /--name other: the experiment of the service .* is called/,
  ],
  [['install', UNUSED, ...AGENT, '--no-such-option'], 2, /unknown option '--no-such-option'/],
  [['install', UNUSED], 2, /missing required argument 'words'/],
  [['run', UNUSED], 1, /is not there, or damaged/],
  [['restart', UNUSED], 1, /is not there, or damaged/],
  [['uninstall', UNUSED], 1, /is not there, or damaged/],
] as const)('netfold service %j is refused with exit code %i', async (words, code, message) => {
  const refused = await netfold('service', ...words);
  expect(refused.stderr).toMatch(message);
  expect(refused.code).toBe(code);
});

test('an end everywhere is of one experiment', async () => {
  const refused = await netfold('down', '--all', '--everywhere');
  expect(refused.stderr).toMatch(/'--everywhere' cannot be used with option '--all'/);
  expect(refused.code).toBe(2);
});
