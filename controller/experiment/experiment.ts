/** One experiment, from the topology's text to running agents, and to its removal. */
import type { FastifyInstance } from 'fastify';
import type { AgentStatus } from '../../proto/status.ts';
import type { Graph, Topology } from '../../topology/model/model.ts';
import type { Plan, PlannedHost } from '../platform/port/plan.ts';
import type { Platform, Watch } from '../platform/port/platform.ts';
import type { OnProgress } from '../progress.ts';
import {
  beginRecord,
  continueRecord,
  fromWhere,
  type RecordedRun,
  type RecordPorts,
} from '../record/open.ts';
import { joinAtEnd } from '../record/parts/at-end.ts';
import type { Recorder } from '../record/recorder.ts';
import { takeRecordAnew } from '../swapped/kept.ts';
import { isNoRoom } from '../system-errors.ts';
import { AgentProcess } from './agents.ts';
import type { CurrentPlacement } from './current-placement.ts';
import { accountedDoor } from './door.ts';
import { type ExperimentOptions, type Parts, resumeParts, startParts } from './start.ts';
import { keepStart, type Started } from './started.ts';
import { supervise } from './supervisor.ts';
import { isEnding, removeExperiment } from './teardown.ts';

/** Every agent receives the start before this is over. */
const START_DELAY_MS = 250;

/** None of them takes place where no timeline begins. */
const withoutEvents = (run: RecordedRun): RecordedRun => ({
  ...run,
  topology: { ...run.topology, events: [] },
});

export class Experiment {
  readonly platform: Platform;
  readonly graph: Graph;
  readonly topology: Topology;
  readonly #placement: CurrentPlacement;
  readonly #agents: AgentProcess[];
  readonly #serve: () => Promise<FastifyInstance>;
  #server: FastifyInstance | undefined;
  #joined: string | undefined;
  readonly #started: Started;
  readonly #onProgress: OnProgress | undefined;
  readonly #run: RecordedRun;
  #recorder: Recorder | undefined;
  /** Time 0 of a record without a timeline, in milliseconds since 1970. */
  #measuredSince: number | undefined;

  private constructor(parts: Parts, onProgress: OnProgress | undefined) {
    this.platform = parts.platform;
    this.#placement = parts.placement;
    this.graph = parts.graph;
    this.topology = parts.topology;
    this.#agents = [...parts.agents];
    this.#serve = parts.serve;
    this.#server = parts.server;
    this.#started = parts.started;
    this.#onProgress = onProgress;
    this.#run = parts.run;
  }

  /** Resolves when all agents enforce the topology. If any step fails, everything made so far is removed again. */
  static async start(options: ExperimentOptions): Promise<Experiment> {
    const experiment = new Experiment(await startParts(options), options.onProgress);
    const { record, onStep } = options;
    if (!record) return experiment;
    const { folder, isMeasured = false } = record;
    if (isMeasured) experiment.#measuredSince = Date.now();
    const run = isMeasured ? withoutEvents(experiment.#run) : experiment.#run;
    await experiment.#record(onStep, (ports) => beginRecord(run, ports, folder));
    return experiment;
  }

  /**
   * Takes over an experiment whose controller has ended. Throws like `recover`; the experiment does not change then.
   */
  static async resume(name: string, { onStep, onProgress }: Watch = {}): Promise<Experiment> {
    const experiment = new Experiment(await resumeParts(name), onProgress);
    await experiment.#record(onStep, async (ports) => {
      const before = takeRecordAnew(name);
      return before === undefined
        ? continueRecord(experiment.#run, ports)
        : beginRecord(fromWhere(experiment.#run, before), ports);
    });
    return experiment;
  }

  /** A run that can't be recorded goes on without; `tell` says why. */
  async #record(
    tell: Watch['onStep'] = () => {},
    begin: (ports: RecordPorts) => Promise<Recorder | undefined>,
  ): Promise<void> {
    try {
      const { contained } = this.platform;
      const images = contained?.images && (() => contained.images!(this.plan.endpoints));
      this.#recorder = await begin({
        tell,
        beganAt: () => this.#measuredSince ?? this.startAt,
        ...(images && { images }),
      });
    } catch (error) {
      tell(`the run is not recorded: ${(error as Error).message}`);
    }
  }

  /** Folder of the record of this run; `undefined`: it is not recorded. */
  get record(): string | undefined {
    return this.#recorder?.folder;
  }

  /** What is known of the time until now stands in the record when this resolves. */
  async settleRecord(): Promise<void> {
    await this.#recorder?.settle();
  }

  /** Folder of the record into which `stop` has joined its parts; `undefined`: it has one part, or others are still written. */
  get joined(): string | undefined {
    return this.#joined;
  }

  /** Where its endpoints are now. */
  get plan(): Plan {
    return this.#placement.plan;
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
   * Makes all agents start applications and timeline at one instant, which it returns: milliseconds since 1970. An
   * agent that is just restarting learns it from the others. Throws if none answers.
   */
  async run(): Promise<number> {
    const startAt = Date.now() + START_DELAY_MS;
    this.#started.set(startAt);
    this.#keepStart(startAt);
    const told = await Promise.allSettled(this.#agents.map((agent) => agent.run(startAt)));
    const failed = told.filter((one) => one.status === 'rejected');
    if (failed.length === told.length) throw failed[0]!.reason as Error;
    return startAt;
  }

  /** On a full disk, a later controller begins the timeline anew if all agents have ended, too. */
  #keepStart(startAt: number): void {
    try {
      keepStart(this.name, startAt);
    } catch (error) {
      if (!isNoRoom(error)) throw error;
    }
  }

  async statuses(): Promise<AgentStatus[]> {
    const all = await Promise.all(this.#agents.map((agent) => agent.status()));
    return all.filter((status) => status !== undefined);
  }

  /** Starts the agent of a host to replace one that has ended. */
  startAgent(host: PlannedHost): Promise<AgentProcess> {
    const door = accountedDoor(this.#placement, host.name);
    return AgentProcess.start(this.platform, this.name, host, { door });
  }

  /**
   * Restarts agents that end by themselves, and reports it. Resolves when they end because the experiment is removed;
   * throws `AGENT_FAILED` if one ends again and again.
   */
  async supervise(tell: (line: string) => void): Promise<void> {
    const start = async (old: AgentProcess): Promise<AgentProcess> => {
      const next = await this.startAgent(old.host);
      this.#agents.splice(this.#agents.indexOf(old), 1, next);
      return next;
    };
    const ports = { start, tell, isEnding: () => isEnding(this.name) };
    await Promise.race(this.#agents.map((agent) => supervise(agent, ports)));
  }

  /** Running agents need no controller; starting ones wait for the next one. */
  async closeController(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  async openController(): Promise<void> {
    this.#server ??= await this.#serve();
  }

  /** Ends the experiment and removes everything of it. Returns what is lost, one sentence each. */
  async stop(): Promise<readonly string[]> {
    await this.closeController();
    await this.#recorder?.drain();
    const { problems } = await removeExperiment(this.name, this.#onProgress, this.platform);
    await this.#recorder?.complete();
    const { record } = this;
    if (record === undefined) return problems;
    const told: string[] = [];
    this.#joined = await joinAtEnd(record, (line) => told.push(line));
    return this.#joined === undefined ? [...problems, ...told] : problems;
  }
}
