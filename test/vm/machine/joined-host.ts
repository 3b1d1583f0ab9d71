/**
 * Runs inside a machine: makes it one host of a topology that lies over several machines, with its network card in the
 * place of the local lab's fabric.
 *
 *   node joined-host.ts make FILE HOST HOSTS     namespaces, links, the card
 *   node joined-host.ts serve FILE HOSTS         the bootstrap, over HTTP; runs in the host's namespace
 *   node joined-host.ts wait HOST                until the agent enforces the topology; prints its status as JSON
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, isIP } from 'node:net';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentStatus } from '../../../controller/experiment/agents.ts';
import { serveBootstrap } from '../../../controller/experiment/bootstrap-server.ts';
import { makeBootstraps, type TopologyText } from '../../../controller/experiment/bootstraps.ts';
import { agentSocket, controllerSocket, logFile } from '../../../controller/names.ts';
import { fabricNamespace, hostsFile } from '../../../controller/platform/lab/lab-names.ts';
import { createLab } from '../../../controller/platform/lab/lab-namespaces.ts';
import {
  FABRIC_INTERFACE,
  hostsFileText,
  type LabHost,
  type LabPlan,
} from '../../../controller/platform/lab/lab-plan.ts';
import { BOOTSTRAP_PORT, CARD, EXPERIMENT, planJoined } from './joined-plan.ts';

const READY_TIMEOUT_MS = 120_000;
const FABRIC = FABRIC_INTERFACE.name;

const [action, ...args] = process.argv.slice(2);
if (action === 'make') await make(readTopology(args[0]!), args[1]!, Number(args[2]));
else if (action === 'serve') await serve(readTopology(args[0]!), Number(args[1]));
else if (action === 'wait') console.log(JSON.stringify(await waitUntilReady(args[0]!)));
else throw new Error(`unknown action ${action}`);

function readTopology(file: string): TopologyText {
  return { file: basename(file), text: readFileSync(file, 'utf8') };
}

async function make(source: TopologyText, hostName: string, hosts: number): Promise<void> {
  const plan = planJoined(source, hosts);
  const host = plan.hosts.find(({ name }) => name === hostName)!;
  mkdirSync(dirname(logFile(EXPERIMENT, 'any')), { recursive: true });
  await createLab({
    ...plan,
    hosts: [host],
    endpoints: plan.endpoints.filter((endpoint) => endpoint.host === host),
  });
  writeFileSync(hostsFile(EXPERIMENT), hostsFileText(plan));
  // The other hosts are on the cable, not behind this machine's own fabric.
  ip('netns', 'delete', fabricNamespace(EXPERIMENT));
  plugIn(plan, host);
}

/** Moves the machine's network card into the host's namespace, under the name that the fabric has in a local lab. */
function plugIn({ hosts }: LabPlan, host: LabHost): void {
  const { namespace, address } = host;
  ip('link', 'set', CARD, 'netns', namespace, 'name', FABRIC);
  const configure = (command: string): void => ip('-n', namespace, ...command.split(' '));
  configure(`link set ${FABRIC} up`);
  configure(`address add ${address}/24 dev ${FABRIC}`);
  configure(`address add ${linkLocal(host)}/64 dev ${FABRIC} nodad`);
  for (const other of hosts.filter((one) => one !== host)) {
    for (const { prefix, length } of other.networks) {
      const gateway = isIP(prefix) === 6 ? linkLocal(other) : other.address;
      configure(`route add ${prefix}/${length} via ${gateway} dev ${FABRIC}`);
    }
  }
}

function linkLocal({ index }: LabHost): string {
  return `fe80::${(index + 1).toString(16)}`;
}

function ip(...command: string[]): void {
  execFileSync('ip', command, { stdio: 'inherit' });
}

/** The bootstrap server has a unix socket; the other machines come over TCP. */
async function serve(source: TopologyText, hosts: number): Promise<void> {
  const logFolder = dirname(logFile(EXPERIMENT, 'any'));
  const settings = { delayBackend: 'auto', logFolder } as const;
  await serveBootstrap(EXPERIMENT, makeBootstraps(planJoined(source, hosts), source, settings));
  const server = createServer((incoming) => {
    const inner = connect(controllerSocket(EXPERIMENT));
    incoming.on('error', () => inner.destroy()).pipe(inner);
    inner.on('error', () => incoming.destroy()).pipe(incoming);
  });
  server.listen(BOOTSTRAP_PORT, () => console.log('serving'));
}

async function waitUntilReady(host: string): Promise<unknown> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const status = await agentStatus(EXPERIMENT, host).catch(() => undefined);
    if (status?.shaped) return status;
    if (performance.now() > deadline) {
      const log = readFileSync(logFile(EXPERIMENT, host), 'utf8');
      throw new Error(
        `no agent is ready at ${agentSocket(EXPERIMENT, host)}: ${JSON.stringify(status)}\n${log}`,
      );
    }
    await sleep(200);
  }
}
