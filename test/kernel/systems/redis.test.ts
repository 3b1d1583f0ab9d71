/** examples/redis.yaml: replication and sentinels on emulated distances, cut, crashed and restarted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { ROOT } from '../../../deploy/setup/processes.mjs';
import { place, runIn, startLab, tell, until } from '../../support/lab/lab.ts';
import { expectRoundTrips, provide, writeTimes } from '../../support/systems/systems.ts';

const EXAMPLE = readFileSync(join(ROOT, 'examples/redis.yaml'), 'utf8');
const SENTINEL = '26379';

beforeAll(() => provide('redis'));

async function redis(lab: Experiment, host: string, port: string, ...words: string[]): Promise<string> {
  const command = ['timeout', '3', 'redis-cli', '-h', host, '-p', port, ...words];
  return (await runIn(place(lab, 'client'), ...command)).out.trim();
}

const tellServer = (lab: Experiment, host: string, ...words: string[]): Promise<string> =>
  redis(lab, host, '6379', ...words);

/** As the sentinel of a host sees it. */
const primary = async (lab: Experiment, host: string): Promise<string | undefined> =>
  (await redis(lab, host, SENTINEL, 'sentinel', 'get-master-addr-by-name', 'main')).split('\n')[0];

/** Whether the sentinel of a host knows the other two and both replicas. */
async function knowsAll(lab: Experiment, host: string): Promise<boolean> {
  const facts = (await redis(lab, host, SENTINEL, 'sentinel', 'master', 'main')).split('\n');
  const fact = (name: string): string | undefined => facts[facts.indexOf(name) + 1];
  return fact('num-slaves') === '2' && fact('num-other-sentinels') === '2';
}

const role = async (lab: Experiment, host: string): Promise<string | undefined> =>
  (await tellServer(lab, host, 'role')).split('\n')[0];

it('writes take what round trips say, a lonely primary refuses, and a crashed one comes back with its data', async () => {
  const lab = await startLab(EXAMPLE, { file: 'redis.yaml' });
  await lab.run();
  await until(
    async () =>
      // A sentinel asks the primary for its replicas every ten seconds.
      (await Promise.all(['r2', 'r3'].map((host) => knowsAll(lab, host)))).every(Boolean) &&
      (await tellServer(lab, 'r1', 'set', 'k', 'v')) === 'OK',
    'two replicas and three sentinels',
    30_000,
  );

  const times = await writeTimes(place(lab, 'client'), 'redis', 'r1', '40');
  // To the primary, and from there to the nearer replica.
  expectRoundTrips(times, 12 + 30);

  await tell(lab, 'partition', 'r1 | r2 r3');
  await until(
    async () => /^NOREPLICAS/.test(await tellServer(lab, 'r1', 'set', 'minority', 'no')),
    'the lonely primary to refuse',
    20_000,
  );
  await until(
    async () => ['r2', 'r3'].includes((await primary(lab, 'r2')) ?? ''),
    'the sentinels to promote another',
    30_000,
  );
  const promoted = (await primary(lab, 'r2'))!;
  await until(
    async () => (await tellServer(lab, promoted, 'set', 'majority', 'yes')) === 'OK',
    'the new primary to accept writes',
    20_000,
  );

  await tell(lab, 'heal');
  await until(async () => (await role(lab, 'r1')) === 'slave', 'r1 to become a replica', 30_000);
  await until(async () => (await tellServer(lab, 'r1', 'get', 'majority')) === 'yes', 'r1 to follow', 20_000);

  const other = promoted === 'r2' ? 'r3' : 'r2';
  await tell(lab, 'crash', other);
  expect(await tellServer(lab, other, 'ping')).not.toBe('PONG');
  expect(await tellServer(lab, promoted, 'set', 'meanwhile', 'yes')).toBe('OK');
  await tell(lab, 'join', other);
  await until(
    async () => (await tellServer(lab, other, 'get', 'meanwhile')) === 'yes',
    'it to catch up',
    30_000,
  );
  expect(await tellServer(lab, other, 'get', 'majority')).toBe('yes');
  expect(await role(lab, other)).toBe('slave');
}, 240_000);
