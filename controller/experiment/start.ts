/** The start of an experiment: from the topology's text to agents that enforce it, or from one that runs already. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { makeFolder, PRIVATE_FOLDER } from '../../agent/files/own-files.ts';
import { chooseDelayBackend, requireImpairments } from '../../agent/linux/delay/delay-backend.ts';
import { probeMachine } from '../../agent/linux/probe/probe.ts';
import type { Bootstrap, DelayBackendChoice } from '../../proto/bootstrap.ts';
import { micros } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Graph, Topology } from '../../topology/model/model.ts';
import { graphAt } from '../../topology/timeline/graph-at.ts';
import { ControllerError } from '../errors.ts';
import { requireAbilities } from '../machine/abilities.ts';
import { neededRoom, requireDiskRoom } from '../machine/disk-room.ts';
import { kernelFacts } from '../machine/facts.ts';
import { dataFolder, experimentFolder, logFolderOf, RUN_FOLDER, stateFile } from '../names.ts';
import type { Plan } from '../platform/port/plan.ts';
import type { Platform, Watch } from '../platform/port/platform.ts';
import type { RecordedRun } from '../record/open.ts';
import { atFolder } from '../system-errors.ts';
import { AgentProcess } from './agents.ts';
import { serveBootstrap } from './bootstrap-server.ts';
import { type Bootstraps, keepBootstraps, makeBootstraps, type TopologyText } from './bootstraps.ts';
import { CurrentPlacement } from './current-placement.ts';
import { makeDataFolders } from './data-folders.ts';
import { accountedDoor } from './door.ts';
import { type OpenMesh, secureMesh } from './mesh-security.ts';
import { recover } from './resume.ts';
import { keepSettings, requireAccounts } from './service-settings.ts';
import { Started } from './started.ts';
import { readState, reserveExperiment, stateOf, writeState } from './state.ts';
import { isEnding, removeExperiment } from './teardown.ts';

/** `signal` ends the start; its `reason` is thrown after everything was removed again. */
export interface ExperimentOptions extends Watch {
  readonly name: string;
  readonly platform: Platform;
  /** The platform's own options. */
  readonly placement: unknown;
  readonly source: TopologyText;
  readonly topology: Topology;
  readonly delayBackend?: DelayBackendChoice;
  /** Hosts on other machines may join, with endpoints that have no place here. */
  readonly open?: OpenMesh;
  /**
   * Keep a record of the run, in this folder or among the others of this machine; absent: none. `isMeasured`: of measurements that begin at
   * once, before any timeline.
   */
  readonly record?: { readonly folder?: string; readonly isMeasured?: boolean };
  /** The agents' budget for what they send to each other. */
  readonly metadata?: Pick<Bootstrap, 'metadataBudgetBps' | 'changeThreshold'>;
}

/** The parts of a running experiment. */
export interface Parts {
  readonly platform: Platform;
  readonly placement: CurrentPlacement;
  readonly graph: Graph;
  readonly topology: Topology;
  readonly agents: readonly AgentProcess[];
  /** Serves the agents again, after `server` was closed. */
  readonly serve: () => Promise<FastifyInstance>;
  readonly server: FastifyInstance;
  readonly started: Started;
  /** What a record of the run describes. */
  readonly run: RecordedRun;
}

/** The agents of a large lab start one after the other on few cores. */
const READY_TIMEOUT_MS = 180_000;
/** An agent that starts again, with its endpoints, is not ready within this time, but says so. */
const ANSWER_TIMEOUT_MS = 30_000;

/**
 * Checks the machine, has the platform make the plan, starts the agents, and waits until all enforce the topology. If
 * any step fails, everything made so far is removed again.
 */
export async function startParts(options: ExperimentOptions): Promise<Parts> {
  const { name, platform, topology, placement, delayBackend = 'auto' } = options;
  const graph = graphAt(topology, micros(0));
  const abilities = probeMachine();
  requireAbilities(abilities, platform.contained !== undefined);
  requireImpairments(chooseDelayBackend(delayBackend, abilities), topology);
  const { endpoints } = graph;
  const plan = await platform.plan({ experiment: name, topology, endpoints, options: placement });
  // In a container, a user is one of the container's.
  const accounts = platform.contained ? new Map() : requireAccounts(topology, plan);
  const size = { hosts: plan.hosts.length, endpoints: plan.endpoints.length, text: options.source.text };
  requireDiskRoom(RUN_FOLDER, neededRoom(size));
  await reserveExperiment(name);
  let server: FastifyInstance | undefined;
  let hasState = false;
  try {
    writeState(stateOf(plan, options.source.file));
    hasState = true;
    makeFolder(logFolderOf(name), PRIVATE_FOLDER);
    makeDataFolders(plan, topology, accounts);
    keepSettings(name, topology);
    const made = (await platform.make(plan, options)) ?? plan;
    // What is made may have places that nobody could know before.
    if (made !== plan) writeState(stateOf(made, options.source.file));
    const current = new CurrentPlacement(made, await bootstrapsFor(made, endpoints, options));
    const started = new Started();
    const serve = () => serveBootstrap(name, current.bootstraps, () => started.agoMs);
    server = await serve();
    options.onStep?.(`starting ${count(plan.hosts.length, 'agent')}`);
    const agents = await startAgents(platform, current);
    await untilReady(agents, options);
    const run = recordedRun(current, topology, options.source.origin);
    return { platform, placement: current, graph, topology, agents, serve, server, started, run };
  } catch (error) {
    await server?.close();
    // Whoever has removed the folder took the mark with it, and a step after that has made the folder anew.
    const isEnded = isEnding(name) || (hasState && !existsSync(stateFile(name)));
    await undo(options);
    throw isEnded ? ended(name, error) : atFolder(error, experimentFolder(name));
  }
}

/** Makes and keeps the bootstraps of agents. */
async function bootstrapsFor(
  plan: Plan,
  endpoints: readonly string[],
  options: ExperimentOptions,
): Promise<Bootstraps> {
  const { name, source, delayBackend = 'auto', open, metadata } = options;
  const security = await secureMesh(plan, endpoints, open);
  const settings = {
    delayBackend,
    logFolder: logFolderOf(name),
    dataFolder: dirname(dataFolder(name, 'any')),
    ...(open && { partial: true }),
    ...metadata,
  };
  const bootstraps = makeBootstraps(plan, source, settings, security);
  keepBootstraps(name, bootstraps);
  return bootstraps;
}

/** Throws only after all have been tried, so that none starts after its experiment was removed. */
async function startAgents(
  platform: Platform,
  current: CurrentPlacement,
  adopt = false,
): Promise<AgentProcess[]> {
  const { experiment, hosts } = current.plan;
  const all = await Promise.allSettled(
    hosts.map((host) => {
      const door = accountedDoor(current, host.name);
      return AgentProcess.start(platform, experiment, host, { door, adopt });
    }),
  );
  return all.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** Whatever failed then failed because somebody else removes the experiment. */
function ended(name: string, cause: unknown): ControllerError {
  const message = `${name} was ended while it started; nothing of it is left`;
  return new ControllerError('EXPERIMENT_ENDED', message, 'it was `netfold down`; start it again', cause);
}

function recordedRun(
  { plan, bootstraps }: CurrentPlacement,
  topology: Topology,
  origin?: TopologyText['origin'],
): RecordedRun {
  const all = [...bootstraps.values()];
  const { topology: texts, delayBackend = 'auto', platform = plan.platform, mesh } = all[0]!;
  const source = { ...texts, ...(origin && { origin }) };
  const start = mesh.commands?.id;
  const abilities = probeMachine();
  return {
    ...(start !== undefined && { run: { experiment: all[0]!.experiment, start } }),
    ...{ experiment: plan.experiment, platform, source, topology },
    delayBackend: chooseDelayBackend(delayBackend, abilities),
    kernel: kernelFacts(abilities),
    hosts: plan.hosts.map(({ name }) => name),
    endpoints: plan.endpoints.length,
    placement: Object.fromEntries(plan.endpoints.map(({ name, host }) => [name, host.name])),
    seeds: Object.fromEntries(all.map(({ host, seed }) => [host, seed ?? 0])),
  };
}

/** A failed removal must not hide why the start failed. */
async function undo({ name, platform, onStep, onProgress }: ExperimentOptions): Promise<void> {
  try {
    await removeExperiment(name, onProgress, platform);
  } catch (error) {
    onStep?.(
      `not all of ${name} could be removed: ${(error as Error).message}; try \`netfold down ${name}\``,
    );
  }
}

/** A busy agent answers late, so an abort doesn't wait for its answer. */
async function untilReady(agents: readonly AgentProcess[], { onProgress, signal }: Watch): Promise<void> {
  signal?.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  signal?.addEventListener('abort', () => aborted.reject(signal.reason as Error), { once: true });
  const known = agents.map(() => 0);
  const all = agents.map((agent, index) =>
    agent.waitUntilReady(READY_TIMEOUT_MS, ({ known: done, expected: of }) => {
      known[index] = done;
      onProgress?.({ doing: 'endpoints that all agents know:', done: Math.min(...known), of });
    }),
  );
  await Promise.race([Promise.all(all), aborted.promise]);
}

/**
 * Takes over an experiment whose controller has ended: serves its agents, and starts those that have ended as well.
 * Throws like `recover`; the experiment does not change then.
 */
export async function resumeParts(name: string): Promise<Parts> {
  const { platform, plan, bootstraps, startAt } = await recover(name);
  const { file, text, script } = [...bootstraps.values()][0]!.topology;
  const { topology } = loadTopology(text, file, script);
  const started = new Started(startAt);
  keepBootstraps(name, bootstraps);
  keepSettings(name, topology);
  if (!readState(name)) writeState(stateOf(plan, file, startAt));
  const placement = new CurrentPlacement(plan, bootstraps);
  const serve = () => serveBootstrap(name, placement.bootstraps, () => started.agoMs);
  const server = await serve();
  try {
    const agents = await startAgents(platform, placement, true);
    await Promise.all(agents.map((agent) => agent.waitUntilAnswering(ANSWER_TIMEOUT_MS)));
    const graph = graphAt(topology, micros(0));
    const run = recordedRun(placement, topology);
    return { platform, placement, graph, topology, agents, serve, server, started, run };
  } catch (error) {
    await server.close();
    throw error;
  }
}
