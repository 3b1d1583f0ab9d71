/** examples/etcd.yaml: a real consensus system on emulated distances, cut, crashed and restarted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { ROOT } from '../../../deploy/setup/processes.mjs';
import { place, runIn, startLab, tell, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';
import { expectRoundTrips, provide, writeTimes } from '../../support/systems/systems.ts';

const EXAMPLE = readFileSync(join(ROOT, 'examples/etcd.yaml'), 'utf8');
const url = (member: string): string => `http://${member}:2379`;
const ALL = ['e1', 'e2', 'e3'].map(url).join(',');

beforeAll(() => provide('etcd'));

/** From the client; gives up after a second. */
async function etcdctl(lab: Experiment, endpoints: string, ...words: string[]) {
  const command = [
    'etcdctl',
    '--command-timeout=1s',
    '--dial-timeout=1s',
    '--endpoints',
    endpoints,
    ...words,
  ];
  const { code, out, err } = await runIn(place(lab, 'client'), 'env', 'ETCDCTL_API=3', ...command);
  return { code, out: out.trim(), err };
}

interface Status {
  readonly Endpoint: string;
  readonly Status: { readonly leader: number; readonly header: { readonly member_id: number } };
}

/** The member that is its own leader, of those that answer. */
async function leader(lab: Experiment, endpoints = ALL): Promise<string | undefined> {
  const { out } = await etcdctl(lab, endpoints, 'endpoint', 'status', '-w', 'json');
  const found = out === '' ? [] : (JSON.parse(out) as Status[]);
  return found.find(({ Status: { leader, header } }) => leader !== 0 && leader === header.member_id)
    ?.Endpoint;
}

async function put(lab: Experiment, endpoint: string, key: string, value: string): Promise<boolean> {
  return (await etcdctl(lab, endpoint, 'put', key, value)).code === 0;
}

it('writes take what round trips say, a minority refuses, and a crashed member comes back with its data', async () => {
  const lab = await startLab(EXAMPLE, { file: 'etcd.yaml' });
  await lab.run();
  await until(async () => (await leader(lab)) !== undefined, 'a leader', 30_000);

  if ((await leader(lab)) !== url('e1')) {
    const { out } = await etcdctl(lab, url('e1'), 'endpoint', 'status', '-w', 'json');
    // Numbers of 64 bits, in hexadecimal for the command.
    const id = BigInt(/"member_id":(\d+)/.exec(out)![1]!).toString(16);
    expectSuccess(await etcdctl(lab, (await leader(lab))!, 'move-leader', id));
  }
  const body = JSON.stringify({ key: btoa('k'), value: btoa('v') });
  const times = await writeTimes(place(lab, 'client'), 'http', `${url('e1')}/v3/kv/put`, body, '40');
  // To the leader, and from there to the nearer of the others.
  expectRoundTrips(times, 12 + 30);

  await tell(lab, 'partition', 'e1 | e2 e3');
  await until(
    async () => (await leader(lab, `${url('e2')},${url('e3')}`)) !== undefined,
    'another leader',
    20_000,
  );
  expect(await put(lab, url('e1'), 'minority', 'no')).toBe(false);
  expect(await put(lab, url('e2'), 'majority', 'yes')).toBe(true);

  await tell(lab, 'heal');
  await until(
    async () => (await etcdctl(lab, url('e1'), 'get', 'majority', '--print-value-only')).out === 'yes',
    'e1 to follow',
    20_000,
  );
  expect((await etcdctl(lab, url('e1'), 'get', 'minority')).out).toBe('');

  await tell(lab, 'crash', 'e3');
  expect((await etcdctl(lab, url('e3'), 'get', 'majority')).code).not.toBe(0);
  await until(
    () => put(lab, `${url('e1')},${url('e2')}`, 'meanwhile', 'yes'),
    'two of three to go on',
    20_000,
  );
  await tell(lab, 'join', 'e3');
  const own = async (key: string): Promise<string> =>
    (await etcdctl(lab, url('e3'), 'get', key, '--consistency=s', '--print-value-only')).out;
  await until(async () => (await own('meanwhile')) === 'yes', 'e3 to catch up', 20_000);
  expect(await own('majority')).toBe('yes');
}, 180_000);
