/** The mesh's key is replaced while three machines run, one of which is away; the network of applications does not notice. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { agentStatus } from '../../controller/experiment/agents.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { meshKeyFile, userKeyFile } from '../../controller/names.ts';
import { experimentName, until } from '../support/lab/lab.ts';
import { connectMachines, type Machine } from '../support/lab/machines.ts';
import { expectSuccess } from '../support/lab/succeeds.ts';

const TOPOLOGY = `
services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 20ms, bandwidth: 100Mbps }
  - { from: b, to: s, latency: 20ms, bandwidth: 100Mbps }
  - { from: c, to: s, latency: 20ms, bandwidth: 100Mbps }
`;

/** Of a and b. */
const ROUND_TRIP_MS = 80;
const PATIENCE_MS = 240_000;

it('is replaced on all hosts, also on one that was away; copies of the old one open nothing', {
  timeout: 900_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-mesh-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string): string => join(folder, name);
  const { machines, remove } = connectMachines(3);
  onTestFinished(remove);
  const [first, second, third] = machines as [Machine, Machine, Machine];
  const names = machines.map(() => experimentName()) as [string, string, string];
  writeFileSync(file('wan.yaml'), TOPOLOGY);
  const up = ['up', file('wan.yaml'), '--name', names[0], '--at', 'a=eth0', '--elsewhere', '--detach'];
  expectSuccess(await first.netfold(...up));
  const hosts: readonly (readonly [name: string, host: string])[] = [
    [names[0], 'host0'],
    [names[1], 'host-b'],
    [names[2], 'host-c'],
  ];
  const keyFiles = [meshKeyFile(names[0]), file('b.key'), file('c.key')] as const;
  for (const copy of [keyFiles[1], keyFiles[2], file('copy.key')]) copyFileSync(keyFiles[0], copy);
  const joining = (endpoint: string, key: string): string[] => [
    ...['agent', '--join', first.address, '--experiment', names[0], '--mesh-key', key],
    ...['--host', `host-${endpoint}`, '--at', `${endpoint}=eth0`],
  ];
  const joined = [second.start(...joining('b', keyFiles[1]), '--name', names[1])];
  const joinThird = () => {
    joined.push(third.start(...joining('c', keyFiles[2]), '--name', names[2]));
    return joined.at(-1)!;
  };
  const c = joinThird();
  /** Each of these knows so many hosts. */
  const untilKnown = (asked: typeof hosts, count: number): Promise<void> => {
    const knows = async ([name, host]: (typeof hosts)[0]): Promise<boolean> => {
      const status = await agentStatus(name, host).catch(() => undefined);
      return status?.hosts.length === count && status.state === 'running' && status.shaped;
    };
    const all = async (): Promise<boolean> => (await Promise.all(asked.map(knows))).every(Boolean);
    return until(all, `${asked.map(([, host]) => host)} know ${count} hosts`, PATIENCE_MS).catch(
      async (error: Error) => {
        const status = ([name, host]: (typeof hosts)[0]) => agentStatus(name, host).catch(String);
        const said = await Promise.all(hosts.map(status));
        const short = said.map((one) =>
          typeof one === 'object' ? [one.host, one.state, one.hosts, one.mesh, one.degraded] : one,
        );
        throw new Error(`${error.message}: ${JSON.stringify(short)} ${joined.map(({ output }) => output())}`);
      },
    );
  };
  await untilKnown(hosts, 3);
  const pings = pingAlways(first.namespace, second.address);
  const rotate = (...words: string[]) =>
    second.netfold('mesh', 'rotate', names[1], '--key', userKeyFile(names[0]), '--json', ...words);
  const keys = (): string[] => keyFiles.map((path) => readFileSync(path, 'utf8'));
  const [old] = keys() as [string];

  // A key that nobody has listed, and none at all.
  expectSuccess(await first.netfold('mesh', 'user', file('other.key')));
  const stranger = await second.netfold('mesh', 'rotate', names[1], '--key', file('other.key'));
  expect(stranger).toMatchObject({ code: 1, err: expect.stringContaining('may give no commands') });
  expect(await second.netfold('mesh', 'rotate', names[1])).toMatchObject({
    err: expect.stringContaining("only a user's key may replace the mesh's"),
  });

  process.kill(agentsOf(names[2])[0]!, 'SIGSTOP');
  await untilKnown(hosts.slice(0, 2), 2);
  const one = JSON.parse((await rotate()).out);
  expect(one).toMatchObject({ told: ['host-b', 'host0'], away: ['host-c'], keyFile: keyFiles[1] });
  await until(() => keys()[0] !== old && keys()[0] === keys()[1], 'two have kept it', PATIENCE_MS);
  expect(keys()[2]).toBe(old);
  expect(statSync(keyFiles[1]).mode & 0o777).toBe(0o600);
  const copied = await third.netfold(...joining('x', file('copy.key')), '--name', experimentName());
  expect(copied).toMatchObject({ code: 1, err: expect.stringContaining('does not answer') });

  process.kill(agentsOf(names[2])[0]!, 'SIGCONT');
  await untilKnown(hosts, 3);
  await until(() => new Set(keys()).size === 1, 'the third has learned it', PATIENCE_MS);

  // Away for longer than the overlap.
  process.kill(agentsOf(names[2])[0]!, 'SIGSTOP');
  await untilKnown(hosts.slice(0, 2), 2);
  const two = JSON.parse((await rotate('--overlap', '10s')).out);
  expect(two).toMatchObject({ away: ['host-c'] });
  await until(() => keys()[0] !== keys()[2] && keys()[0] === keys()[1], 'two have kept it', PATIENCE_MS);
  const named = async (): Promise<boolean> => {
    const { degraded = [] } = (await agentStatus(names[0], 'host0')) ?? {};
    return degraded.some(
      (line) => line.startsWith('host-c was away while') && line.includes(`copy ${keyFiles[0]} there`),
    );
  };
  await until(named, 'who is shut out is named', PATIENCE_MS);
  process.kill(agentsOf(names[2])[0]!, 'SIGCONT');
  const refused = async (): Promise<boolean> => {
    const { mesh } = (await agentStatus(names[0], 'host0'))!;
    return (mesh.rejected.KEY_REPLACED ?? 0) > 0;
  };
  await until(refused, 'its key is refused', PATIENCE_MS);

  // What the killed agent below held would be lost.
  const { lost, early } = await pings.end();
  const statuses = await Promise.all(hosts.slice(0, 2).map(([name, host]) => agentStatus(name, host)));
  // Of an agent that gets no processor for seconds, packets pass undelayed (docs/limits.md), and it counts them.
  const passed = statuses.map((one) => ('delay' in one ? (one.delay.unattended ?? 0) : 0));
  expect(lost).toBe(0);
  expect(early, JSON.stringify(passed)).toBeLessThanOrEqual(passed[0]! + passed[1]!);

  // An agent that starts again has the new key of itself; and the third, with a copy.
  process.kill(agentsOf(names[0])[0]!, 'SIGKILL');
  await untilKnown(hosts.slice(0, 2), 2);
  expectSuccess(await third.netfold('down', names[2]));
  await new Promise((resolve) => (c.child.exitCode === null ? c.child.once('exit', resolve) : resolve(0)));
  copyFileSync(keyFiles[1], keyFiles[2]);
  joinThird();
  await untilKnown(hosts, 3);
  expect(await named()).toBe(false);
  const history = await first.netfold('history', names[0]);
  expect(history.out.match(/rekey, the key before counts for/g)).toHaveLength(2);
});

/** Until `end`, which says how many had no answer, and how many came back too early. */
function pingAlways(namespace: string, address: string) {
  const words = ['netns', 'exec', namespace, 'ping', '-i', '0.2', '-D', address];
  const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    end: async () => {
      const pids = execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
      if (pids.split('\n').includes(String(child.pid))) child.kill('SIGINT');
      await exited;
      const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
      const times = [...text.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms));
      // The first may find the path of its answer not made yet.
      const first = times.findIndex((ms) => ms >= ROUND_TRIP_MS - 1);
      expect(first).toBeLessThan(3);
      // The last one may be under way.
      return {
        lost: Math.max(0, Number(sent) - Number(received) - 1),
        early: times.slice(first).filter((ms) => ms < ROUND_TRIP_MS - 1).length,
      };
    },
  };
}
