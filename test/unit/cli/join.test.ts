/** Wrong usage of what joins machines: refused before anything is touched. */
import { expect, test } from 'vitest';
import { netfold } from '../../support/cli.ts';

const FILE = 'examples/quickstart.yaml';
const AT = ['--at', 'a=lo'];

test.each([
  [['agent'], /--controller ADDRESS or --join ADDRESS is missing/],
  [['agent', '--controller', 'unix:/x'], /--socket PATH is missing/],
  [['agent', '--join', '192.0.2.7', ...AT], /--experiment NAME is missing/],
  [['agent', '--join', '192.0.2.7', '--experiment', 'x'], /--at NODE=INTERFACE is missing/],
  [['agent', '--join', '192.0.2.7', '--controller', 'unix:/x'], /exclude each other/],
  [['agent', '--join', 'not an address'], /multiaddr/],
  [['up', FILE, '--elsewhere'], /--elsewhere needs an endpoint that is here/],
  [['up', FILE, '--listen', '192.0.2.7'], /need --elsewhere/],
  [['up', FILE, '--mesh-key', 'x.key'], /need --elsewhere/],
  [['up', FILE, ...AT, '--elsewhere', '--listen', 'eth0'], /write ADDRESS or ADDRESS:PORT/],
])('netfold %s', async (words, message) => {
  const { code, stderr } = await netfold(...words);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});
