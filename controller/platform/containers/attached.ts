/** What platforms of containers do alike with those that run already: names for their networks, following, giving back. */
import { basename, dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { namespacePath } from '../../../agent/kernel/netns/namespace-files.ts';
import { count } from '../../../proto/words.ts';
import type { PlannedHost } from '../port/plan.ts';
import type { AgentOrder, EndpointPlace, Leftover, RunningAgent, Watch } from '../port/platform.ts';
import { containerNames, takeNames } from './container-names.ts';
import type { EnginePort } from './containers.ts';
import type { ContainersPlan } from './running-plan.ts';
import { type EngineName, parseSandbox, type Sandbox, sandboxNames } from './sandbox.ts';
import { SANDBOXES } from './sandboxes.ts';
import { keepContainerSettings, readContainerSettings } from './settings.ts';
import { requireFree } from './taken.ts';
import type { ContainerWatch } from './watch.ts';

/** Gives the sandbox of each endpoint a name: all or none. */
export async function nameSandboxes(
  { endpoints, containers, experiment, followed, platform }: ContainersPlan,
  { signal, onProgress }: Watch,
): Promise<void> {
  const { nameSandbox } = await import('./survey.ts');
  const made: string[] = [];
  try {
    for (const [index, { namespace }] of endpoints.entries()) {
      await setImmediate();
      signal?.throwIfAborted();
      const [sandbox, container] = [parseSandbox(namespace)!, containers[index]!];
      made.push(nameSandbox(sandbox, container.namespacePath));
      // Two experiments that start at once: each has a name by now, and sees that of the other.
      requireFree(sandbox, container);
      onProgress?.({ doing: 'naming sandboxes', done: made.length, of: endpoints.length });
    }
    signal?.throwIfAborted();
    if (followed) keepContainerSettings(platform as EngineName, experiment, followed);
  } catch (error) {
    for (const name of made) await SANDBOXES.close(name);
    throw error;
  }
}

/** Platform and experiment → what follows its containers in this process. */
const watches = new Map<string, Set<ContainerWatch>>();
const keyOf = (platform: EngineName, experiment: string): string => `${platform} ${experiment}`;

/** Next to everything else that runs on this machine. From now on its containers are followed. */
export async function startFollowedAgent(
  platform: EngineName,
  host: PlannedHost,
  order: AgentOrder,
  engineAt: (socket: string) => Promise<EnginePort>,
): Promise<RunningAgent> {
  const { localAgent } = await import('../../machine/agent-process.ts');
  const { ContainerWatch } = await import('./watch.ts');
  const agent = localAgent(host.namespace, order);
  const experiment = basename(dirname(order.socket));
  const settings = readContainerSettings(platform, experiment);
  if (!settings) return agent;
  const engine = await engineAt(settings.socket);
  const { door } = order;
  const watch = new ContainerWatch({
    ...{ platform, experiment, host, settings, engine, door },
    sandboxes: SANDBOXES,
    ...(settings.names && { names: containerNames(experiment) }),
  });
  const key = keyOf(platform, experiment);
  const others = watches.get(key) ?? new Set();
  watches.set(key, others.add(watch));
  watch.start();
  void agent.exited.then(async () => {
    others.delete(watch);
    await watch.stop();
    engine.close?.();
  });
  return agent;
}

export async function stopFollowing(platform: EngineName, experiment: string): Promise<void> {
  const key = keyOf(platform, experiment);
  for (const watch of watches.get(key) ?? []) await watch.stop();
  watches.delete(key);
}

/** Takes off what a killed agent has left in sandboxes, and their names. Returns what was done. */
export async function giveBack(
  platform: EngineName,
  experiment: string,
  what: 'container' | 'pod',
): Promise<string[]> {
  const { clearNamespace } = await import('../../../agent/linux/take-over/leftovers.ts');
  const { Journal, JOURNAL_FOLDER } = await import('../../../agent/linux/take-over/journal.ts');
  const { removeIfEmpty } = await import('../../machine/folders.ts');
  takeNames(experiment);
  const names = sandboxNames(experiment, platform);
  const cleared: string[] = [];
  for (const name of names) {
    if (clearNamespace(namespacePath(name), new Journal())) cleared.push(parseSandbox(name)!.endpoint);
    await SANDBOXES.close(name);
  }
  removeIfEmpty(JOURNAL_FOLDER);
  const given = names.length > 0 ? [`${count(names.length, what)} given back`] : [];
  return cleared.length > 0
    ? [...given, `left by a killed agent and taken off: ${cleared.join(', ')}`]
    : given;
}

/**
 * The names of sandboxes, which contain the experiment. What else is in sandboxes is found by `site`, which looks into all
 * namespaces.
 */
export function sandboxLeftovers(platform: EngineName): Leftover[] {
  return sandboxNames(undefined, platform).map((name) => ({
    what: `the name ${namespacePath(name)} of a ${platform === 'cri' ? 'pod' : 'container'}'s network`,
    experiment: parseSandbox(name)!.experiment,
    remove: () => SANDBOXES.close(name),
  }));
}

/** The sandbox that an endpoint is in. */
export function sandboxOf({ namespace }: EndpointPlace): Sandbox {
  const sandbox = parseSandbox(namespace);
  if (!sandbox) throw new Error(`${namespace} is the name of no container's network`);
  return sandbox;
}
