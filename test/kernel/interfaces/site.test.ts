/** `netfold up --at`: interfaces that exist already, as on a machine in use. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JOURNAL_FOLDER } from '../../../agent/linux/take-over/journal.ts';
import { agentsOf } from '../../../controller/machine/processes.ts';
import { experimentFolder } from '../../../controller/names.ts';
import { type Place, ping } from '../../../controller/verify/traffic.ts';
import { connect } from '../../../sdk/index.ts';
import { killIfThere } from '../../support/kernel/kill.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { experimentName, type Finished, run, runIn, until } from '../../support/lab/lab.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');
const TOPOLOGY = `
services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 30ms, up: 20Mbps, down: 5Mbps }
`;

let folder: string;
let file: string;
let cable: Cable;
let name: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  file = join(folder, 'site.yaml');
  writeFileSync(file, TOPOLOGY);
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  cable = layCable();
  name = experimentName();
});

// The lab's own hook removes the experiment first.
afterEach(async () => {
  await netfold('down', name);
  cable.remove();
});

const netfold = (...args: string[]): Promise<Finished> => run(NETFOLD, args);

const placeOf = ({ name: node, namespace, addresses }: Cable['a']): Place => ({
  name: node,
  namespace: namespace.split('/').at(-1)!,
  address: addresses[0]!,
});

function up(...more: string[]): Promise<Finished> {
  const at = [cable.a, cable.b].flatMap((end) => ['--at', `${end.name[0]}=eth0@${placeOf(end).namespace}`]);
  return netfold('up', file, '--name', name, '--detach', ...at, ...more);
}

const roundTrip = async (): Promise<number> => (await ping(placeOf(cable.a), placeOf(cable.b), 5, 20)).meanMs;

/** All that the kernel has at both ends. */
async function ends(): Promise<string> {
  const commands =
    'tc -d qdisc; tc -d class show dev eth0; tc filter show dev eth0 ingress; ip -d link; nft list ruleset';
  const outputs = await Promise.all(
    [cable.a, cable.b].map((end) => runIn(placeOf(end), 'sh', '-c', commands)),
  );
  // A new link needs some time until it is ready.
  return outputs.map(({ out }) => out.replaceAll(/NO-CARRIER,|state \w+/g, '')).join('\n');
}

const journalled = (): string[] => (existsSync(JOURNAL_FOLDER) ? readdirSync(JOURNAL_FOLDER) : []);

describe('on interfaces that exist', () => {
  it('paths are what the file says, and afterwards all is as it was', async () => {
    const before = await ends();
    expectSuccess(await up());
    expect(await roundTrip()).toBeGreaterThan(60);
    expect((await netfold('exec', 'a', '--name', name, '--', 'ip', '-br', 'link')).out).toContain('eth0');
    expectSuccess(await netfold('down', name));
    expect(await ends()).toBe(before);
    expect(await roundTrip()).toBeLessThan(30);
    expect(existsSync(experimentFolder(name))).toBe(false);
    expect(agentsOf(name)).toEqual([]);
  });

  it('the API takes them as the command does, and gives them back', async () => {
    const words = ['serve', '--listen', '127.0.0.1:0', '--json'];
    const server = spawn(NETFOLD, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    server.stdout!.on('data', (bytes: Buffer) => {
      said += bytes;
    });
    try {
      await until(() => said.trimEnd().endsWith('}'), 'the server listens', 30_000);
      const there = connect((JSON.parse(said) as { url: string }).url);
      const before = await roundTrip();
      const interfaces = [cable.a, cable.b].map((end) => `${end.name[0]}=eth0@${placeOf(end).namespace}`);
      const at = { interfaces, takeOver: false, never: ['tcp:5432'] };
      await expect(
        there.start(TOPOLOGY, { name, at: { ...at, interfaces: ['a=eth9', interfaces[1]!] } }),
      ).rejects.toMatchObject({ message: expect.stringContaining('eth9') });
      const lab = await there.start(TOPOLOGY, { name, at });
      expect(await roundTrip()).toBeGreaterThan(59);
      await lab.stop();
      expect(await roundTrip()).toBeLessThan(before + 10);
    } finally {
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
  });

  it("somebody's root qdisc is refused and left alone", async () => {
    await runIn(placeOf(cable.a), 'tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'handle', '7:', 'tbf', ...TBF);
    const before = await ends();
    const refused = await up();
    expect(refused.code).toBe(3);
    expect(refused.err).toMatch(/eth0 of a\.0 has a root qdisc "tbf 7:" that is not netfold's/);
    expect(refused.err).toContain('--take-over');
    expect(await ends()).toBe(before);
  });

  it('with --take-over it is kept, and put back', async () => {
    await runIn(placeOf(cable.a), 'tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'handle', '7:', 'tbf', ...TBF);
    const before = await ends();
    const journalBefore = journalled().length;
    expectSuccess(await up('--take-over'));
    expect(journalled()).toHaveLength(journalBefore + 1);
    expect(await roundTrip()).toBeGreaterThan(60);
    expectSuccess(await netfold('down', name));
    expect(await ends()).toBe(before);
    expect(journalled()).toHaveLength(journalBefore);
  });
});

const TBF = ['rate', '50mbit', 'burst', '64kb', 'limit', '1mb'];

describe('when everything is killed', () => {
  const killAll = async (): Promise<void> => {
    const command = (await run('pgrep', ['-f', `controller .*${name}`])).out.trim().split('\n').map(Number);
    for (const pid of [...command, ...agentsOf(name)].filter((one) => one > 0)) killIfThere(pid);
    await until(() => agentsOf(name).length === 0, 'the agent is gone');
  };

  it('shaping ends with the lease, so that no user is locked out, and down restores what was there', async () => {
    await runIn(placeOf(cable.a), 'tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'handle', '7:', 'tbf', ...TBF);
    const before = await ends();
    expectSuccess(await up('--take-over', '--lease', '3s', '--delay-backend', 'auto'));
    expect(await roundTrip()).toBeGreaterThan(60);
    await killAll();
    await sleep(3200);
    expect(await roundTrip()).toBeLessThan(30);
    const down = await netfold('down', name);
    expect(down).toMatchObject({ code: 0 });
    expect(down.out).toContain('taken off: a.0, b.0');
    expect(await ends()).toBe(before);
  });

  it('cleanup finds it without any state file', async () => {
    await runIn(placeOf(cable.b), 'tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'handle', '7:', 'tbf', ...TBF);
    const before = await ends();
    expectSuccess(await up('--take-over'));
    await killAll();
    rmSync(experimentFolder(name), { recursive: true });
    const cleanup = await netfold('cleanup');
    expect(cleanup).toMatchObject({ code: 0 });
    expect(cleanup.out).toContain('the HTB root of eth0');
    expect(await ends()).toBe(before);
  });
});

it('removed from a running interface, no more is lost than what is under way', { retry: 1 }, async () => {
  expectSuccess(await up());
  const { namespace } = placeOf(cable.a);
  const count = 600;
  const command = [
    'netns',
    'exec',
    namespace,
    'ping',
    '-q',
    '-n',
    '-c',
    `${count}`,
    '-i',
    '0.005',
    '-W',
    '1',
  ];
  const traffic = run('ip', [...command, cable.b.addresses[0]!]);
  await sleep(1000);
  expectSuccess(await netfold('down', name));
  const { out } = await traffic;
  const received = Number(/(\d+) received/.exec(out)![1]);
  // A round trip of 60 ms holds 12 of them.
  expect(count - received).toBeLessThanOrEqual(12);
});

describe('bad placements', () => {
  it.each([
    ['an endpoint without a place', ['--at', 'a=eth0@NS'], /b\.0 has no place/, /--at b\.0=/],
    ['an unknown node', ['--at', 'c=eth0@NS'], /the topology has no "c"/, /it has|did you mean/],
    ['an unknown interface', ['--at', 'a=eth9@NS', '--at', 'b=eth0@NS2'], /no interface "eth9"/, /ip link/],
    ['an unknown namespace', ['--at', 'a=eth0@nowhere', '--at', 'b=eth0@NS2'], /nowhere/, /./],
    ['an interface twice', ['--at', 'a=eth0@NS', '--at', 'b=eth0@NS'], /both in the namespace/, /one place/],
    ['no interface', ['--at', 'a'], /--at a: this is not NODE=INTERFACE/, /--at client=eth1/],
  ])('%s changes nothing', async (_, words, message, remedy) => {
    const before = await ends();
    const at = words.map((word) =>
      word.replace('NS2', placeOf(cable.b).namespace).replace('NS', placeOf(cable.a).namespace),
    );
    const refused = await netfold('up', file, '--name', name, ...at);
    expect(refused.code).toBeGreaterThan(0);
    expect(refused.err).toMatch(message);
    expect(refused.err).toMatch(remedy);
    expect(await ends()).toBe(before);
    expect(existsSync(experimentFolder(name))).toBe(false);
  });
});
