/** Commands with `--api`, as a user calls them: a server with real agents, and the command line as a process beside it. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { recordIn } from '../../../controller/api/answers/record.ts';
import { NAME_VARIABLE } from '../../../controller/cli/options/name-option.ts';
import { ControllerError } from '../../../controller/errors.ts';
import type { TrafficStatus } from '../../../proto/status.ts';
import { connect } from '../../../sdk/index.ts';
import { type ApiLab, openApiLab, TOKEN } from '../../support/api-server.ts';
import { NAME } from '../../support/fakes/fake-experiments.ts';
import { netfold } from '../../support/lab/cli.ts';
import { flow, makeRecord } from '../../support/records.ts';

vi.setConfig({ testTimeout: 120_000 });

let api: ApiLab;
let url: string;
let folder: string;

beforeAll(async () => {
  api = await openApiLab();
  await api.server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(api.server.server.address() as AddressInfo).port}`;
  vi.stubEnv('NETFOLD_TOKEN', TOKEN);
  vi.stubEnv(NAME_VARIABLE, undefined);
  folder = mkdtempSync(join(tmpdir(), 'netfold-remote-'));
  await makeRecord(join(folder, 'lab@1'), {
    moment: () => ({ flows: [flow('a.0', 'b.0', 3e6)] }),
    events: [
      { tMs: 2003, dueMs: 2000, untilMs: null, origin: 'ada', text: 'set a--s latency=9ms', outcome: 'done' },
    ],
  });
  const { agents } = api.experiments;
  agents.get('host0')!.kernel.streams.add({ from: '10.0.0.2', to: '10.0.0.3', bytesPerSecond: 125_000 });
  agents.get('host1')!.kernel.streams.add({ from: '10.0.0.3', to: '10.0.0.2', bytesPerSecond: 250_000 });
  await api.experiments.lab.clock.advance(3000);
});

afterEach(() => {
  vi.restoreAllMocks();
  api.experiments.silent.clear();
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await api.close();
  rmSync(folder, { recursive: true });
});

const there = (...words: string[]) => netfold(...words, '--api', url);

async function json(...words: string[]) {
  const { code, stdout, stderr } = await there(...words, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

test('top shows flows and the verdict, and who is silent', async () => {
  const { code, stdout } = await there('top', '--once');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^fake {2}at .*2 agents, 2 flows/);
  expect(stdout).toMatch(/client\.1 > server\.0 +1(\.\d+)?Mbps/);
  api.experiments.silent.add('host1');
  const without = (await there('top', NAME, '--once')).stdout;
  expect(without).toMatch(/degraded/);
  expect(without).toMatch(/host1: does not answer/);
});

describe('explain', () => {
  test('tells links, and the flows of now', async () => {
    const { code, stdout } = await there('explain', 'client.0', 'server');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^client\.0 > server\.0\nlatency 15ms, 30ms there and back/);
    expect(stdout).toContain('bandwidth 20Mbps');
    expect(stdout).toContain('no other flow crosses its links now');
    // A flow of the other host.
    expect((await there('explain', 'client.0', 'client.1')).stdout).toMatch(
      /beside it.*\n.*\n {2}server\.0 > client\.1 +[12](\.\d+)?Mbps .* s1->client\.1\n/,
    );
    // Directions are not mixed up.
    expect(await json('explain', 'server', 'client.0')).toMatchObject({ bandwidthBps: 10e6 });
  });

  test('refuses what is not there', async () => {
    const { code, stderr } = await there('explain', 'client', 'server');
    expect([code, stderr]).toEqual([1, expect.stringContaining('say which one, e.g. client.0')]);
    const later = await there('explain', 'client.0', 'server', '--at', '3s');
    expect([later.code, later.stderr]).toEqual([2, expect.stringContaining('--at is for files')]);
  });
});

test('graph draws what is in force, in every format', async () => {
  expect((await there('graph')).stdout).toMatch(/^flowchart LR\n[\s\S]*"server"/);
  expect((await there('graph', NAME, '--format', 'dot')).stdout).toMatch(/^digraph "fake" \{/);
  expect((await there('graph', '--format', 'svg')).stdout).toMatch(/^<svg /);
});

test('paths --live has the rows of the API, as a table and as JSON', async () => {
  const { code, stdout, stderr } = await there('paths', '--live', '--from', 'client.0', '--to', 'server');
  expect([code, stderr]).toEqual([0, expect.stringMatching(/fake at \d/)]);
  expect(stdout).toMatch(/^from .*links\nclient\.0 +server\.0 +15ms +1ms .* client\.0->s1 s1->server\.0\n$/);
  expect(await json('paths', '--live', '--from', 'client.0', '--to', 'server')).toMatchObject([
    { from: 'client.0', to: 'server.0', latencyMs: 15, bandwidthBps: 20e6 },
  ]);
});

test('verdict --paths says whether the run is faithful', async () => {
  const { code, stdout } = await there('verdict', '--paths');
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^fake: ✓ faithful[\s\S]*client\.1 > server\.0/)]);
});

describe('traffic', () => {
  const one: TrafficStatus = {
    ...{ name: 'web', kind: 'constant', protocol: 'udp', from: 'client.0', to: 'server.0' },
    ...{ sources: 1, refused: 0, late: 0 },
    ...{ sent: 0, sentBytes: 0, received: 0, receivedBytes: 0, delaySumMs: 0, mostDelayMs: 0 },
  };
  const told: Record<string, TrafficStatus> = {
    host0: { ...one, sent: 100, sentBytes: 1e5 },
    host1: { ...one, received: 90, receivedBytes: 9e4, delaySumMs: 1800, mostDelayMs: 31 },
  };

  test('of a file without any, says so', async () => {
    expect(await there('traffic')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("no traffic of netfold's own"),
    });
  });

  test('what two hosts tell is one row, and who is silent is named', async () => {
    const ask = api.experiments.ask.bind(api.experiments);
    vi.spyOn(api.experiments, 'ask').mockImplementation(async (name, host, path) => {
      const answer = (await ask(name, host, path)) as object;
      return path === '/status' ? { ...answer, traffic: [told[host]!] } : answer;
    });
    const row = { name: 'web', sent: 100, received: 90, lost: 10, meanDelayMs: 20, mostDelayMs: 31 };
    expect(await json('traffic')).toMatchObject({ experiment: NAME, traffic: [row] });
    api.experiments.silent.add('host1');
    const { stdout, stderr } = await there('traffic');
    expect(stderr).toContain('host1 does not answer: host1 is silent');
    expect(stdout).toMatch(/web +client\.0 +server\.0 +1 +100 +0 +100/);
  });
});

describe('records', () => {
  const recorded = () =>
    vi.spyOn(api.experiments, 'record').mockImplementation(async () => recordIn(join(folder, 'lab@1')));

  test('the list has those of experiments that run there', async () => {
    recorded();
    expect((await there('records')).stdout).toMatch(/lab@1 +2 +0\.\d MB +complete/);
    expect(await json('records')).toMatchObject([{ id: 'lab@1', experiment: 'lab', endpoints: 2 }]);
  });

  test('an experiment without a record is none of them', async () => {
    vi.spyOn(api.experiments, 'record').mockRejectedValue(
      new ControllerError('RECORD_UNKNOWN', 'fake is not recorded'),
    );
    expect(await json('records')).toEqual([]);
    const { code, stderr } = await there('records', 'show', NAME);
    expect([code, stderr]).toEqual([1, expect.stringContaining('fake is not recorded')]);
  });

  test('show has flows, events and agents; events are lines of a timeline', async () => {
    recorded();
    const { code, stdout } = await there('records', 'show', NAME);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^lab@1: complete/);
    expect(stdout).toContain(`at ${url}`);
    expect(stdout).toMatch(/a\.0 → b\.0 +3Mbps/);
    expect(stdout).toMatch(/ada +set a--s latency=9ms/);
    expect(stdout).toMatch(/host0 +10\.0 %/);
    const events = await there('events', NAME);
    expect(events.stdout).toMatch(/in lab@1: 1 command\.\nevents:\n {2}- .*at 2s set a--s latency=9ms/);
  });

  test('a folder is read here', async () => {
    const { code, stdout } = await there('records', 'show', join(folder, 'lab@1'));
    expect([code, stdout]).toEqual([0, expect.stringContaining(join(folder, 'lab@1'))]);
  });
});

test.each([
  ['top', '--once'],
  ['graph'],
  ['explain', 'a', 'b'],
  ['traffic'],
  ['paths', '--live', '--name'],
  ['records', 'show'],
  ['events'],
])('%s of an experiment that is not there is refused', async (...words) => {
  const { code, stderr } = await there(...words, 'other');
  expect([code, stderr]).toEqual([1, expect.stringContaining(`there is no experiment "other" at ${url}`)]);
});

test('what is of this machine alone is refused', async () => {
  const { code, stderr } = await there('logs', 'server', '--ended', '1');
  expect([code, stderr]).toEqual([2, expect.stringMatching(/--ended.* cannot be used with .*--api/)]);
});

test('NETFOLD_API is the same as --api, and files stay files', async () => {
  vi.stubEnv('NETFOLD_API', url);
  const quickstart = 'examples/quickstart.yaml';
  const [ofFile, ofServer] = await Promise.all([netfold('graph', quickstart), netfold('graph')]);
  vi.stubEnv('NETFOLD_API', undefined);
  expect(ofFile.stdout).toMatch(/^flowchart LR/);
  expect(ofServer.stdout).toMatch(/^flowchart LR/);
  expect(ofFile.stdout).not.toBe(ofServer.stdout);
});

test('the SDK has the same', async () => {
  const lab = connect(url, { token: TOKEN }).experiment(NAME);
  expect(await lab.explain('client.0', 'server')).toMatchObject({ reachable: true, latencyMs: 15 });
  expect(await lab.picture('dot')).toMatch(/^digraph "fake"/);
  expect(await lab.traffic()).toMatchObject({ traffic: [], silent: [] });
});
