/** Wrong usage of what joins machines: refused before anything is touched. */
import { expect, test } from 'vitest';
import { netfold } from '../../support/lab/cli.ts';

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
  [['up', FILE, '--listen', '192.0.2.7'], /--listen needs --elsewhere/],
  [['up', FILE, '--wait'], /--wait needs --elsewhere/],
  [['up', FILE, ...AT, '--wait'], /--wait needs --elsewhere/],
  [['up', FILE, '--lease', '30s'], /--lease needs --at/],
  [['up', FILE, '--never', 'tcp:1'], /--never needs --at/],
  [['up', FILE, ...AT, '--never', 'tcp:0'], /"tcp:0" names no traffic/],
  [['agent', '--join', '192.0.2.7', '--never', 'all'], /"all" names no traffic/],
  [['inject', FILE], /--inventory HOSTS is missing/],
  [['inject', 'measure'], /--inventory HOSTS is missing/],
  [['inject', 'measure', '--host', '192.0.2.7'], /--host is for what runs already, not to measure/],
  [['inject', FILE, '--inventory', 'x', 'begin'], /there is no action "begin"/],
  [['inject', FILE, '--inventory', 'x', 'exec', 'host'], /exec needs a host or an endpoint, and a command/],
  [['inject', FILE, '--inventory', 'x', 'stop', 'host'], /stop takes no "host"/],
  [['up', FILE, ...AT, '--ip', '6'], /--ip is for a lab/],
  [['up', FILE, '--ip', '5'], /Allowed choices are 4, 6, both/],
  [['up', FILE, '--take-over'], /--take-over needs --at/],
  [['up', FILE, '--hosts', '100'], /--hosts 100: the topology has \d+ endpoints/],
  [['up', FILE, '--mesh-key', 'x.key'], /--mesh-key needs --elsewhere/],
  [['up', FILE, ...AT, '--host', 'here'], /--host needs --elsewhere/],
  [['up', FILE, ...AT, '--identity', '/x'], /--identity needs --elsewhere/],
  [['up', FILE, ...AT, '--allow', 'x.txt'], /--allow needs --elsewhere/],
  [['up', FILE, ...AT, '--announce', '203.0.113.7'], /--announce needs --elsewhere/],
  [['up', FILE, ...AT, '--elsewhere', '--allow', 'x.txt'], /--allow needs --identity/],
  [['up', FILE, ...AT, '--elsewhere', '--announce', '/ip4/203.0.113.7/udp/1'], /multiaddr/],
  [['up', FILE, ...AT, '--elsewhere', '--host', '../x'], /write letters/],
  [['agent', '--join', '192.0.2.7', '--host', 'controller'], /not "controller"/],
  [['agent', '--join', '192.0.2.7', '--announce', 'not an address'], /multiaddr/],
  [['up', FILE, ...AT, '--elsewhere', '--listen', 'eth0'], /write ADDRESS or ADDRESS:PORT/],
])('netfold %s', async (words, message) => {
  const { code, stderr } = await netfold(...words);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});
