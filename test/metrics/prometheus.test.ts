/** A real Prometheus reads a running lab with the files of deploy/metrics, answers queries, and raises an alert. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readState } from '../../controller/experiment/state.ts';
import { bytesOf } from '../../proto/units.ts';
import { type Connection, connect } from '../../sdk/index.ts';
import { experimentName, run, runIn, until } from '../support/lab/lab.ts';
import { expectSuccess } from '../support/lab/succeeds.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILES = join(ROOT, 'deploy/metrics');
const TOPOLOGY = `
services: { client: {}, server: {} }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 5ms, up: 20Mbps, down: 30Mbps }
  - { from: s1, to: server, latency: 10ms, bandwidth: 100Mbps }
`;
/** Asked for in the datagrams of iperf3; frames have some more. */
const RATE_BPS = 10e6;

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-prometheus-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

interface Served {
  readonly url: string;
  readonly tokenFile: string;
  readonly netfold: Connection;
}

async function serve(): Promise<Served> {
  const words = ['serve', '--listen', '127.0.0.1:0', '--json'];
  const child = spawn(join(ROOT, 'bin/netfold'), words, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let out = '';
  child.stdout!.on('data', (bytes: Buffer) => {
    out += bytes;
  });
  await until(() => out.trimEnd().endsWith('}'), 'the server listens', 30_000);
  const { url, tokenFile } = JSON.parse(out) as { url: string; tokenFile: string };
  return { url, tokenFile, netfold: connect(url) };
}

/** With the files that users get, but for address, token and pace. Returns how to ask it. */
async function startPrometheus({ url, tokenFile }: Served): Promise<(query: string) => Promise<Found[]>> {
  copyFileSync(join(FILES, 'alerts.yaml'), join(folder, 'alerts.yaml'));
  const given = readFileSync(join(FILES, 'prometheus.yaml'), 'utf8');
  const config = given
    .replace('127.0.0.1:4647', new URL(url).host)
    .replace('/run/netfold/api-4647.token', tokenFile)
    .replaceAll('_interval: 5s', '_interval: 1s');
  const file = join(folder, 'prometheus.yaml');
  writeFileSync(file, config);
  expectSuccess(await run('promtool', ['check', 'config', file]));
  const port = await freePort();
  const words = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn('prometheus', words, { stdio: ['ignore', 'ignore', 'ignore'] });
  children.push(child);
  const at = `http://127.0.0.1:${port}`;
  const isReady = (): Promise<boolean> =>
    fetch(`${at}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(isReady, 'Prometheus is ready', 60_000);
  return async (query) => {
    const answer = await fetch(`${at}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await answer.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  };
}

interface Found {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

it('Prometheus scrapes a running lab, answers, and raises an alert that names the cause', async () => {
  for (const words of [['check', 'rules', join(FILES, 'alerts.yaml')]])
    expectSuccess(await run('promtool', words));
  const server = await serve();
  const name = experimentName();
  const lab = await server.netfold.start(TOPOLOGY, { name, hosts: 2 });
  const ask = await startPrometheus(server);
  const value = async (query: string): Promise<number | undefined> => (await ask(query))[0]?.value;

  const token = readFileSync(server.tokenFile, 'utf8');
  const text = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const metrics = join(folder, 'metrics.txt');
  writeFileSync(metrics, await text.text());
  const linted = await run('sh', ['-c', `promtool check metrics < '${metrics}'`]);
  expect(linted, linted.err).toMatchObject({ code: 0, err: '' });

  // The series are there, and follow what is done.
  await until(
    async () => (await value(`sum(netfold_agent_up{experiment="${name}"})`)) === 2,
    'agents',
    30_000,
  );
  const sender = lab.exec('server', 'iperf3 -s -1', { timeout: '60s', check: false });
  const rate = `iperf3 -u -c server -b ${RATE_BPS} -t 20`;
  const traffic = lab.exec('client', `until ${rate}; do sleep 0.2; done`, { timeout: '60s', check: false });
  const sent = `netfold_endpoint_sent_bytes_per_second{experiment="${name}",endpoint="client.0"}`;
  const isSent = async (): Promise<boolean> => {
    const bytes = (await value(sent)) ?? 0;
    return bytes > 0.9 * bytesOf(RATE_BPS) && bytes < 1.3 * bytesOf(RATE_BPS);
  };
  await until(isSent, 'the rate of the sender is in Prometheus', 40_000);
  const link = `{experiment="${name}",link="client.0->s1"}`;
  expect(await value(`netfold_link_bandwidth_bytes_per_second${link}`)).toBe(bytesOf(20e6));
  expect(await value(`netfold_link_flows${link}`)).toBe(1);
  await lab.command('set client->s1 up=15Mbps');
  await until(
    async () => (await value(`netfold_link_bandwidth_bytes_per_second${link}`)) === bytesOf(15e6),
    'the bandwidth that was set',
    20_000,
  );

  // A disturbance becomes an alert.
  const { namespace, host } = readState(name)!.endpoints.find((one) => one.name === 'server.0')!;
  await runIn({ namespace } as Parameters<typeof runIn>[0], 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'root');
  const alerts = `ALERTS{alertname="NetfoldDisturbed",alertstate="firing",experiment="${name}",code="RULES_CHANGED"}`;
  await until(
    async () => (await ask(alerts)).some(({ labels }) => labels.host === host),
    'the alert',
    20_000,
  );
  await Promise.all([sender, traffic]);
}, 180_000);
