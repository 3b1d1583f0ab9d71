/**
 * Containers of a Docker engine on this machine: those that run already, which one agent shapes and gives back as they were, or those
 * that the experiment makes, and removes. Modules that need libc or the engine's client are loaded on demand.
 */
import { basename, dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { namespacePath, OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { count } from '../../../proto/words.ts';
import type { OnProgress } from '../../progress.ts';
import { readOptions } from '../port/options.ts';
import type { PlannedHost } from '../port/plan.ts';
import type {
  AgentOrder,
  EndpointPlace,
  ExecOptions,
  Leftover,
  Platform,
  Remains,
  RunImage,
  RunningAgent,
  Standing,
  Wanted,
  Watch,
} from '../port/platform.ts';
import { isStanding, standingPlan } from '../port/standing.ts';
import type { DockerPlan } from './docker-plan.ts';
import { engineSocket } from './engine-socket.ts';
import { applicationName } from './made-names.ts';
import { parseSandbox, sandboxNames } from './sandbox.ts';
import { SANDBOXES } from './sandboxes.ts';
import { selectorSchema } from './selectors.ts';
import { keepDockerSettings, readDockerSettings } from './settings.ts';
import type { ContainerWatch } from './watch.ts';

const NAME = 'docker';

const optionsSchema = z.strictObject({
  selectors: z.array(selectorSchema).min(1),
  /** Of several networks, the one that is emulated: its name, or a range that has the containers' addresses. */
  network: z.string().optional(),
  /** As of `site`. */
  takeOver: z.boolean(),
  leaseMs: z.number(),
});

const makingSchema = z.strictObject({
  /** Containers are made from the topology. */
  make: z.literal(true),
  /** Whether images that are missing are fetched. */
  pull: z.boolean(),
  ipv6: z.boolean(),
});

/** Of containers that run already. */
export type DockerOptions = z.infer<typeof optionsSchema>;
/** Of those that are made. */
export type MakingOptions = z.infer<typeof makingSchema>;

export const docker: Platform<DockerPlan> = {
  name: NAME,
  // Each container runs its own.
  runsImages: true,
  contained: { exec: execWords, logs: logWords, images },
  plan,
  make,
  startAgent,
  exec: (endpoint, command) => execWords(endpoint, command, {}),
  remove,
  findLeftovers,
};

async function plan(wanted: Wanted | Standing): Promise<DockerPlan> {
  const { DOCKER, planContainers } = await import('./docker-plan.ts');
  if (isStanding(wanted)) {
    const found = standingPlan(wanted, () => OWN_NAMESPACE);
    const outlivesAgent = !areMade(wanted);
    return { ...found, ...DOCKER, outlivesAgent, containers: [] };
  }
  const { Engine } = await import('./engine.ts');
  if (isMaking(wanted.options)) {
    const { pull, ipv6 } = readOptions(NAME, makingSchema, wanted.options);
    const { planMade } = await import('./made-plan.ts');
    const socket = engineSocket();
    return planMade(wanted, { socket, pull, ipv6 }, new Engine(socket));
  }
  const { selectors, network, takeOver, leaseMs } = readOptions(NAME, optionsSchema, wanted.options);
  const socket = engineSocket();
  const made = await planContainers(wanted, { selectors, network, socket }, new Engine(socket));
  return { ...made, settings: { ...made.settings, takeOver, leaseMs } };
}

const isMaking = (options: unknown): boolean =>
  typeof options === 'object' && options !== null && 'make' in options;

/** An agent that starts and ends containers has made ones. */
const areMade = ({ standing }: Standing): boolean =>
  [...standing.values()].some(({ containers }) => containers !== undefined);

/** Makes containers, or gives the sandbox of each that is there a name. */
async function make(wanted: DockerPlan, watch: Watch): Promise<DockerPlan> {
  if (!wanted.making) {
    await nameSandboxes(wanted, watch);
    return wanted;
  }
  const { makeContainers } = await import('./making.ts');
  return makeContainers(wanted, watch);
}

async function nameSandboxes(wanted: DockerPlan, { signal, onProgress }: Watch): Promise<void> {
  const { nameSandbox } = await import('./survey.ts');
  const { requireFree } = await import('./sandbox.ts');
  const { endpoints, containers, experiment } = wanted;
  const made: string[] = [];
  try {
    for (const [index, { namespace }] of endpoints.entries()) {
      await setImmediate();
      signal?.throwIfAborted();
      const [sandbox, container] = [parseSandbox(namespace)!, containers[index]!];
      made.push(nameSandbox(sandbox, container.pid));
      // Two experiments that start at once: each has a name by now, and sees that of the other.
      requireFree(sandbox, container.name);
      onProgress?.({ doing: 'naming sandboxes', done: made.length, of: endpoints.length });
    }
    signal?.throwIfAborted();
    if (wanted.docker) keepDockerSettings(experiment, wanted.docker);
  } catch (error) {
    for (const name of made) await SANDBOXES.close(name);
    throw error;
  }
}

/** Experiment → what follows its containers in this process. */
const watches = new Map<string, Set<ContainerWatch>>();

/** Next to everything else that runs on this machine. From now on its containers are followed. */
async function startAgent(host: PlannedHost, order: AgentOrder): Promise<RunningAgent> {
  const { localAgent } = await import('../../machine/agent-process.ts');
  const { ContainerWatch } = await import('./watch.ts');
  const { Engine } = await import('./engine.ts');
  const agent = localAgent(host.namespace, order);
  const experiment = basename(dirname(order.socket));
  const settings = readDockerSettings(experiment);
  if (!settings) return agent;
  const engine = new Engine(settings.socket);
  const watch = new ContainerWatch({
    experiment,
    host,
    settings,
    engine,
    sandboxes: SANDBOXES,
    door: order.door,
  });
  const others = watches.get(experiment) ?? new Set();
  watches.set(experiment, others.add(watch));
  watch.start();
  void agent.exited.then(() => {
    others.delete(watch);
    return watch.stop();
  });
  return agent;
}

/** The container of an endpoint, and how to reach its engine. */
function containerOf({ namespace }: EndpointPlace): { readonly to: string[]; readonly container: string } {
  const sandbox = parseSandbox(namespace);
  if (!sandbox) throw new Error(`${namespace} is the name of no container's network`);
  const settings = readDockerSettings(sandbox.experiment);
  const to = ['docker', ...(settings ? ['--host', `unix://${settings.socket}`] : [])];
  const { experiment, endpoint, container } = sandbox;
  return { to, container: settings?.made ? applicationName(experiment, endpoint) : container };
}

const isMade = ({ namespace }: EndpointPlace): boolean =>
  readDockerSettings(parseSandbox(namespace)?.experiment ?? '')?.made === true;

function execWords(
  endpoint: EndpointPlace,
  command: readonly string[],
  { user, privileged, terminal, env = {} }: ExecOptions,
): string[] {
  const { to, container } = containerOf(endpoint);
  return [
    ...[...to, 'exec', '--interactive'],
    ...(terminal ? ['--tty'] : []),
    ...(privileged ? ['--privileged'] : []),
    ...(user === undefined ? [] : ['--user', user]),
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...[container, ...command],
  ];
}

/** Endpoints that are asked for at a time. */
const ASKED_AT_ONCE = 8;

async function images(endpoints: readonly EndpointPlace[]): Promise<Record<string, RunImage>> {
  const { Engine } = await import('./engine.ts');
  const { AtMost } = await import('../../../agent/containers/at-most.ts');
  const turns = new AtMost(ASKED_AT_ONCE);
  const found = await Promise.all(
    endpoints.map((endpoint) =>
      turns
        .run(async () => {
          const sandbox = parseSandbox(endpoint.namespace);
          const settings = sandbox && readDockerSettings(sandbox.experiment);
          const engine = new Engine(settings?.socket ?? engineSocket());
          return [endpoint.name, await engine.imageOf(containerOf(endpoint).container)] as const;
        })
        .catch(() => undefined),
    ),
  );
  return Object.fromEntries(found.filter((one) => one !== undefined));
}

/** Of a made one the agent keeps them. */
function logWords(
  endpoint: EndpointPlace,
  { follow, tail }: { readonly follow: boolean; readonly tail?: number },
): string[] | undefined {
  if (isMade(endpoint)) return undefined;
  const { to, container } = containerOf(endpoint);
  const options = [...(follow ? ['--follow'] : []), ...(tail === undefined ? [] : ['--tail', `${tail}`])];
  return [...to, 'logs', ...options, container];
}

/** The agent gives interfaces back; what a killed one has left in sandboxes is removed here. Containers that were there stay. */
async function remove(
  { experiment, endpoints, agents }: Remains,
  onProgress?: OnProgress,
): Promise<string[]> {
  const engine = await madeIn(experiment);
  // Nothing of this platform's: where all are asked, whoever is no agent of it is left alone.
  if (endpoints.length === 0 && sandboxNames(experiment).length === 0 && engine === undefined) return [];
  const { endProcesses } = await import('../../machine/processes.ts');
  const { JOURNAL_FOLDER } = await import('../../../agent/linux/take-over/journal.ts');
  const { removeIfEmpty } = await import('../../machine/folders.ts');
  await endProcesses(agents);
  for (const watch of watches.get(experiment) ?? []) await watch.stop();
  watches.delete(experiment);
  if (engine !== undefined) return removeContainers(experiment, engine, onProgress);
  const facts = await giveBack(experiment);
  removeIfEmpty(JOURNAL_FOLDER);
  return facts;
}

/** The socket of the engine that has containers or networks of the experiment's; `undefined`: none, as far as can be seen. */
async function madeIn(experiment: string): Promise<string | undefined> {
  const settings = readDockerSettings(experiment);
  // If the engine can't be asked then, the removal fails, and can be repeated.
  if (settings) return settings.made ? settings.socket : undefined;
  const { findMade } = await import('./removal.ts');
  try {
    const socket = engineSocket();
    return (await findMade(socket, experiment, LOOK_MS)).length > 0 ? socket : undefined;
  } catch {
    return undefined;
  }
}

async function removeContainers(
  experiment: string,
  socket: string,
  onProgress: OnProgress | undefined,
): Promise<string[]> {
  const { removeMade } = await import('./removal.ts');
  for (const name of sandboxNames(experiment)) await SANDBOXES.close(name);
  const removed = await removeMade(socket, experiment, (done, of) =>
    onProgress?.({ doing: 'removing containers', done, of }),
  );
  return removed > 0 ? [`${count(removed, 'container')} removed`] : [];
}

async function giveBack(experiment: string): Promise<string[]> {
  const { clearNamespace } = await import('../../../agent/linux/take-over/leftovers.ts');
  const { Journal } = await import('../../../agent/linux/take-over/journal.ts');
  const names = sandboxNames(experiment);
  const cleared: string[] = [];
  for (const name of names) {
    if (clearNamespace(namespacePath(name), new Journal())) cleared.push(parseSandbox(name)!.endpoint);
    await SANDBOXES.close(name);
  }
  const given = names.length > 0 ? [`${count(names.length, 'container')} given back`] : [];
  return cleared.length > 0
    ? [...given, `left by a killed agent and taken off: ${cleared.join(', ')}`]
    : given;
}

/** An engine that does not answer so soon is not waited for by commands that only look. */
const LOOK_MS = 1000;

/**
 * The names of sandboxes, and what has labels in the engine; both contain the experiment. What else is in sandboxes is found by `site`,
 * which looks into all namespaces.
 */
async function findLeftovers(): Promise<Leftover[]> {
  const names = sandboxNames().map((name) => ({
    what: `the name ${namespacePath(name)} of a container's network`,
    experiment: parseSandbox(name)!.experiment,
    remove: () => SANDBOXES.close(name),
  }));
  return [...names, ...(await labelled())];
}

async function labelled(): Promise<Leftover[]> {
  const { findMade, removeThing } = await import('./removal.ts');
  try {
    const socket = engineSocket();
    const found = await findMade(socket, undefined, LOOK_MS);
    return found.map((thing) => ({
      what: `the ${thing.kind} ${thing.name}`,
      experiment: thing.experiment,
      remove: () => removeThing(socket, thing),
    }));
  } catch {
    // No engine, or another user's.
    return [];
  }
}
