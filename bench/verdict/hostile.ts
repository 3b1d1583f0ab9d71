/** A hostile member in the place of a host's agent, which is killed before. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { agentStatus } from '../../controller/experiment/agents.ts';
import { readBootstrap } from '../../controller/experiment/bootstraps.ts';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import { processesIn, signalAll } from '../../controller/machine/processes.ts';
import { identityFolder, meshKeyFile } from '../../controller/names.ts';
import { topologyHash } from '../../proto/bootstrap.ts';
import { BenchError } from '../errors.ts';
import type { Lab } from '../lab.ts';
import type { Hostility } from './hostile-member.ts';

const MEMBER = join(import.meta.dirname, 'hostile-member.ts');
/** Where it listens. */
const MEMBER_PORT = 9999;
const START_MS = 60_000;
const POLL_MS = 20;

export function killAgent({ plan }: Experiment, index: number): void {
  signalAll(processesIn([plan.hosts[index]!.namespace]), 'SIGKILL');
}

/** With the identity and the first endpoint of that host. `text`: the topology that it says to have. It lives until somebody ends it. */
export function startMember(
  { name, plan }: Experiment,
  index: number,
  text: string,
  what: Hostility['what'],
): ChildProcess {
  const { hosts, endpoints } = plan;
  const host = hosts[index]!;
  const others = hosts.filter((one) => one !== host);
  const hostility: Hostility = {
    what,
    experiment: name,
    topology: topologyHash({ text }).slice(0, 16),
    endpoints: endpoints.map(({ number, name: endpoint, addresses }) => ({
      number,
      name: endpoint,
      addresses,
    })),
    host: host.name,
    own: endpoints.find((one) => one.host.name === host.name)!.number,
    others: others.map((other) => other.name),
    commander: readBootstrap(name, host.name)!.mesh.commands!.commanders[0]!.peer,
    listen: `/ip4/${host.address}/tcp/${MEMBER_PORT}`,
    peers: others.map(({ address, meshPort }) => `/ip4/${address}/tcp/${meshPort}`),
    identity: identityFolder(name, host.name),
    key: readFileSync(meshKeyFile(name), 'utf8'),
  };
  const words = ['netns', 'exec', host.namespace, process.execPath, MEMBER, JSON.stringify(hostility)];
  return spawn('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A member in the place of the agent of the host. Resolves when it takes part. */
export async function replaceAgent(
  { experiment }: Lab,
  index: number,
  text: string,
): Promise<() => Promise<void>> {
  killAgent(experiment, index);
  const member = startMember(experiment, index, text, 'commands');
  const end = async (): Promise<void> => {
    const ended = once(member, 'exit');
    if (member.exitCode === null && member.kill('SIGKILL')) await ended;
  };
  const { namespace } = experiment.plan.hosts[index]!;
  const words = ['netns', 'exec', namespace, 'ss', '-Htln', `sport = :${MEMBER_PORT}`];
  const deadline = performance.now() + START_MS;
  while ((await promisify(execFile)('ip', words)).stdout === '') {
    if (performance.now() > deadline || member.exitCode !== null) {
      await end();
      throw new BenchError('FAULT_FAILED', 'the member does not listen');
    }
    await sleep(POLL_MS);
  }
  return end;
}

/** Kills the agent of the host if it is there, and starts it again, as its controller does. Resolves when it runs. */
export async function startAnew({ experiment }: Lab, index: number): Promise<() => void> {
  const host = experiment.plan.hosts[index]!;
  killAgent(experiment, index);
  await experiment.startAgent(host);
  const deadline = performance.now() + START_MS;
  for (;;) {
    const status = await agentStatus(experiment.name, host.name).catch(() => undefined);
    if (status?.state === 'running') return () => {};
    if (performance.now() > deadline) throw new BenchError('FAULT_FAILED', 'the agent does not start again');
    await sleep(POLL_MS);
  }
}
