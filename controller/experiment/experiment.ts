/** One experiment in the local lab, from the topology's text to running agents, and back to nothing. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { hasIpv6 } from '../../agent/kernel/netns/ip-settings.ts';
import { chooseDelayBackend } from '../../agent/linux/delay/delay-backend.ts';
import { raiseOpenFiles, readLimits } from '../../agent/linux/probe/limits.ts';
import { type Ability, probeMachine } from '../../agent/linux/probe/probe.ts';
import type { Bootstrap, DelayBackendChoice } from '../../proto/bootstrap.ts';
import type { AgentStatus } from '../../proto/status.ts';
import { micros } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Graph, Topology } from '../../topology/model/model.ts';
import { graphAt } from '../../topology/timeline/graph-at.ts';
import { ControllerError } from '../errors.ts';
import { openFilesOf, requireCapacity } from '../machine/capacity.ts';
import { blockerLines } from '../machine/report.ts';
import { logFile } from '../names.ts';
import { createLab } from '../platform/lab/lab-namespaces.ts';
import { type LabPlan, planLab } from '../platform/lab/lab-plan.ts';
import { type Elsewhere, type Placement, planSite } from '../platform/site/site-plan.ts';
import { surveyInterface } from '../platform/site/survey.ts';
import { AgentProcess } from './agents.ts';
import { serveBootstrap } from './bootstrap-server.ts';
import { type AgentSettings, keepBootstraps, makeBootstraps, type TopologyText } from './bootstraps.ts';
import { type OpenMesh, secureMesh } from './mesh-security.ts';
import { recover } from './resume.ts';
import { Started } from './started.ts';
import { readState, reserveExperiment, stateOf, writeState } from './state.ts';
import { supervise } from './supervisor.ts';
import { isEnding, type Progress, removeExperiment } from './teardown.ts';

export interface ExperimentOptions {
  readonly name: string;
  readonly hosts: number;
  readonly source: TopologyText;
  readonly topology: Topology;
  readonly delayBackend?: DelayBackendChoice;
  /** Where the endpoints are, if on interfaces that exist already instead of in a lab of `hosts` hosts. */
  readonly site?: SiteOptions;
  /** What telling each other may cost the agents. */
  readonly metadata?: Pick<Bootstrap, 'metadataBudgetBps' | 'changeThreshold'>;
  /** Told of each step as it begins. */
  readonly onStep?: (step: string) => void;
  /** Told how far a step is. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the start; its `reason` is thrown when everything is removed again. */
  readonly signal?: AbortSignal;
}

export interface SiteOptions {
  readonly placements: readonly Placement[];
  /** Somebody else's root qdiscs may be replaced; they are kept and put back. */
  readonly takeOver: boolean;
  /** How long shaping outlasts an agent that doesn't renew it. */
  readonly leaseMs: number;
  /** Endpoints that have no place here come from hosts that join. */
  readonly elsewhere?: Elsewhere & OpenMesh;
}

/** Every agent is told before it begins. */
const START_DELAY_MS = 250;

/** Agents of a large lab start one after the other on few cores. */
const READY_TIMEOUT_MS = 180_000;

export class Experiment {
  readonly plan: LabPlan;
  readonly graph: Graph;
  readonly topology: Topology;
  readonly #agents: AgentProcess[];
  readonly #serve: () => Promise<FastifyInstance>;
  #server: FastifyInstance | undefined;
  readonly #started: Started;
  readonly #onProgress: ExperimentOptions['onProgress'];

  private constructor(
    facts: { plan: LabPlan; graph: Graph; topology: Topology; agents: readonly AgentProcess[] },
    serve: () => Promise<FastifyInstance>,
    server: FastifyInstance,
    started: Started,
    onProgress: ExperimentOptions['onProgress'],
  ) {
    this.plan = facts.plan;
    this.graph = facts.graph;
    this.topology = facts.topology;
    this.#agents = [...facts.agents];
    this.#serve = serve;
    this.#server = server;
    this.#started = started;
    this.#onProgress = onProgress;
  }

  /**
   * Checks the machine, makes the lab, starts the agents, and waits until all enforce the topology. When any step
   * fails, everything made so far is removed again.
   */
  static async start(options: ExperimentOptions): Promise<Experiment> {
    const { name, topology, source, site, delayBackend = 'auto', onStep = () => {} } = options;
    const graph = graphAt(topology, micros(0));
    const abilities = probeMachine();
    requireAbilities(abilities);
    chooseDelayBackend(delayBackend, abilities);
    const plan = site
      ? planSite(name, graph.endpoints, site.placements, surveyInterface, site.elsewhere)
      : planLab(name, graph.endpoints, options.hosts, { ipv6: hasIpv6() });
    if (!plan.existing) requireRoom(plan, topology);
    reserveExperiment(name);
    let server: FastifyInstance | undefined;
    try {
      writeState(stateOf(plan, source.file));
      const logFolder = dirname(logFile(name, 'any'));
      mkdirSync(logFolder);
      if (!plan.existing) await makeLab(plan, options);
      const security = await secureMesh(plan, site?.elsewhere);
      const settings = { delayBackend, logFolder, ...siteSettings(site), ...options.metadata };
      const bootstraps = makeBootstraps(plan, source, settings, security);
      keepBootstraps(name, bootstraps);
      const started = new Started();
      const serve = () => serveBootstrap(name, bootstraps, () => started.agoMs);
      server = await serve();
      onStep(`starting ${count(plan.hosts.length, 'agent')}`);
      const agents = plan.hosts.map((host) => new AgentProcess(name, host));
      await untilReady(agents, options);
      return new Experiment({ plan, graph, topology, agents }, serve, server, started, options.onProgress);
    } catch (error) {
      await server?.close();
      await removeExperiment(name, options.onProgress);
      throw error;
    }
  }

  /**
   * Takes over an experiment whose controller is gone: serves its agents, and starts those that are gone too. Throws like
   * `recover`; the experiment stays as it is then.
   */
  static async resume(name: string, onProgress?: ExperimentOptions['onProgress']): Promise<Experiment> {
    const { plan, bootstraps, startAt } = await recover(name);
    const { file, text, script } = [...bootstraps.values()][0]!.topology;
    const { topology } = loadTopology(text, file, script);
    const started = new Started(startAt);
    keepBootstraps(name, bootstraps);
    if (!readState(name)) writeState(stateOf(plan, file, startAt));
    const serve = () => serveBootstrap(name, bootstraps, () => started.agoMs);
    const server = await serve();
    const agents = plan.hosts.map((host) => AgentProcess.adopt(name, host));
    const graph = graphAt(topology, micros(0));
    return new Experiment({ plan, graph, topology, agents }, serve, server, started, onProgress);
  }

  get name(): string {
    return this.plan.experiment;
  }

  get agents(): readonly AgentProcess[] {
    return this.#agents;
  }

  /** When the timeline began, in milliseconds since 1970. */
  get startAt(): number | undefined {
    return this.#started.at;
  }

  /**
   * Has all agents start applications and timeline at one instant, which it returns: milliseconds since 1970. One that is
   * just being started again learns it from the others. Throws where none answers.
   */
  async run(): Promise<number> {
    const startAt = Date.now() + START_DELAY_MS;
    this.#started.set(startAt);
    const told = await Promise.allSettled(this.#agents.map((agent) => agent.run(startAt)));
    const failed = told.filter((one) => one.status === 'rejected');
    if (failed.length === told.length) throw failed[0]!.reason as Error;
    return startAt;
  }

  async statuses(): Promise<AgentStatus[]> {
    const all = await Promise.all(this.#agents.map((agent) => agent.status()));
    return all.filter((status) => status !== undefined);
  }

  /**
   * Starts agents again that end by themselves, and tells of it. Resolves when they end because somebody takes the
   * experiment away; throws `AGENT_FAILED` when one ends again and again.
   */
  async supervise(tell: (line: string) => void): Promise<void> {
    const start = (old: AgentProcess): AgentProcess => {
      const next = new AgentProcess(this.name, old.host);
      this.#agents.splice(this.#agents.indexOf(old), 1, next);
      return next;
    };
    const ports = { start, tell, isEnding: () => isEnding(this.name) };
    await Promise.race(this.#agents.map((agent) => supervise(agent, ports)));
  }

  /** Agents that run need no controller; those that start wait for the next one. */
  async closeController(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  async openController(): Promise<void> {
    this.#server ??= await this.#serve();
  }

  /** Ends the experiment and removes everything of it. */
  async stop(): Promise<void> {
    await this.closeController();
    await removeExperiment(this.name, this.#onProgress);
  }
}

function siteSettings(site: SiteOptions | undefined): Partial<AgentSettings> {
  if (!site) return {};
  const { takeOver, leaseMs, elsewhere } = site;
  return { takeOver, leaseMs, ...(elsewhere && { partial: true }) };
}

/** Refuses what doesn't fit before anything is made, and lets the agents open what they need. */
function requireRoom({ endpoints, hosts }: LabPlan, { services }: Topology): void {
  const running = new Set(services.filter(({ run }) => run !== undefined).map(({ name }) => name));
  const applications = endpoints.filter(({ name }) => running.has(name.slice(0, name.lastIndexOf('.'))));
  const load = { endpoints: endpoints.length, hosts: hosts.length, applications: applications.length };
  requireCapacity(readLimits(), load);
  raiseOpenFiles(openFilesOf(load));
}

type Watch = Pick<ExperimentOptions, 'onStep' | 'onProgress' | 'signal'>;

async function makeLab(plan: LabPlan, { onStep, onProgress, signal }: Watch): Promise<void> {
  const { hosts, endpoints, ipv6 } = plan;
  onStep?.(`making ${count(endpoints.length, 'endpoint')} on ${count(hosts.length, 'host')}`);
  if (!ipv6) onStep?.('this kernel has no IPv6, so endpoints have IPv4 addresses only');
  const onEndpoints = (done: number): void =>
    onProgress?.({ doing: 'making endpoints', done, of: endpoints.length });
  await createLab(plan, { onEndpoints, ...(signal && { signal }) });
}

/** An agent that is busy answers late, so an abort doesn't wait for its answer. */
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

/** Throws one error that names everything that a local lab needs and the machine lacks. */
export function requireAbilities(abilities: readonly Ability[]): void {
  const lines = blockerLines(abilities);
  if (lines.length === 0) return;
  const text = lines.map((line) => `  ${line}`).join('\n');
  throw new ControllerError('MACHINE_CANNOT', `this machine can't run a local lab:\n${text}`);
}
