import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';

// Each test waits for a process; a busy machine takes its time to start it.
vi.setConfig({ testTimeout: 60_000 });

/** No experiments on any machine have these names. */
const [ONE, OTHER] = ['unit-test-one-that-never-runs', 'unit-test-other-that-never-runs'];

beforeEach(() => void vi.stubEnv('NETFOLD_NAME', ONE));
afterEach(() => void vi.unstubAllEnvs());

it.each([
  ['status'],
  ['down'],
  ['history'],
  ['resume'],
  ['exec', 'a', '--', 'true'],
  ['logs', 'a'],
  ['set', 'a--b', 'latency=1ms'],
])('netfold %s is about the experiment that NETFOLD_NAME names', async (...words) => {
  const { code, stderr } = await netfold(...words);
  expect(stderr).toContain(`there is no experiment "${ONE}"`);
  expect(code).toBe(1);
});

it.each([
  ['status', OTHER],
  ['status', '--name', OTHER],
  ['resume', '--name', OTHER],
  ['history', OTHER],
])('netfold %s %s goes before it', async (...words) => {
  expect((await netfold(...words)).stderr).toContain(`there is no experiment "${OTHER}"`);
});
