/** An experiment that was swapped out has nothing left on the machine, and goes on where it was. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listNamespaces } from '../../../agent/kernel/netns/namespace-files.ts';
import { readDescription } from '../../../controller/record/description.ts';
import { findRecord } from '../../../controller/record/folders.ts';
import { netfold } from '../../support/lab/cli.ts';
import { until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const NAME = `swap-${process.pid}`;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-swap-'));
  process.env.NETFOLD_SWAPPED = join(folder, 'swapped');
});
afterAll(async () => {
  await netfold('down', NAME);
  delete process.env.NETFOLD_SWAPPED;
  rmSync(folder, { recursive: true, force: true });
});

const inside = async (command: string): Promise<string> =>
  (await netfold('exec', 'a', '--name', NAME, '--', 'sh', '-c', command)).stdout.trim();

it('keeps its network, its commands, its files and its time', async () => {
  const file = join(folder, 'lab.yaml');
  writeFileSync(
    file,
    'vars: { delay: 9ms }\nservices: { a: { run: "echo begun >> $NETFOLD_DATA/log; exec sleep 1000" }, b: {} }\nlinks: [{ from: a, to: b, latency: "${delay}" }]\n',
  );
  expectSuccess(await netfold('up', file, '--name', NAME, '--set', 'delay=1ms', '--detach'));
  const before = findRecord(NAME);
  expectSuccess(await netfold('set', 'a--b', 'latency=40ms', '--name', NAME));
  await until(async () => (await inside('cat $NETFOLD_DATA/log')) === 'begun', 'the command has begun');
  await inside('echo 42 > $NETFOLD_DATA/answer');
  const addresses = await inside('ip -o address show dev eth0');
  const activity = async (): Promise<string | null> => {
    const { stdout } = await netfold('swap', 'idle', '--for', '1s', '--json');
    return JSON.parse(stdout).find((one: { experiment: string }) => one.experiment === NAME).activity;
  };
  await until(async () => (await activity()) === null, 'nothing is done', 20_000);
  await inside('timeout 60 sh -c "while :; do :; done" >/dev/null 2>&1 & echo $! > $NETFOLD_DATA/busy');
  expect(await activity()).toContain('of a processor');
  await inside('kill $(cat $NETFOLD_DATA/busy)');

  expectSuccess(await netfold('swap', 'out', NAME));
  expect(listNamespaces().filter((name) => name.includes(NAME))).toEqual([]);
  expect((await netfold('ls', '--json')).stdout).not.toContain(NAME);
  const [kept] = JSON.parse((await netfold('swap', 'ls', '--json')).stdout);
  expect(kept).toMatchObject({ experiment: NAME });
  expect(await netfold('swap', 'in', 'nobody')).toMatchObject({ code: 1 });

  expectSuccess(await netfold('swap', 'in', NAME, '--detach'));
  expect(await inside('ip -o address show dev eth0')).toBe(addresses);
  expect(await inside('cat $NETFOLD_DATA/answer')).toBe('42');
  await until(
    async () => (await inside('cat $NETFOLD_DATA/log')) === 'begun\nbegun',
    'the command has begun again',
  );
  const { agents } = JSON.parse((await netfold('status', NAME, '--json')).stdout);
  expect(agents[0].nowMs).toBeGreaterThan(kept.elapsedMs);
  expect(agents[0].faults).toMatchObject([{ verb: 'set', by: expect.stringContaining('latency=40ms') }]);
  const [, rtt] = /time=([\d.]+) ms/.exec(await inside('ping -c 1 -W 5 b')) ?? [];
  expect(Number(rtt)).toBeGreaterThan(79);
  expect(JSON.parse((await netfold('swap', 'ls', '--json')).stdout)).toEqual([]);
  // Another record, which says the same of where it comes from.
  const after = findRecord(NAME);
  expect(after).not.toBe(before);
  expect(readDescription(after).origin).toEqual({ parameters: { delay: '1ms' } });
});
