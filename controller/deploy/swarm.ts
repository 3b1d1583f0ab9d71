/** Docker Swarm: the stack file written, what must be there looked at, and the stack deployed until agents have begun. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { z } from 'zod';
import { millisToSeconds } from '../../proto/units.ts';
import type { Topology } from '../../topology/model/model.ts';
import type { TopologyText } from '../experiment/bootstraps.ts';
import type { OnProgress } from '../progress.ts';
import { DeployError } from './errors.ts';
import { versionOf, write, writeInputs } from './files.ts';
import { AGENT, swarmStack } from './swarm-stack.ts';

const run = promisify(execFile);

export const STACK_FILE = 'stack.yaml';
const HEAD = '# Written by netfold deploy; written again, it is replaced.\n';
/** Images may have to be fetched. */
const READY_MS = 10 * 60_000;
const POLL_MS = 500;
const MOST_OUTPUT = 16 * 2 ** 20;

export interface SwarmDeployment {
  readonly name: string;
  readonly folder: string;
  readonly image: string;
  readonly topology: Topology;
  readonly source: TopologyText;
}

/** Returns what of the topology Swarm has no equivalent for. Throws `DeployError`. */
export function writeStack({ name, folder, image, topology, source }: SwarmDeployment): readonly string[] {
  // Before anything is written.
  const nothing = { topology: '', meshKey: '', userKey: '' };
  swarmStack({ name, image, topology, files: nothing, version: '' });
  const files = writeInputs(folder, STACK_FILE, source);
  const version = versionOf(folder, files);
  const { stack, lost } = swarmStack({ name, image, topology, files, version });
  write(folder, STACK_FILE, HEAD + stringify(stack, { lineWidth: 0 }));
  return lost;
}

const infoSchema = z.object({
  LocalNodeState: z.string(),
  ControlAvailable: z.boolean(),
});

/** Throws `DeployError` where no stack can be deployed. Returns what may be missing, one sentence each. Reads only. */
export async function requireSwarm({ image, topology }: SwarmDeployment): Promise<string[]> {
  const { LocalNodeState: state, ControlAvailable: isManager } = await swarmInfo();
  if (state !== 'active')
    throw new DeployError('CLUSTER_MISSING', 'this engine is in no swarm', 'make one: docker swarm init');
  if (!isManager)
    throw new DeployError(
      'CLUSTER_MISSING',
      'this node is no manager of its swarm',
      'deploy from one, or make this one: docker node promote NODE, on a manager',
    );
  const hosts = (await docker('node', 'ls', '--format', '{{.Hostname}}')).split('\n');
  const twice = hosts.find((host, index) => hosts.indexOf(host) !== index);
  if (twice !== undefined)
    throw new DeployError(
      'CLUSTER_MISSING',
      `two nodes of the swarm have the host name ${twice}, by which agents know each other`,
      'give each its own: hostnamectl set-hostname NAME, and start its engine again',
    );
  const images = new Set([image, ...topology.services.map((service) => service.image!)]);
  const absent: string[] = [];
  for (const one of images)
    if (!(await docker('image', 'inspect', '--format', '{{.Id}}', one).catch(() => undefined)))
      absent.push(
        `the image ${one} is not on this node: if no registry has it, docker load it on every node`,
      );
  return absent;
}

async function swarmInfo(): Promise<z.infer<typeof infoSchema>> {
  const text = await docker('info', '--format', '{{json .Swarm}}');
  const read = infoSchema.safeParse(JSON.parse(text));
  if (read.success) return read.data;
  throw new DeployError(
    'CLUSTER_MISSING',
    'the engine does not say whether it is in a swarm',
    'see docker info',
  );
}

export interface Watching {
  readonly onStep: (step: string) => void;
  readonly onProgress?: OnProgress;
}

/** Deploys what `writeStack` has written, and waits until an agent runs on each node and all endpoints are known. Throws `DeployError`. */
export async function applyStack(
  { name, folder }: Pick<SwarmDeployment, 'name' | 'folder'>,
  watching: Watching,
  readyMs = READY_MS,
): Promise<void> {
  watching.onStep(`deploying the stack ${name}`);
  await docker('stack', 'deploy', '--compose-file', join(folder, STACK_FILE), name);
  const deadline = performance.now() + readyMs;
  for (;;) {
    const { done, of, why } = await progressOf(name);
    watching.onProgress?.({ doing: why, done, of });
    if (of > 0 && done === of) return;
    if (performance.now() > deadline)
      throw new DeployError(
        'CLUSTER_LATE',
        `after ${millisToSeconds(readyMs)} s ${why} ${done} of ${of}`,
        `see why: docker stack ps --no-trunc ${name}; docker service logs ${name}_${AGENT}; or end it: docker stack rm ${name}`,
      );
    await sleep(POLL_MS);
  }
}

/** First agents, then the endpoints that the agent of this node knows; it begins when it knows all. */
async function progressOf(name: string): Promise<{ done: number; of: number; why: string }> {
  const service = `${name}_${AGENT}`;
  const [, text = ''] = /^(\d+\/\d+)/m.exec(
    await docker('service', 'ls', '--filter', `name=${service}`, '--format', '{{.Replicas}}'),
  ) ?? ['', '0/0'];
  const [running = 0, wanted = 0] = text.split('/').map(Number);
  if (wanted === 0 || running < wanted)
    return { done: running, of: Math.max(wanted, 1), why: 'agents that run:' };
  const label = `label=com.docker.swarm.service.name=${service}`;
  const [container] = (await docker('ps', '--quiet', '--filter', label)).split('\n');
  if (!container) return { done: 0, of: 1, why: 'agents that run:' };
  const status = await docker('exec', container, ...INSIDE, 'status', name, '--json').catch(() => '');
  const { known, expected } = knownIn(status);
  return { done: known, of: expected, why: 'endpoints that are known:' };
}

/** The program in netfold's image. */
const INSIDE = ['/usr/bin/netfold'] as const;

const statusSchema = z.object({
  agents: z.array(z.object({ known: z.number(), expected: z.number(), shaped: z.boolean() })),
});

function knownIn(text: string): { known: number; expected: number } {
  try {
    const [agent] = statusSchema.parse(JSON.parse(text)).agents;
    if (!agent) return { known: 0, expected: 1 };
    const { known, expected, shaped } = agent;
    return { known: shaped ? known : Math.min(known, expected - 1), expected };
  } catch {
    // It has not begun yet.
  }
  return { known: 0, expected: 1 };
}

/** Throws `DeployError`. */
async function docker(...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('docker', args, { encoding: 'utf8', maxBuffer: MOST_OUTPUT });
    return stdout.trim();
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT')
      throw new DeployError(
        'CLUSTER_MISSING',
        "Docker's command line is not here",
        'install it, or write the files alone: leave --apply out',
        error,
      );
    throw new DeployError(
      'CLUSTER_REFUSED',
      `docker ${args[0]} ${args[1]}: ${(stderr || message).trim()}`,
      'see what the engine says: journalctl -u docker',
      error,
    );
  }
}
