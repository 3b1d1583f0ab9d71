/**
 * The API on a real lab: started, watched, changed and ended by HTTP; a server that is killed changes nothing; and a whole
 * experiment from Python.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { experimentFolder, tokenFile } from '../../../controller/names.ts';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';
import { type Connection, connect, type NetfoldError } from '../../../sdk/index.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { netfold } from '../../support/lab/cli.ts';
import { experimentName, run } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const ROOT = join(import.meta.dirname, '../../..');
const TOPOLOGY = `
services:
  client: { replicas: 2 }
  server: { run: "echo begins; sleep 1000" }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 5ms, up: 20Mbps, down: 10Mbps }
  - { from: s1, to: server, latency: 10ms }
`;

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
  readonly netfold: Connection;
}

const servers: ChildProcess[] = [];

afterEach(async () => {
  for (const child of servers.splice(0)) await ended(child, 'SIGTERM');
});

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

/** On the port of an earlier one, or on a free one. */
async function serve(port = 0, ...more: readonly string[]): Promise<Server> {
  const words = ['serve', '--listen', `127.0.0.1:${port}`, '--json', ...more];
  const child = spawn(join(ROOT, 'bin/netfold'), words, { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.push(child);
  let out = '';
  child.stdout!.on('data', (bytes: Buffer) => {
    out += bytes;
  });
  await expect.poll(() => out.trimEnd().endsWith('}'), { timeout: 30_000 }).toBe(true);
  const { url } = JSON.parse(out) as { url: string };
  return { child, url, netfold: connect(url) };
}

/** What a terminal of 33 by 99 characters shows of this, until its shell has ended. */
async function typed({ url }: Server, experiment: string, endpoint: string, text: string): Promise<string> {
  const path = `/api/v1/experiments/${experiment}/endpoints/${endpoint}/terminal?columns=99&rows=33`;
  const token = readFileSync(tokenFile(Number(new URL(url).port)), 'utf8');
  // Node's own takes headers as well, which browsers do not.
  const options = { headers: { authorization: `Bearer ${token}` } } as never;
  const socket = new WebSocket(url.replace('http', 'ws') + path, options);
  socket.binaryType = 'arraybuffer';
  let shown = '';
  socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
    shown += typeof data === 'string' ? data : Buffer.from(data);
  };
  socket.onopen = () => socket.send(JSON.stringify({ type: 'input', text }));
  await new Promise((resolve) => {
    socket.onclose = resolve;
  });
  return shown;
}

const portOf = ({ url }: Server): number => Number(new URL(url).port);

it('an experiment is started, watched, changed and ended by HTTP, and outlives its server', {
  timeout: 120_000,
}, async () => {
  const first = await serve();
  const name = experimentName();
  const lab = await first.netfold.start(TOPOLOGY, { name, hosts: 2, file: 'by-http.yaml' });
  expect(await first.netfold.list()).toContainEqual(
    expect.objectContaining({ name, topologyFile: 'by-http.yaml', hosts: 2, endpoints: 3 }),
  );

  // Nothing flows; then a flow appears.
  const appeared = lab.wait(({ flows }) => (flows.get('client.0>server.0')?.rateBps ?? 0) > 0);
  const traffic = lab.exec('client.0', 'ping -q -i 0.005 -s 1400 -w 5 server');
  const before = await lab.measure('client.1', 'server', { count: 5 });
  expect(before.medianMs).toBeGreaterThan(29);
  const { endpoints } = await appeared;
  await traffic;
  expect([...endpoints.keys()]).toEqual(['client.0', 'client.1', 'server.0']);

  // Confirmed on all hosts, seen on the stream, and by who pings.
  const changed = lab.wait(({ commands }) => [...commands.values()].some((one) => one.state === 'done'));
  const state = await lab.command('set client.0--s1 latency=55ms');
  expect(state).toMatchObject({ state: 'done', everywhere: true, by: expect.stringMatching(/^\S+@host0$/) });
  expect(state.hosts).toEqual([
    { host: 'host0', state: 'done' },
    { host: 'host1', state: 'done' },
  ]);
  await changed;
  expect((await lab.measure('client.0', 'server', { count: 5 })).medianMs).toBeGreaterThan(129);
  expect(await typed(first, name, 'client.1', 'echo $((6*7)); tty; stty size; exit 3\n')).toMatch(
    /42\r\n\/dev\/pts\/\d+\r\n33 99\r\n[\s\S]*the shell has ended with 3/,
  );
  await expect(lab.command('set client--nobody latency=1ms')).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });

  expect(await lab.logs('server.0')).toBe('begins\n');
  expect(await lab.exec('client.1', 'cat; exit 3', { stdin: 'hello', check: false })).toMatchObject({
    code: 3,
    stdout: 'hello',
  });
  expect(await lab.exec('client.1', 'sleep 100', { timeout: '1s', check: false })).toMatchObject({
    timedOut: true,
  });

  // The command line asks the same server, and says the same as without one.
  const remote = await netfold('status', name, '--json', '--api', first.url);
  const local = await netfold('status', name, '--json');
  const facts = ({ stdout }: { stdout: string }): unknown =>
    JSON.parse(stdout).agents.map(({ host, state: how, endpoints: of }: Record<string, unknown>) => [
      host,
      how,
      of,
    ]);
  expect(facts(remote)).toEqual(facts(local));
  expect(
    (await netfold('set', 's1--server', 'latency=12ms', '--name', name, '--api', first.url)).stdout,
  ).toMatch(/^done at/);
  expect((await netfold('history', name, '--api', first.url)).stdout).toContain(
    'set s1--server latency=12ms',
  );
  expect((await netfold('logs', 'server', '--name', name, '--api', first.url)).stdout).toBe('begins\n');

  const remotely = (...words: string[]) =>
    netfold('exec', ...words.slice(0, -1), 'client.1', '--', 'sh', '-c', words.at(-1)!);
  const at = ['--name', name, '--api', first.url];
  expect(await remotely(...at, 'echo out; echo err >&2; exit 3')).toMatchObject({
    ...{ code: 3, stdout: 'out\n', stderr: 'err\n' },
  });
  expect(await remotely(...at, '--stdin', 'wc -c')).toMatchObject({ code: 0, stdout: '0\n' });
  const late = await remotely(...at, '--timeout', '1s', 'sleep 100');
  expect([late.code, late.stderr]).toEqual([143, expect.stringContaining('--timeout')]);

  // What is kept of the run, while it goes on: the database is whole.
  await expect.poll(async () => (await lab.record()).samples, { timeout: 20_000 }).toBeGreaterThan(3);
  const { files, state: recording, events } = await lab.record();
  expect(recording).toBe('recording');
  await expect
    .poll(async () => (await lab.record()).events.map(({ text }) => text), { timeout: 20_000 })
    .toContain('set client.0--s1 latency=55ms');
  expect(events.every(({ origin }) => origin !== '')).toBe(true);
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['record.json', 'run.sqlite', 'topology.yaml']),
  );
  const download = (path: string) =>
    fetch(`${first.url}/api/v1/experiments/${name}/record/file?path=${encodeURIComponent(path)}`, {
      headers: { authorization: `Bearer ${readFileSync(tokenFile(portOf(first)), 'utf8')}` },
    });
  const copy = join(mkdtempSync(join(tmpdir(), 'netfold-record-test-')), 'run.sqlite');
  writeFileSync(copy, Buffer.from(await (await download('run.sqlite')).arrayBuffer()));
  const database = new DatabaseSync(copy, { readOnly: true });
  expect(database.prepare('SELECT count(*) AS n FROM agent_sample').get()!.n).toBeGreaterThan(3);
  database.close();
  rmSync(dirname(copy), { recursive: true });
  for (const path of ['../../experiment.json', '/etc/passwd', 'run.sqlite-wal'])
    expect((await download(path)).status, path).toBe(404);

  // A killed server changes nothing, and the next one shows the same, to who has the old token.
  const picture = async ({ netfold: from }: Server) => {
    const there = from.experiment(name);
    const [paths, commands, topology] = await Promise.all([
      there.paths(),
      there.commands(),
      there.topology(),
    ]);
    return { paths, commands, topology: { ...topology, nowMs: 0 } } satisfies {
      paths: AnswerOf<'getPaths'>;
      commands: unknown;
      topology: unknown;
    };
  };
  const shown = await picture(first);
  expect(shown.commands).toHaveLength(2);
  let snapshots = 0;
  const lost = lab.wait(() => ++snapshots < 0).catch((error: NetfoldError) => error.code);
  await expect.poll(() => snapshots, { timeout: 10_000 }).toBeGreaterThan(0);
  await ended(first.child, 'SIGKILL');
  expect(await lost).toBe('STREAM_LOST');
  const token = readFileSync(tokenFile(portOf(first)), 'utf8');
  const second = await serve(portOf(first));
  expect(readFileSync(tokenFile(portOf(second)), 'utf8')).toBe(token);
  expect(await picture(second)).toEqual(shown);
  expect((await lab.measure('client.0', 'server', { count: 3 })).medianMs).toBeGreaterThan(129);

  // Without the token, with another one, and from a foreign page.
  const ask = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`${second.url}/api/v1/experiments`, { headers })).status;
  expect(await ask({})).toBe(401);
  expect(await ask({ authorization: 'Bearer x' })).toBe(401);
  expect(await ask({ authorization: `Bearer ${token}`, origin: 'http://evil.example' })).toBe(403);

  const seen: string[] = [];
  const following = (async () => {
    for await (const message of second.netfold.experiment(name).follow()) seen.push(message.type);
  })();
  await expect.poll(() => seen[0], { timeout: 10_000 }).toBe('snapshot');
  await second.netfold.experiment(name).stop();
  expect(existsSync(experimentFolder(name))).toBe(false);
  await following;
  expect(seen.at(-1)).toBe('end');
  expect(await second.netfold.list()).not.toContainEqual(expect.objectContaining({ name }));
  await ended(second.child, 'SIGTERM');
  expect(existsSync(tokenFile(portOf(second)))).toBe(false);
});

it('python3 drives a whole experiment with its standard library', { timeout: 60_000 }, async () => {
  const server = await serve();
  const script = join(ROOT, 'examples/sdk/drive.py');
  const name = experimentName();
  const { code, out, err } = await run('python3', [script, server.url, tokenFile(portOf(server)), name]);
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({
    hosts: [
      { host: 'host0', state: 'done' },
      { host: 'host1', state: 'done' },
    ],
    latencyMs: 50,
    pingCode: 0,
    refused: 'NAME_UNKNOWN',
    log: 'ready\n',
  });
  expect(await server.netfold.list()).not.toContainEqual(expect.objectContaining({ name }));
});

it('by TLS, an experiment is started, watched until it is up, and ended', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-tls-test-'));
  const before = getCACertificates('default');
  try {
    const { cert, key } = makeCertificate('localhost');
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key, { mode: 0o600 });
    const { url, netfold: there } = await serve(0, '--tls-cert', certFile, '--tls-key', keyFile);
    expect(url).toMatch(/^https:/);
    await expect(there.list()).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' });
    setDefaultCACertificates([...before, cert]);
    const name = experimentName();
    const wrong = { topology: TOPOLOGY.replace('5ms', '5'), name };
    expect(await there.client.call('checkTopology', { body: { topology: wrong.topology } })).toMatchObject({
      ...{ valid: false, diagnostics: [{ code: 'UNIT', line: 7 }] },
    });
    const watched = async (body: { topology: string; name: string }) => {
      const { id } = await there.client.call('beginStart', { body });
      const state = () => there.client.call('getStart', { params: { id } });
      await expect.poll(async () => (await state()).state, { timeout: 30_000 }).not.toBe('starting');
      return state();
    };
    expect(await watched(wrong)).toMatchObject({ state: 'failed', error: { code: 'UNIT' } });
    expect(await watched({ topology: TOPOLOGY, name })).toMatchObject({ state: 'up', name, error: null });
    const at = ['--api', url, '--ca', certFile];
    const status = await netfold('status', name, '--json', ...at);
    expectSuccess(status);
    expect(JSON.parse(status.stdout)).toMatchObject({ experiment: name, agents: [{ host: 'host0' }] });
    const link = await netfold('serve', '--link', '--listen', new URL(url).host, '--tls-cert', certFile);
    expectSuccess(link);
    expect((await fetch(link.stdout.trim())).headers.get('set-cookie')).toMatch(/; Secure$/);
    expectSuccess(await netfold('down', name, ...at));
    expect(existsSync(experimentFolder(name))).toBe(false);
  } finally {
    setDefaultCACertificates(before);
    rmSync(folder, { recursive: true });
  }
});

it('up --serve prints a link that a browser can open once, and serves as long as the experiment runs', async () => {
  const name = experimentName();
  const file = join(ROOT, 'examples/asymmetric.yaml');
  const up = await netfold('up', file, '--name', name, '--detach', '--serve', '127.0.0.1:0');
  expect(up.code).toBe(0);
  const link = /http:\S+/.exec(up.stdout)![0];
  const opened = await fetch(link);
  const cookie = opened.headers.get('set-cookie')!.split(';')[0]!;
  const list = await fetch(new URL('/api/v1/experiments', link), { headers: { cookie } });
  expect(await list.json()).toContainEqual(expect.objectContaining({ name, topologyFile: file }));
  expect((await fetch(link)).status).toBe(403);
  const another = await netfold('serve', '--link', '--listen', new URL(link).host);
  expect((await fetch(another.stdout.trim())).status).toBe(200);
  expect((await netfold('down', name)).code).toBe(0);
  const isServed = async (): Promise<boolean> =>
    fetch(link).then(
      () => true,
      () => false,
    );
  await expect.poll(isServed, { timeout: 10_000 }).toBe(false);
  const token = tokenFile(Number(new URL(link).port));
  await expect.poll(() => existsSync(token), { timeout: 10_000 }).toBe(false);
});

it('the examples run', { timeout: 60_000 }, async () => {
  const { code, out, err } = await run(join(ROOT, 'node_modules/.bin/node'), [
    '--no-wasm-tier-up',
    join(ROOT, 'examples/sdk/failover.ts'),
  ]);
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^the client asks server\.0\nserver\.0 is gone since \d+ ms; server\.1 was asked by \d+ ms\n/,
  );
});
