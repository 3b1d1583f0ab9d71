/** Hosts, and endpoints, that join in a crowd while others leave: all of them get in. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import { controlHistory } from '../../../controller/experiment/control.ts';
import { meshKeyFile } from '../../../controller/names.ts';
import { ping } from '../../../controller/verify/traffic.ts';
import { netfold } from '../../support/lab/cli.ts';
import { experimentName, place, startLab, until } from '../../support/lab/lab.ts';
import { connectMachines } from '../../support/lab/machines.ts';
import { expectSuccess } from '../../support/lab/succeeds.ts';

const CROWD = 12;
/** Of all that come at once, on a machine that does other things: each starts Node, and is answered in turn. */
const DEADLINE_MS = 120_000;

it(`${CROWD} hosts join at once through one agent, and through two while others leave`, {
  timeout: 6 * DEADLINE_MS,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  const file = join(folder, 'wan.yaml');
  writeFileSync(
    file,
    `services: { a: {}, m: { replicas: ${CROWD} } }\nbridges: [s]\nlinks:\n  - { from: a, to: s, latency: 10ms, bandwidth: 100Mbps }\n  - { from: m, to: s, latency: 5ms, bandwidth: 100Mbps }\n`,
  );
  const { machines, remove } = connectMachines(CROWD + 1);
  // After the lab's own hook, which ends the agents.
  onTestFinished(() => {
    remove();
    rmSync(folder, { recursive: true });
  });
  const names = machines.map(() => experimentName());
  const key = join(folder, 'mesh.key');
  const up = await machines[0]!.netfold(
    ...['up', file, '--name', names[0]!, '--at', 'a=eth0', '--elsewhere', '--detach'],
  );
  expect(up, up.err).toMatchObject({ code: 0 });
  copyFileSync(meshKeyFile(names[0]!), key);

  /** Machine `index` has replica `index - 1`. */
  const joined = async (index: number, through: number) => {
    const { child, output } = machines[index]!.start(
      ...['agent', '--join', machines[through]!.address, '--experiment', names[0]!, '--name', names[index]!],
      ...['--host', `host-${index}`, '--mesh-key', key, '--at', `m.${index - 1}=eth0`],
    );
    const ended = new Promise<number | string | null>((resolve) =>
      child.once('exit', (code, signal) => resolve(signal ?? code)),
    );
    const isDone = (): boolean => output().includes('joined') || child.exitCode !== null;
    await until(isDone, `machine ${index} joins`, DEADLINE_MS);
    expect(output()).toContain(`joined ${names[0]} through`);
    return { child, ended };
  };
  const hostOf = (index: number): string => (index === 0 ? 'host0' : `host-${index}`);
  const allKnow = async (indexes: readonly number[]): Promise<void> => {
    const seen = () =>
      Promise.all(
        indexes.map(async (index) => {
          const { hosts, conflicts } = await agentStatus(names[index]!, hostOf(index));
          return { hosts: hosts.map(({ name, endpoints }) => `${name} ${endpoints}`).sort(), conflicts };
        }),
      );
    const hosts = indexes.map((index) => `${hostOf(index)} 1`).sort();
    const right = indexes.map(() => ({ hosts, conflicts: [] }));
    const isRight = async (): Promise<boolean> => isDeepStrictEqual(await seen(), right);
    await until(isRight, 'all know each other', DEADLINE_MS).catch(() => {});
    expect(await seen()).toEqual(right);
  };

  const crowd = Array.from({ length: CROWD }, (_, index) => index + 1);
  const agents = await Promise.all(crowd.map((index) => joined(index, 0)));
  await allKnow([0, ...crowd]);

  // Four leave for good; four others leave, and come again through either of two agents, as soon as they have ended.
  const leave = async (index: number): Promise<void> => {
    agents[index - 1]!.child.kill('SIGTERM');
    // A machine that is very busy ends it by its alarm, a second after its last step.
    expect([0, 'SIGALRM'], `machine ${index} leaves`).toContain(await agents[index - 1]!.ended);
  };
  await Promise.all(
    crowd.slice(0, 8).map(async (index) => {
      await leave(index);
      if (index > 4) await joined(index, index % 2 === 0 ? 0 : CROWD);
    }),
  );
  await allKnow([0, ...crowd.slice(4)]);
});

it(`${CROWD} joins of endpoints at once, given to two hosts with leaves among them, all take effect`, {
  timeout: 4 * DEADLINE_MS,
}, async () => {
  const [replicas, leaves] = [16, 4];
  const lab = await startLab(
    `services: { a: {}, m: { replicas: ${replicas} } }\nbridges: [s]\nlinks:\n  - { from: a, to: s, latency: 1ms }\n  - { from: m, to: s, latency: 1ms }\n`,
    { hosts: 2 },
  );
  await lab.run();
  const give = (host: number, ...words: string[]) =>
    netfold(...(words as [string]), '--name', lab.name, '--host', `host${host}`);
  const present = async (): Promise<number> => {
    const all = Array.from({ length: replicas }, (_, index) => place(lab, `m.${index}`));
    const answers = await Promise.all(all.map((to) => ping(place(lab, 'a'), to, 1, 200, 1000)));
    return answers.filter(({ received }) => received === 1).length;
  };
  expectSuccess(await give(0, 'leave', 'm', `${CROWD}`));
  await until(async () => (await present()) === replicas - CROWD, 'they have left', 20_000);
  const commands = Array.from({ length: CROWD + leaves }, (_, index) =>
    give(index % 2, index % 4 === 3 ? 'leave' : 'join', 'm', '1'),
  );
  for (const one of await Promise.all(commands)) expectSuccess(one);
  await until(
    async () => {
      const { history } = await controlHistory(lab.name);
      return history.length === 1 + commands.length && history.every(({ state }) => state === 'done');
    },
    'all are done',
    DEADLINE_MS,
  );
  await until(async () => (await present()) === replicas - leaves, 'the right number is there', 20_000);
});
