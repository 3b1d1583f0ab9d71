/**
 * Containers of a Docker engine on this machine: those that run already, which one agent shapes and gives back as they were, or those
 * that the experiment makes, and removes. Modules that need libc or the engine's client are loaded on demand.
 */
import { z } from 'zod';
import { OWN_NAMESPACE } from '../../../agent/kernel/netns/namespace-files.ts';
import { count } from '../../../proto/words.ts';
import type { OnProgress } from '../../progress.ts';
import {
  giveBack,
  nameSandboxes,
  sandboxLeftovers,
  sandboxOf,
  startFollowedAgent,
  stopFollowing,
} from '../containers/attached.ts';
import { parseSandbox, sandboxNames } from '../containers/sandbox.ts';
import { SANDBOXES } from '../containers/sandboxes.ts';
import { selectorSchema } from '../containers/selectors.ts';
import { readContainerSettings } from '../containers/settings.ts';
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
import { DOCKER, type DockerPlan } from './docker-plan.ts';
import { engineSocket } from './engine-socket.ts';
import { applicationName } from './made-names.ts';

const NAME = DOCKER.platform;

const optionsSchema = z.strictObject({
  selectors: z.array(selectorSchema).min(1),
  /** Of several networks, the one that is emulated: its name, or a range that has the containers' addresses. */
  network: z.string().optional(),
  /** Whether the topology's names resolve in the containers. */
  names: z.boolean().optional(),
  /** As of `site`. */
  takeOver: z.boolean(),
  leaseMs: z.number(),
  /** This machine's part of an experiment on several: what `Here` has. */
  here: z
    .strictObject({
      host: z.string(),
      listen: z.strictObject({ address: z.string(), port: z.number() }),
    })
    .optional(),
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
  if (isStanding(wanted)) {
    const found = standingPlan(wanted, () => OWN_NAMESPACE);
    const outlivesAgent = !areMade(wanted);
    return { ...found, platform: NAME, place: DOCKER.place, outlivesAgent, containers: [] };
  }
  const { Engine } = await import('./engine.ts');
  if (isMaking(wanted.options)) {
    const { pull, ipv6 } = readOptions(NAME, makingSchema, wanted.options);
    const { planMade } = await import('./made-plan.ts');
    const socket = engineSocket();
    return planMade(wanted, { socket, pull, ipv6 }, new Engine(socket));
  }
  const { takeOver, leaseMs, here, ...chosen } = readOptions(NAME, optionsSchema, wanted.options);
  const socket = engineSocket();
  const { planContainers, planHere } = await import('../containers/running-plan.ts');
  const made = here
    ? await planHere(DOCKER, wanted, { ...chosen, socket, here }, new Engine(socket))
    : await planContainers(DOCKER, wanted, { ...chosen, socket }, new Engine(socket));
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

function startAgent(host: PlannedHost, order: AgentOrder): Promise<RunningAgent> {
  return startFollowedAgent(NAME, host, order, async (socket) => {
    const { Engine } = await import('./engine.ts');
    return new Engine(socket);
  });
}

/** The container of an endpoint, and how to reach its engine. */
function containerOf(place: EndpointPlace): { readonly to: string[]; readonly container: string } {
  const { experiment, endpoint, container } = sandboxOf(place);
  const settings = readContainerSettings(NAME, experiment);
  const to = ['docker', ...(settings ? ['--host', `unix://${settings.socket}`] : [])];
  return { to, container: settings?.made ? applicationName(experiment, endpoint) : container };
}

const isMade = ({ namespace }: EndpointPlace): boolean =>
  readContainerSettings(NAME, parseSandbox(namespace)?.experiment ?? '')?.made === true;

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
          const settings = sandbox && readContainerSettings(NAME, sandbox.experiment);
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
  if (endpoints.length === 0 && sandboxNames(experiment, NAME).length === 0 && engine === undefined)
    return [];
  const { endProcesses } = await import('../../machine/processes.ts');
  await endProcesses(agents);
  await stopFollowing(NAME, experiment);
  if (engine !== undefined) return removeContainers(experiment, engine, onProgress);
  return giveBack(NAME, experiment, 'container');
}

/** The socket of the engine that has containers or networks of the experiment's; `undefined`: none, as far as can be seen. */
async function madeIn(experiment: string): Promise<string | undefined> {
  const settings = readContainerSettings(NAME, experiment);
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
  for (const name of sandboxNames(experiment, NAME)) await SANDBOXES.close(name);
  const removed = await removeMade(socket, experiment, (done, of) =>
    onProgress?.({ doing: 'removing containers', done, of }),
  );
  return removed > 0 ? [`${count(removed, 'container')} removed`] : [];
}

/** An engine that does not answer so soon is not waited for by commands that only look. */
const LOOK_MS = 1000;

/** The names of sandboxes, and what has labels in the engine; both contain the experiment. */
async function findLeftovers(): Promise<Leftover[]> {
  return [...sandboxLeftovers(NAME), ...(await labelled())];
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
