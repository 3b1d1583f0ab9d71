/** Starts a hostile member in the place of a host's agent, which is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { readBootstrap } from '../../../controller/experiment/bootstraps.ts';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { processesIn, signalAll } from '../../../controller/machine/processes.ts';
import { identityFolder, meshKeyFile } from '../../../controller/names.ts';
import { topologyHash } from '../../../proto/bootstrap.ts';
import type { Hostility } from './hostile-member.ts';

const MEMBER = join(import.meta.dirname, 'hostile-member.ts');

const members = new Set<ChildProcess>();
afterEach(() => {
  for (const member of members) member.kill('SIGKILL');
  members.clear();
});

export function killAgent({ plan }: Experiment, index: number): void {
  signalAll(processesIn([plan.hosts[index]!.namespace]), 'SIGKILL');
}

/** With the identity and the first endpoint of that host. `text`: the topology that it says to have. It ends after the test at the latest. */
export function unleash(
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
    listen: `/ip4/${host.address}/tcp/9999`,
    peers: others.map(({ address, meshPort }) => `/ip4/${address}/tcp/${meshPort}`),
    identity: identityFolder(name, host.name),
    key: readFileSync(meshKeyFile(name), 'utf8'),
  };
  const words = ['netns', 'exec', host.namespace, process.execPath, MEMBER, JSON.stringify(hostility)];
  const member = spawn('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  members.add(member);
  return member;
}
