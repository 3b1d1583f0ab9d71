/** Services that wait for others, end, and are started again. One lab for all tests, on two hosts. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Experiment } from '../../../controller/experiment/experiment.ts';
import { removeExperiment } from '../../../controller/experiment/teardown.ts';
import { keptRuns, logIn } from '../../../controller/logs/kept.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import { dataFolder, logFile } from '../../../controller/names.ts';
import { lab as platform } from '../../../controller/platform/lab/lab.ts';
import type { AgentStatus } from '../../../proto/status.ts';
import { loadTopology } from '../../../topology/load.ts';
import { killIfThere } from '../../support/kernel/kill.ts';
import { netfold } from '../../support/lab/cli.ts';
import { place, run, runIn, tell, until } from '../../support/lab/lab.ts';

const NAME = `test-${process.pid}-services`;

const TOPOLOGY = `
services:
  client: {}
  loop: { run: "echo begins; exit 3", restart: always }
  job: { run: "echo begins; test -e $NETFOLD_DATA/again || { touch $NETFOLD_DATA/again; exit 1; }", restart: on-failure }
  server:
    run: |
      echo begins
      sleep 1011 &
      exec python3 -m http.server 8011
    restart: always
  slow:
    run: "echo slow; sleep 1; echo begins; exec python3 -m http.server 8012"
    ready: { port: 8012 }
  teller: { run: "echo begins; sleep 1; echo all is well; exec sleep 1013", ready: { log: all is well } }
  asked:
    run: "sleep 1; touch $STATE; exec sleep 1014"
    env: { STATE: state }
    cwd: .
    ready: { command: "test -e $STATE" }
  never: { run: "exec sleep 1015", ready: { command: "sleep 1016", timeout: 100ms } }
  waiter:
    run: "curl -sf -o /dev/null http://slow:8012/ && echo begins; exec sleep 1017"
    after: [slow, teller, asked, client]
  stuck: { run: "echo begins", after: never }
  once: { run: "echo begins; exec sleep 1012" }
bridges: [s]
links:
  - { from: client, to: s, latency: 1ms }
  - { from: loop, to: s, latency: 1ms }
  - { from: job, to: s, latency: 1ms }
  - { from: server, to: s, latency: 1ms }
  - { from: once, to: s, latency: 1ms }
  - { from: slow, to: s, latency: 1ms }
  - { from: teller, to: s, latency: 1ms }
  - { from: asked, to: s, latency: 1ms }
  - { from: never, to: s, latency: 1ms }
  - { from: waiter, to: s, latency: 1ms }
  - { from: stuck, to: s, latency: 1ms }
`;

let lab: Experiment;

beforeAll(async () => {
  const source = { file: 'services.yaml', text: TOPOLOGY };
  const { topology } = loadTopology(source.text, source.file);
  lab = await Experiment.start({ name: NAME, platform, placement: { hosts: 2 }, source, topology });
  await lab.run();
});

afterAll(() => removeExperiment(NAME));

const log = (node: string): string => {
  const file = logFile(NAME, `${node}.0`);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};
const hostOf = (node: string) => lab.plan.endpoints.find(({ name }) => name === `${node}.0`)!.host;
const begins = (node: string): number => log(node).split('begins\n').length - 1;
/** Of all agents: one may be another than at the start. */
const statuses = async (): Promise<Readonly<Record<string, string>>> => {
  const { stdout } = await netfold('status', NAME, '--json');
  const { agents } = JSON.parse(stdout) as { agents: Partial<Pick<AgentStatus, 'processes'>>[] };
  return Object.assign({}, ...agents.map(({ processes }) => processes));
};
const status = async (node: string): Promise<string> => (await statuses())[`${node}.0`] ?? '';
const commandsIn = (node: string): string[] =>
  processesIn([place(lab, node).namespace]).flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    } catch {
      return [];
    }
  });
const answers = async (): Promise<boolean> =>
  (await runIn(place(lab, 'client'), 'curl', '-sf', '-o', '/dev/null', 'http://server:8011/')).code === 0;
const pidOf = async (node: string): Promise<number> =>
  Number(/^pid (\d+)/.exec(await status(node))?.[1] ?? Number.NaN);

it('starts what waits when all are ready, also those of another host', async () => {
  expect(new Set(['slow', 'teller', 'asked', 'waiter'].map((node) => hostOf(node).name)).size).toBe(2);
  // It says so only if the slow one answers.
  await until(() => begins('waiter') === 1, 'it begins', 30_000);
  expect(begins('slow')).toBe(1);
  expect(log('teller')).toContain('all is well');
  const all = await statuses();
  for (const node of ['slow.0', 'teller.0', 'asked.0']) expect(all[node]).toMatch(/^pid \d+, ready$/);
  expect(all['never.0']).toMatch(/^pid \d+, not ready after 100ms$/);
  expect([all['stuck.0'], log('stuck')]).toEqual(['waits for never', '']);
  const { stdout } = await netfold('status', NAME);
  expect(stdout).toContain('stuck.0: its command waits for never');
  expect(stdout).not.toContain('slow.0: its command');
});

it('starts again what ends, as the service says', async () => {
  await until(() => begins('loop') >= 4, 'the loop has begun four times');
  expect(await status('loop')).toMatch(
    /^exited with 3, started again \d+ times, starts again after [\d.]+ s$/,
  );
  const { stdout } = await netfold('status', NAME);
  expect(stdout).toMatch(/loop\.0: its command exited with 3, started again \d+ times/);
  await until(() => begins('job') === 2, 'the job has begun twice');
  await until(
    async () => (await status('job')) === 'exited with 0, started again 1 time',
    'it has ended well',
  );
  expect(existsSync(`${dataFolder(NAME, 'job.0')}/again`)).toBe(true);
});

it('starts a killed server again, after what it had started', async () => {
  await until(answers, 'the server answers');
  process.kill(await pidOf('server'), 'SIGKILL');
  await until(() => begins('server') === 2, 'it begins again');
  await until(answers, 'it answers again');
  expect(commandsIn('server').filter((one) => one === 'sleep 1011')).toHaveLength(1);
  expect(await status('server')).toMatch(
    /^pid \d+, started again 1 time, the last time it ended by SIGKILL$/,
  );
});

it('starts nothing in an endpoint that is away, and begins anew with it', async () => {
  await tell(lab, 'crash', 'server');
  await until(() => commandsIn('server').length === 0, 'it is gone');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(commandsIn('server')).toEqual([]);
  await tell(lab, 'join', 'server');
  await until(answers, 'it answers in its next life');
  expect(await status('server')).toMatch(/^pid \d+$/);
});

it('goes on under the next agent: what runs stays, what has ended meanwhile is started', async () => {
  const host = hostOf('server');
  const [kept, doomed] = [await pidOf('once'), await pidOf('server')];
  for (const pid of processesIn([host.namespace])) killIfThere(pid);
  process.kill(doomed, 'SIGKILL');
  const next = await lab.startAgent(host);
  await next.waitUntilReady(30_000, () => {});
  await until(answers, 'the server answers');
  expect(await status('server')).toMatch(/^pid \d+, started again 1 time, .*ended while no agent ran$/);
  expect(await pidOf('server')).not.toBe(doomed);
  expect(await pidOf('once')).toBe(kept);
  expect(begins('once')).toBe(1);
});

it('bounds the log of a command that writes without end, also while it is followed', async () => {
  const file = logFile(NAME, 'client.0');
  const following = run('sh', ['-c', `bin/netfold logs client -f --tail 0 --name ${NAME} | tail -n 2`]);
  const words = 'some words in a line that comes again and again without an end';
  await tell(lab, 'run', 'client', `timeout 2 yes ${words}; echo; echo ends; touch $NETFOLD_DATA/done`);
  let most = 0;
  await until(
    () => {
      const { blocks } = statSync(file, { throwIfNoEntry: false }) ?? { blocks: 0 };
      most = Math.max(most, blocks * 512);
      return existsSync(`${dataFolder(NAME, 'client.0')}/done`);
    },
    'it has written',
    30_000,
  );
  // How much is written between two looks depends on the machine.
  expect(statSync(file).size).toBeGreaterThan(100e6);
  expect(most).toBeLessThan(statSync(file).size / 2);
  await until(() => statSync(file).blocks * 512 < 34 * 2 ** 20, 'only its end is left');
  expect(await status('client')).toMatch(/^exited with 0; of its log, [\d,]+ bytes were not kept$/);
  const { stdout } = await netfold('logs', 'client', '--name', NAME);
  const [first, ...lines] = stdout.trimEnd().split('\n');
  expect(first).toMatch(/^\[netfold: the first [\d,]+ bytes were not kept\]$/);
  expect(lines.length).toBeGreaterThan(100_000);
  // It is killed in the middle of a line.
  const others = (all: readonly string[]): string[] => all.filter((line) => !words.startsWith(line));
  expect(others(lines)).toEqual(['ends']);
  await removeExperiment(NAME);
  expect((await following).out).toMatch(/^[a-z ]*\nends\n$/);
  const [ended] = keptRuns(NAME);
  const kept = readFileSync(logIn(ended!.folder, 'client.0'), 'utf8').split('\n');
  expect(kept[0]).toMatch(/^\[netfold: the first /);
  expect(others(kept.slice(1))).toEqual(['ends']);
});
