/** Endpoints feel like hosts: what a command finds around itself. One lab for all tests, which only add to it. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDataFolders } from '../../../controller/experiment/data-folders.ts';
import { Experiment } from '../../../controller/experiment/experiment.ts';
import { requireAccounts } from '../../../controller/experiment/service-settings.ts';
import { removeExperiment } from '../../../controller/experiment/teardown.ts';
import { dataFolder, experimentFolder, logFile, servicesFile } from '../../../controller/names.ts';
import { lab as platform } from '../../../controller/platform/lab/lab.ts';
import { loadTopology } from '../../../topology/load.ts';
import { netfold } from '../../support/lab/cli.ts';
import { run, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const NAME = `test-${process.pid}-hosts`;

const TOPOLOGY = `
services:
  client: { replicas: 2 }
  server: { run: 'echo "$(hostname) $(uname -n) $HOSTNAME"; exec sleep 1000' }
  keeper:
    run: 'echo life >>$NETFOLD_DATA/lives; wc -l <$NETFOLD_DATA/lives; pwd; exec sleep 1000'
  web:
    env: { GREETING: '"hello" $HOME', PATH: '/nowhere:/usr/bin:/bin' }
    cwd: state/www
    user: nobody
    run: |
      echo "$(id -un) $(id -G) $HOME $(pwd) $GREETING $PATH $(hostname)"
      touch made && stat -c %U . made
      exec sleep 1000
  lost: { cwd: /tmp, user: "0", run: 'pwd; id -u; exec sleep 1000' }
links:
  - { from: lost, to: server, latency: 1ms }
  - { from: web, to: server, latency: 1ms }
  - { from: keeper, to: server, latency: 1ms }
  - { from: client, to: server, latency: 1ms }
`;

let lab: Experiment;

beforeAll(async () => {
  const source = { file: 'hosts.yaml', text: TOPOLOGY };
  const { topology } = loadTopology(source.text, source.file);
  lab = await Experiment.start({ name: NAME, platform, placement: { hosts: 2 }, source, topology });
  await lab.run();
});

afterAll(async () => {
  await removeExperiment(NAME);
  expect(existsSync(experimentFolder(NAME))).toBe(false);
});

/** What a shell in an endpoint prints. */
async function says(node: string, line: string): Promise<string> {
  const { code, stdout, stderr } = await netfold('exec', node, '--name', NAME, '--', 'sh', '-c', line);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout.trim();
}

function log(node: string): string {
  const file = logFile(NAME, node);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

it('has a hostname of its own, which reaches itself; the machine keeps its own', async () => {
  await until(() => log('server.0') !== '', 'the server has said its hostname');
  expect(log('server.0')).toBe('server.0 server.0 server.0\n');
  const { address } = lab.plan.endpoints.find(({ name }) => name === 'client.1')!;
  const self =
    'getent ahostsv4 $(hostname) | head -1 | cut -d" " -f1; ping -qc 1 -W 5 $(hostname) >/dev/null && echo reached';
  expect(await says('client.1', `hostname; echo $HOSTNAME; ${self}`)).toBe(
    `client.1\nclient.1\n${address}\nreached`,
  );
  expect(await says('client.0', 'echo other >/proc/sys/kernel/hostname; hostname')).toBe('other');
  expect(await says('client.0', 'hostname')).toBe('client.0');
  expect(await says('client.0', 'printenv NODE_COMPILE_CACHE || echo none')).toBe('none');
  expect(hostname()).toBe(readFileSync('/proc/sys/kernel/hostname', 'utf8').trim());
  expect(hostname()).not.toMatch(/^(other|client|server)/);
});

it('has a folder of its own, which survives crash, leave and join', async () => {
  const folder = dataFolder(NAME, 'keeper.0');
  const lives = (count: number): string =>
    Array.from({ length: count }, (_, index) => `${index + 1}\n${process.cwd()}\n`).join('');
  await until(() => log('keeper.0') === lives(1), 'its first life');
  expect(await says('keeper', 'echo $NETFOLD_DATA; cat $NETFOLD_DATA/lives')).toBe(`${folder}\nlife`);
  expect(await says('client.1', 'echo $NETFOLD_DATA; ls -A $NETFOLD_DATA')).toBe(
    dataFolder(NAME, 'client.1'),
  );
  for (const [end, life] of [
    ['crash', 2],
    ['leave', 3],
  ] as const) {
    expectSuccess(await netfold(end, 'keeper', '--name', NAME));
    expectSuccess(await netfold('join', 'keeper', '--name', NAME));
    await until(() => log('keeper.0') === lives(life), `its life after ${end}`);
  }
});

it('has the variables, the folder and the user of its service; so has exec', async () => {
  const { out } = await run('id', ['-G', 'nobody']);
  const { out: entry } = await run('getent', ['passwd', 'nobody']);
  const data = dataFolder(NAME, 'web.0');
  const self = (path: string): string =>
    `nobody ${out.trim()} ${entry.split(':')[5]} ${data}/state/www "hello" $HOME ${path} web.0`;
  await until(() => log('web.0').split('\n').length > 3, 'it has said who it is');
  expect(log('web.0')).toBe(`${self('/nowhere:/usr/bin:/bin')}\nnobody\nnobody\n`);
  const line = 'echo "$(id -un) $(id -G) $HOME $(pwd) $GREETING $PATH $(hostname)"; ls';
  expect(await says('web', line)).toBe(`${self('/nowhere:/usr/bin:/bin')}\nmade`);
  expect(statSync(data).uid).toBe(statSync(join(data, 'state/www/made')).uid);
  const asRoot = await netfold('exec', 'web', '--name', NAME, '--user', 'root', '--', 'id', '-un');
  expect(asRoot).toMatchObject({ code: 0, stdout: 'root\n', stderr: '' });
  await until(() => log('lost.0') === '/tmp\n0\n', 'a number is a user, too');
  expect(await says('client.0', 'id -un; echo "$GREETING"; pwd')).toBe(`root\n\n${process.cwd()}`);
  // Its variables may be secrets.
  expect(statSync(servicesFile(NAME)).mode & 0o777).toBe(0o600);
});

it('reaches its folder also where the umask of root is strict', async () => {
  for (const folder of [experimentFolder(NAME), dirname(dataFolder(NAME, 'web.0'))]) chmodSync(folder, 0o700);
  makeDataFolders(lab.plan, lab.topology, requireAccounts(lab.topology, lab.plan));
  expect(await says('web', 'ls $NETFOLD_DATA/state/www; touch $NETFOLD_DATA/new')).toBe('made');
  expect((await netfold('exec', 'web', '--name', NAME, '--', 'ls', experimentFolder(NAME))).code).not.toBe(0);
});

it('gets nothing of root by a link in its folder, when an agent joins again', async () => {
  const foreign = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  try {
    await says('web', `cd $NETFOLD_DATA && mv state kept && ln -s ${foreign} state`);
    makeDataFolders(lab.plan, lab.topology, requireAccounts(lab.topology, lab.plan));
    expect(statSync(foreign).uid).toBe(0);
    expect(readdirSync(foreign)).toEqual([]);
  } finally {
    const data = dataFolder(NAME, 'web.0');
    rmSync(join(data, 'state'));
    renameSync(join(data, 'kept'), join(data, 'state'));
    rmSync(foreign, { recursive: true });
  }
});

it('ends a command of another user as any other, and starts it again', async () => {
  expectSuccess(await netfold('crash', 'web', '--name', NAME));
  expectSuccess(await netfold('join', 'web', '--name', NAME));
  await until(() => log('web.0').split('\n').length > 6, 'its second life');
});

it('names place and remedy of a user and a folder that this machine does not have, and makes nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  const file = join(folder, 'strange.yaml');
  const name = `${NAME}-no`;
  writeFileSync(
    file,
    'services:\n  a:\n    user: no-such-user\n  b: { cwd: /no/such/folder }\nlinks: [{ from: a, to: b }]\n',
  );
  try {
    const { code, stderr } = await netfold('up', file, '--name', name, '--detach');
    expect(code).toBe(1);
    expect(stderr).toContain(
      `${file}:3:11: error: services.a.user: this machine has no user "no-such-user" (`,
    );
    expect(stderr).toContain(
      `${file}:4:13: error: services.b.cwd: this machine has no folder /no/such/folder (`,
    );
    expect(existsSync(experimentFolder(name))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('refuses a command that is not there as before', async () => {
  expect(await netfold('exec', 'server', '--name', NAME, '--', 'no-such-command')).toMatchObject({
    code: 127,
  });
});
