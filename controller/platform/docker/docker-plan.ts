/** Containers that run already, as the endpoints of a topology: reads the engine and the containers' networks, and changes nothing. */
import { OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import { changesLives } from '../../../topology/model/lives.ts';
import type { Service, Topology } from '../../../topology/model/model.ts';
import { hostName } from '../../names.ts';
import type { Plan, PlannedEndpoint, PlannedHost } from '../port/plan.ts';
import type { Wanted } from '../port/platform.ts';
import { preferIpv4 } from '../port/standing.ts';
import type { Inspected } from './containers.ts';
import type { Engine } from './engine.ts';
import { DockerError } from './errors.ts';
import { chooseNetwork, isRange, sharedNetworks } from './networks.ts';
import { requireFree, requireSandbox, sandboxName, shared, shortId } from './sandbox.ts';
import { assignContainers, type Selector } from './selectors.ts';
import type { DockerSettings } from './settings.ts';
import { findInterface } from './survey.ts';

/** What every plan of this platform contains. */
export const DOCKER = {
  platform: 'docker',
  place: 'containers of this machine',
  outlivesAgent: true,
} as const;

/** Why commands that begin or end applications are refused, and what is there instead. */
export const LIVES = {
  elsewhere: 'the containers were there before, and netfold neither starts nor ends what runs in them',
  remedy:
    'use docker kill, stop, start or restart, which netfold follows; disconnect and reconnect cut the network alone',
} as const;

/** What `make` needs for containers that are not there. */
export interface Making {
  readonly socket: string;
  readonly subnet: string;
  readonly gateway: string;
  /** Absent: IPv4 alone. */
  readonly ipv6Subnet?: string;
  /** Images that the engine does not have and that are to be pulled. */
  readonly pull: readonly string[];
  /** By name. */
  readonly services: ReadonlyMap<string, Service>;
}

export interface DockerPlan extends Plan {
  /** What `make` needs for the endpoint of the same index; empty for an experiment that runs already. */
  readonly containers: readonly Inspected[];
  readonly docker?: DockerSettings;
  /** Absent: the containers are there. */
  readonly making?: Making;
}

export interface PlanOptions {
  readonly selectors: readonly Selector[];
  readonly network?: string | undefined;
  readonly socket: string;
}

/** Throws `DockerError`, and `TopologyError` for what a file asks of applications. */
export async function planContainers(
  { experiment, endpoints: names, topology }: Wanted,
  { selectors, network, socket }: PlanOptions,
  engine: Engine,
): Promise<DockerPlan> {
  refuseApplications(topology);
  await engine.require();
  const listed = await engine.list();
  const assignment = assignContainers(selectors, names, listed);
  const containers: Inspected[] = [];
  for (const name of names) containers.push(await inspectRunning(engine, assignment.get(name)!));
  if (network !== undefined) requireNetwork(network, containers);
  const preferred = sharedNetworks(containers);
  const host: PlannedHost = {
    ...{ index: 0, name: hostName(0), namespace: OWN_NAMESPACE },
    ...{ address: '127.0.0.1', meshPort: 0 },
  };
  const networks = new Set<string>();
  const byInode = new Map<number, string>();
  const endpoints = names.map((name, number): PlannedEndpoint => {
    const container = containers[number]!;
    const chosen = chooseNetwork(container, network, preferred);
    const inode = requireSandbox(container);
    const other = byInode.get(inode);
    if (other !== undefined) throw shared(container.name, other, name);
    byInode.set(inode, name);
    networks.add(chosen.network);
    const sandbox = { experiment, endpoint: name, container: shortId(container.id), inode };
    requireFree(sandbox, container.name);
    const found = findInterface(`/proc/${container.pid}/ns/net`, chosen.addresses);
    if (!found) throw withoutInterface(container, chosen.addresses);
    const address = preferIpv4(found.addresses);
    return { number, name, ...found, namespace: sandboxName(sandbox), address, host };
  });
  const settings = { socket, selectors: [...selectors], networks: [...networks], endpoints: [...names] };
  return {
    ...{
      ...DOCKER,
      experiment,
      hosts: [host],
      endpoints,
      settings: { lives: LIVES, triesPaths: true },
      containers,
    },
    docker: { ...settings, ...(network !== undefined && { network }) },
  };
}

/** A container may end between two requests. */
async function inspectRunning(
  engine: Engine,
  { id, name }: { id: string; name: string },
): Promise<Inspected> {
  const container = await engine.inspect(id);
  if (container && container.pid > 0) return container;
  throw new DockerError(
    'CONTAINER_CHANGED',
    `the container ${name} has just ended`,
    'start it, and try again',
  );
}

/** A misspelt name of a network is told as that, not as a container's fault. */
function requireNetwork(network: string, containers: readonly Inspected[]): void {
  const names = new Set(containers.flatMap(({ networks }) => Object.keys(networks)));
  if (isRange(network) || names.has(network)) return;
  throw new DockerError(
    'CONTAINER_NETWORKS',
    `--network ${network}: none of the containers is in a network of this name`,
    `they are in: ${[...names].join(' ')}; or write a range of addresses, e.g. 10.9.0.0/16`,
  );
}

const withoutInterface = ({ name }: Inspected, addresses: readonly string[]): DockerError =>
  new DockerError(
    'ENGINE_ELSEWHERE',
    `the network of the container ${name} has no interface with its address ${addresses.join(', ')}`,
    'run netfold on the machine whose processes the containers are',
  );

/** A container has its own command, and a life that is its engine's. Throws `TopologyError`, for all places of the file. */
function refuseApplications(topology: Topology): void {
  const findings = new Findings('');
  for (const { name, run, position } of topology.services)
    if (run !== undefined)
      findings.error(
        'LIVES_ELSEWHERE',
        position,
        `services.${name}.run`,
        'a container that runs already has its own command',
        'take run out of the file, or use netfold up FILE, which starts it in a lab',
      );
  for (const { action, position } of topology.events)
    if (changesLives(action, topology))
      findings.error(
        'LIVES_ELSEWHERE',
        position,
        'events',
        `${action.verb} is not possible here: ${LIVES.elsewhere}`,
        LIVES.remedy,
      );
  findings.settle();
}
