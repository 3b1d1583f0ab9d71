/**
 * Containers of a Docker engine on this machine, which run already: one agent shapes them, and gives them back as they were. Modules
 * that need libc or the engine's client are loaded on demand.
 */
import { basename, dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { namespacePath, OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { count } from '../../../proto/words.ts';
import { readOptions } from '../port/options.ts';
import type { PlannedHost } from '../port/plan.ts';
import type {
  AgentOrder,
  EndpointPlace,
  ExecOptions,
  Leftover,
  Platform,
  Remains,
  RunningAgent,
  Standing,
  Wanted,
  Watch,
} from '../port/platform.ts';
import { isStanding, standingPlan } from '../port/standing.ts';
import type { DockerPlan } from './docker-plan.ts';
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

export type DockerOptions = z.infer<typeof optionsSchema>;

export const docker: Platform<DockerPlan> = {
  name: NAME,
  // Each container runs its own.
  runsImages: true,
  contained: { exec: execWords, logs: logWords },
  plan,
  make,
  startAgent,
  exec: (endpoint, command) => execWords(endpoint, command, {}),
  remove,
  findLeftovers,
};

async function plan(wanted: Wanted | Standing): Promise<DockerPlan> {
  const { DOCKER, planContainers } = await import('./docker-plan.ts');
  if (isStanding(wanted)) return { ...standingPlan(wanted, () => OWN_NAMESPACE), ...DOCKER, containers: [] };
  const options = readOptions(NAME, optionsSchema, wanted.options);
  const { Engine, engineSocket } = await import('./engine.ts');
  const socket = engineSocket();
  const { selectors, network, takeOver, leaseMs } = options;
  const made = await planContainers(wanted, { selectors, network, socket }, new Engine(socket));
  return { ...made, settings: { ...made.settings, takeOver, leaseMs } };
}

/** Gives each sandbox a name. */
async function make(wanted: DockerPlan, { signal, onProgress }: Watch): Promise<void> {
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
  return { to, container: sandbox.container };
}

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

function logWords(
  endpoint: EndpointPlace,
  { follow, tail }: { readonly follow: boolean; readonly tail?: number },
): string[] {
  const { to, container } = containerOf(endpoint);
  const options = [...(follow ? ['--follow'] : []), ...(tail === undefined ? [] : ['--tail', `${tail}`])];
  return [...to, 'logs', ...options, container];
}

/** The agent gives interfaces back; what a killed one has left in sandboxes is removed here. Containers stay. */
async function remove({ experiment, endpoints, agents }: Remains): Promise<string[]> {
  // Nothing of this platform's: where all are asked, whoever is no agent of it is left alone.
  if (endpoints.length === 0 && sandboxNames(experiment).length === 0) return [];
  const { endProcesses } = await import('../../machine/processes.ts');
  const { clearNamespace } = await import('../../../agent/linux/take-over/leftovers.ts');
  const { JOURNAL_FOLDER, Journal } = await import('../../../agent/linux/take-over/journal.ts');
  const { removeIfEmpty } = await import('../../machine/folders.ts');
  await endProcesses(agents);
  for (const watch of watches.get(experiment) ?? []) await watch.stop();
  watches.delete(experiment);
  const names = sandboxNames(experiment);
  const cleared: string[] = [];
  for (const name of names) {
    if (clearNamespace(namespacePath(name), new Journal())) cleared.push(parseSandbox(name)!.endpoint);
    await SANDBOXES.close(name);
  }
  removeIfEmpty(JOURNAL_FOLDER);
  const given = names.length > 0 ? [`${count(names.length, 'container')} given back`] : [];
  return cleared.length > 0
    ? [...given, `left by a killed agent and taken off: ${cleared.join(', ')}`]
    : given;
}

/** The names of sandboxes; they contain the experiment. What else is in them is found by `site`, which looks into all namespaces. */
function findLeftovers(): Leftover[] {
  return sandboxNames().map((name) => ({
    what: `the name ${namespacePath(name)} of a container's network`,
    experiment: parseSandbox(name)!.experiment,
    remove: () => SANDBOXES.close(name),
  }));
}
