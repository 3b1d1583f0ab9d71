/** Containers that run already, as the endpoints of a topology: reads the engine and the containers' networks, and changes nothing. */
import { OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { Findings } from '../../../topology/model/diagnostics.ts';
import { changesLives } from '../../../topology/model/lives.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { hostName } from '../../names.ts';
import type { Plan, PlannedEndpoint, PlannedHost } from '../port/plan.ts';
import type { Wanted } from '../port/platform.ts';
import { preferIpv4 } from '../port/standing.ts';
import { type CheckedEngine, called, type Inspected } from './containers.ts';
import { ContainerError } from './errors.ts';
import { chooseNetwork, isRange, sharedNetworks } from './networks.ts';
import { type EngineName, requireSandbox, type Sandbox, sandboxName, shared, shortId } from './sandbox.ts';
import { assignContainers, groupsOf, requireFor, type Selector } from './selectors.ts';
import type { ContainerSettings } from './settings.ts';
import { findInterface } from './survey.ts';
import { requireFree } from './taken.ts';

/** A platform whose endpoints are containers that run already. */
export interface RunningKind {
  readonly platform: EngineName;
  /** As in `Plan`. */
  readonly place: string;
  /** Why commands that begin or end applications are refused, and what is there instead. */
  readonly lives: { readonly elsewhere: string; readonly remedy: string };
}

/** A container that has a network namespace. */
export type Running = Inspected & { readonly namespacePath: string };

export interface ContainersPlan extends Plan {
  /** What `make` needs for the endpoint of the same index; empty for an experiment that runs already. */
  readonly containers: readonly Running[];
  /** For what follows them. */
  readonly followed?: ContainerSettings;
}

export interface PlanOptions {
  readonly selectors: readonly Selector[];
  readonly network?: string | undefined;
  /** Whether the topology's names resolve in the containers. */
  readonly names?: boolean | undefined;
  readonly socket: string;
}

/** Throws `ContainerError`, and `TopologyError` for what a file asks of applications. */
export async function planContainers(
  kind: RunningKind,
  { experiment, endpoints: names, topology }: Wanted,
  { selectors, network, socket, names: hasNames = false }: PlanOptions,
  engine: CheckedEngine,
): Promise<ContainersPlan> {
  const { platform, place, lives } = kind;
  requireFor(platform, selectors);
  refuseApplications(topology, lives);
  await engine.require();
  const listed = await engine.list();
  const assignment = assignContainers(selectors, names, listed);
  const containers: Running[] = [];
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
    if (other !== undefined) throw shared(container, other, name);
    byInode.set(inode, name);
    networks.add(chosen.network);
    const sandbox: Sandbox = {
      ...{ platform, experiment, endpoint: name },
      ...{ container: shortId(container.id), inode },
    };
    requireFree(sandbox, container);
    const found = findInterface(container.namespacePath, chosen.addresses);
    if (!found) throw withoutInterface(container, chosen.addresses);
    const address = preferIpv4(found.addresses);
    return { number, name, ...found, namespace: sandboxName(sandbox), address, host };
  });
  const settings = { socket, selectors: [...selectors], networks: [...networks], endpoints: [...names] };
  return {
    ...{ platform, place, outlivesAgent: true, experiment, hosts: [host], endpoints, containers },
    settings: { lives, triesPaths: true },
    followed: { ...settings, ...(network !== undefined && { network }), ...(hasNames && { names: true }) },
  };
}

/** What is known of this machine where other endpoints are on others. */
export interface Here {
  /** Name of this machine's host, and where its agent listens. */
  readonly host: string;
  readonly listen: { readonly address: string; readonly port: number };
}

/**
 * This machine's part of an experiment on several: no endpoint at first, since the containers that are here, and those that come, are
 * found by what follows them. Throws like `planContainers`.
 */
export async function planHere(
  kind: RunningKind,
  { experiment, endpoints: names, topology }: Wanted,
  { selectors, network, socket, here }: PlanOptions & { readonly here: Here },
  engine: CheckedEngine,
): Promise<ContainersPlan> {
  const { platform, place, lives } = kind;
  requireFor(platform, selectors);
  groupsOf(selectors, names);
  refuseApplications(topology, lives);
  await engine.require();
  const host: PlannedHost = {
    ...{ index: 0, name: here.host, namespace: OWN_NAMESPACE },
    ...{ address: here.listen.address, meshPort: here.listen.port },
  };
  return {
    ...{ platform, place, outlivesAgent: true, experiment, hosts: [host], endpoints: [], containers: [] },
    settings: { lives },
    followed: {
      ...{ socket, selectors: [...selectors], networks: [], endpoints: [...names], here: true },
      ...(network !== undefined && { network }),
    },
  };
}

/** A container may end between two requests. */
async function inspectRunning(
  engine: CheckedEngine,
  listed: { id: string; name: string; isPod?: boolean },
): Promise<Running> {
  const container = await engine.inspect(listed.id);
  if (container?.namespacePath !== undefined) return { ...container, namespacePath: container.namespacePath };
  throw new ContainerError(
    'CONTAINER_CHANGED',
    `${called(listed)} has just ended`,
    'start it, and try again',
  );
}

/** A misspelt name of a network is told as that, not as a container's fault. */
function requireNetwork(network: string, containers: readonly Inspected[]): void {
  const names = new Set(containers.flatMap(({ networks }) => Object.keys(networks)));
  if (isRange(network) || names.has(network)) return;
  throw new ContainerError(
    'CONTAINER_NETWORKS',
    `--network ${network}: none of the containers is in a network of this name`,
    `they are in: ${[...names].join(' ')}; or write a range of addresses, e.g. 10.9.0.0/16`,
  );
}

const withoutInterface = (container: Inspected, addresses: readonly string[]): ContainerError =>
  new ContainerError(
    'ENGINE_ELSEWHERE',
    `the network of ${called(container)} has no interface with its address ${addresses.join(', ')}`,
    'run netfold on the machine whose processes the containers are',
  );

/** A container has its own command, and a life that is its engine's. Throws `TopologyError`, for all places of the file. */
function refuseApplications(topology: Topology, lives: RunningKind['lives']): void {
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
  const ofSequences = (topology.sequences ?? []).flatMap(({ steps }) =>
    steps.flatMap((step) => ('action' in step ? [step] : [])),
  );
  for (const { action, position } of [...topology.events, ...ofSequences])
    if (changesLives(action, topology))
      findings.error(
        'LIVES_ELSEWHERE',
        position,
        'events',
        `${action.verb} is not possible here: ${lives.elsewhere}`,
        lives.remedy,
      );
  findings.settle();
}
