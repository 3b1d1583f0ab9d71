/** One experiment in the local lab, from the topology's text to running agents, and back to nothing. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { chooseDelayBackend } from '../../agent/delay-backend.ts';
import { hasIpv6 } from '../../agent/kernel/ip-settings.ts';
import { raiseOpenFiles, readLimits } from '../../agent/kernel/limits.ts';
import { type Ability, probeMachine } from '../../agent/kernel/probe.ts';
import type { Bootstrap, DelayBackendChoice } from '../../proto/bootstrap.ts';
import type { AgentStatus } from '../../proto/status.ts';
import { micros } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import { graphAt } from '../../topology/graph-at.ts';
import type { Graph, Topology } from '../../topology/model.ts';
import { ControllerError } from '../errors.ts';
import { createLab } from '../lab/lab.ts';
import { type LabPlan, planLab } from '../lab/lab-plan.ts';
import { logFile } from '../lab/names.ts';
import { openFilesOf, requireCapacity } from '../machine/capacity.ts';
import { blockerLines } from '../machine/report.ts';
import { type Placement, planSite } from '../site/site-plan.ts';
import { surveyInterface } from '../site/survey.ts';
import { AgentProcess } from './agents.ts';
import { serveBootstrap, type TopologyText } from './bootstrap-server.ts';
import { secureMesh } from './mesh-security.ts';
import { reserveExperiment, writeState } from './state.ts';
import { type Progress, removeExperiment } from './teardown.ts';

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
}

/** When the timeline began, in milliseconds since 1970; agents that come later are told. */
interface Started {
  at: number | undefined;
}

/** Every agent is told before it begins. */
const START_DELAY_MS = 250;

/** Agents of a large lab start one after the other on few cores. */
const READY_TIMEOUT_MS = 60_000;

export class Experiment {
  readonly plan: LabPlan;
  readonly graph: Graph;
  readonly topology: Topology;
  readonly agents: readonly AgentProcess[];
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
    this.agents = facts.agents;
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
      ? planSite(name, graph.endpoints, site.placements, surveyInterface)
      : planLab(name, graph.endpoints, options.hosts, { ipv6: hasIpv6() });
    if (!plan.existing) requireRoom(plan, topology);
    reserveExperiment(name);
    let server: FastifyInstance | undefined;
    try {
      writeState(stateOf(plan, source));
      const logFolder = dirname(logFile(name, 'any'));
      mkdirSync(logFolder);
      if (!plan.existing) await makeLab(plan, options);
      const { takeOver = false, leaseMs } = site ?? {};
      const settings = {
        delayBackend,
        logFolder,
        takeOver,
        ...(leaseMs !== undefined && { leaseMs }),
        ...options.metadata,
      };
      const started: Started = { at: undefined };
      const security = await secureMesh(plan);
      const serve = () => serveBootstrap(plan, source, settings, security, () => started.at);
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

  get name(): string {
    return this.plan.experiment;
  }

  /** Has all agents start applications and timeline at one instant, which it returns: milliseconds since 1970. */
  async run(): Promise<number> {
    const startAt = Date.now() + START_DELAY_MS;
    this.#started.at = startAt;
    await Promise.all(this.agents.map((agent) => agent.run(startAt)));
    return startAt;
  }

  async statuses(): Promise<AgentStatus[]> {
    const all = await Promise.all(this.agents.map((agent) => agent.status()));
    return all.filter((status) => status !== undefined);
  }

  /** Resolves when an agent ends, whoever ended it. */
  async anyAgentExit(): Promise<AgentProcess> {
    return Promise.race(this.agents.map((agent) => agent.exited.then(() => agent)));
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

function stateOf(plan: LabPlan, source: TopologyText) {
  return {
    name: plan.experiment,
    topologyFile: source.file,
    startedAt: new Date().toISOString(),
    existing: plan.existing,
    hosts: plan.hosts.map(({ name, namespace }) => ({ name, namespace })),
    endpoints: plan.endpoints.map(({ name, namespace, interface: { index }, address, addresses, host }) => ({
      name,
      namespace,
      ifindex: index,
      address,
      addresses,
      host: host.name,
    })),
  };
}
