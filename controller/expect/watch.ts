/** Watches a run for what its expectations ask, and judges them at its end. */
import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../agent/conditions/ping-lines.ts';
import { byteTime, timeToTransmit, toMillis } from '../../proto/units.ts';
import { latestOf } from '../../topology/expect/grammar.ts';
import { Folding } from '../../topology/fold/fold.ts';
import type { Evidence } from '../../topology/judge/evidence.ts';
import { type Judgement, judge } from '../../topology/judge/judge.ts';
import { endpointOf } from '../../topology/judge/scope.ts';
import type { Expectation, LoggedText } from '../../topology/model/expectations.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { logFile, logFolderOf } from '../names.ts';
import { type Place, pingFrameBytes } from '../verify/traffic.ts';
import { Datagrams } from './datagrams.ts';
import { LogWatch } from './log-watch.ts';
import { NumberWatch } from './number-watch.ts';
import { type Prober, Probes } from './probes.ts';
import { readRecorded } from './recorded.ts';
import { StatusWatch } from './status-watch.ts';

const LOOK_MS = 100;
const STATUS_EVERY_LOOKS = 2;
/** Probes are sent five times a second, or so seldom that they take this part of the path. */
const PROBE_MS = 200;
const PROBE_PART = 0.01;
/** A run whose applications must end, and that names no time. */
const MOST_MS = 600_000;
/** An application that has not been started so long after the last time that is named, never is. */
const START_MS = 60_000;

type ProbeKind = 'echo' | 'datagram';

export class Watch {
  readonly #experiment: Experiment;
  readonly #expectations: readonly Expectation[];
  readonly #startAt: number;
  readonly #probes = new Map<string, Prober>();
  readonly #logs = new Map<string, LogWatch>();
  readonly #numbers = new Map<string, NumberWatch>();
  readonly #status = new StatusWatch();
  #looks = 0;

  /** Begins to watch a run whose timeline begins at `startAt`, in milliseconds since 1970. */
  constructor(experiment: Experiment, expectations: readonly Expectation[], startAt: number) {
    this.#experiment = experiment;
    this.#expectations = expectations;
    this.#startAt = startAt;
    for (const [key, [kind, from, to]] of this.#probed())
      this.#probes.set(key, this.#probing(kind, from, to));
    const fileOf = (endpoint: string): string => logFile(experiment.name, endpoint);
    for (const [endpoint, texts] of textsByEndpoint(expectations.flatMap(textsOf)))
      this.#logs.set(endpoint, new LogWatch(fileOf(endpoint), texts));
    const ofNumbers = expectations.filter((one) => one.what === 'number');
    for (const [endpoint, texts] of textsByEndpoint(ofNumbers))
      this.#numbers.set(endpoint, new NumberWatch(fileOf(endpoint), texts));
  }

  /** Resolves when all can be judged, or at `durationMs`, or when `signal` aborts. */
  async untilJudged(durationMs: number | undefined, signal: AbortSignal): Promise<void> {
    const needed = durationMs ?? neededMs(this.#experiment.topology);
    while (!signal.aborted && !this.#isOver(needed, durationMs === undefined)) {
      await sleep(LOOK_MS);
      await this.#look();
    }
  }

  /** After the last look. */
  async judge(): Promise<Judgement[]> {
    const endedMs = this.#nowMs();
    // What was sent last may be answered still.
    if (this.#probes.size > 0) await sleep(PATIENCE_MS);
    await this.#experiment.settleRecord();
    await this.#look();
    for (const numbers of this.#numbers.values()) numbers.end(endedMs);
    this.stop();
    const evidence = this.#evidence(endedMs);
    return this.#expectations.map((expectation) => judge(expectation, evidence));
  }

  stop(): void {
    for (const probes of this.#probes.values()) probes.stop();
  }

  #nowMs(): number {
    return Date.now() - this.#startAt;
  }

  #isOver(neededMs: number, isOpen: boolean): boolean {
    const now = this.#nowMs();
    if (now < neededMs) return false;
    if (!isOpen || now > MOST_MS) return true;
    return this.#expectations.every((one) => !this.#isAwaited(one, now, neededMs));
  }

  /** An exit without a time, and what comes after something that was written. */
  #isAwaited(expectation: Expectation, now: number, neededMs: number): boolean {
    if (!('when' in expectation)) return false;
    const { what, when } = expectation;
    if (when.kind === 'within' && 'log' in when.after) {
      const [hit] = this.#logged(when.after.log);
      return hit !== undefined && now < hit.tMs + toMillis(when.within);
    }
    if (what !== 'exit' || when.kind !== 'run') return false;
    const endpoint = endpointOf(expectation.node);
    if (this.#status.exit(endpoint)) return false;
    return this.#status.neverRan(endpoint) === undefined || now < neededMs + START_MS;
  }

  async #look(): Promise<void> {
    this.#lookAtLogs();
    if (this.#looks++ % STATUS_EVERY_LOOKS > 0) return;
    await this.#lookAtStatus();
    // What a command that has ended wrote at its end.
    this.#lookAtLogs();
  }

  #lookAtLogs(): void {
    const now = this.#nowMs();
    for (const log of [...this.#logs.values(), ...this.#numbers.values()]) log.look(now);
  }

  async #lookAtStatus(): Promise<void> {
    const now = this.#nowMs();
    const statuses = await this.#experiment.statuses().catch(() => []);
    const hosts = this.#experiment.agents.map(({ host }) => host.name);
    this.#status.take(now, statuses, hosts);
    this.#lookAtDisk();
  }

  /** What applications write is lost then, and so is what is recorded. */
  #lookAtDisk(): void {
    const folder = logFolderOf(this.#experiment.name);
    try {
      if (statfsSync(folder).bavail === 0)
        this.#status.doubt(`the file system of ${folder}, where logs are kept, is full`);
    } catch {
      // The experiment has ended.
    }
  }

  #probed(): Map<string, [ProbeKind, string, string]> {
    return new Map(
      this.#expectations.flatMap((one) => {
        const kind = probeOf(one);
        if (kind === undefined || !('from' in one)) return [];
        const [from, to] = [endpointOf(one.from), endpointOf(one.to)];
        return [[keyOf(kind, from, to), [kind, from, to]] as const];
      }),
    ) as Map<string, [ProbeKind, string, string]>;
  }

  #logged({ node, text }: LoggedText): ReturnType<LogWatch['hits']> {
    return this.#logs.get(endpointOf(node))?.hits(text) ?? [];
  }

  #probing(kind: ProbeKind, from: string, to: string): Prober {
    const [a, b] = [this.#place(from), this.#place(to)];
    const intervalMs = Math.max(PROBE_MS, Math.ceil(this.#fairIntervalMs(from, to, b)));
    const Kind = kind === 'echo' ? Probes : Datagrams;
    return new Kind(a, b, intervalMs, this.#startAt);
  }

  #fairIntervalMs(from: string, to: string, at: Place): number {
    const folding = new Folding(this.#experiment.graph);
    const { endpoints } = this.#experiment.graph;
    const path = folding.path(endpoints.indexOf(from), endpoints.indexOf(to));
    if (!path || !Number.isFinite(path.bandwidth)) return 0;
    return toMillis(timeToTransmit(pingFrameBytes(at), byteTime(path.bandwidth))) / PROBE_PART;
  }

  #place(endpoint: string): Place {
    const { plan, platform } = this.#experiment;
    const planned = plan.endpoints.find(({ name }) => name === endpoint);
    if (!planned) throw new Error(`${endpoint} is not on this machine`);
    return { ...planned, inside: (command) => platform.exec(planned, command) };
  }

  #evidence(endedMs: number): Evidence {
    const recorded = readRecorded(this.#experiment.record);
    const unprobed = [...this.#probes].flatMap(([, { problem }]) => problem ?? []);
    const sent = (kind: ProbeKind, from: string, to: string): Prober['probes'] =>
      (this.#probes.get(keyOf(kind, from, to))?.probes ?? []).filter(({ sentMs }) => sentMs <= endedMs);
    return {
      endedMs,
      endpoints: this.#experiment.graph.endpoints,
      probes: (from, to) => sent('echo', from, to),
      datagrams: (from, to) => sent('datagram', from, to),
      rates: recorded.rates,
      roundTrips: recorded.roundTrips,
      exit: (endpoint) => this.#status.exit(endpoint),
      lives: (endpoint) => this.#status.lives(endpoint),
      neverRan: (endpoint) => this.#status.neverRan(endpoint),
      logged: (endpoint, text) => this.#logs.get(endpoint)?.hits(text) ?? [],
      numbers: (endpoint, text) => this.#numbers.get(endpoint)?.numbers(text) ?? [],
      events: recorded.events,
      doubts: [...new Set([...this.#status.doubts, ...recorded.doubts, ...unprobed])],
    };
  }
}

const keyOf = (kind: ProbeKind, from: string, to: string): string => `${kind} ${from} ${to}`;

function probeOf(expectation: Expectation): ProbeKind | undefined {
  switch (expectation.what) {
    case 'rtt':
      return expectation.ofTraffic ? undefined : 'echo';
    case 'loss':
    case 'reach':
      return 'echo';
    case 'latency':
      return 'datagram';
    default:
      return undefined;
  }
}

function textsOf(expectation: Expectation): LoggedText[] {
  const own =
    expectation.what === 'log' ? [expectation, ...(expectation.before ? [expectation.before] : [])] : [];
  if (!('when' in expectation) || expectation.when.kind !== 'within') return own;
  const { after } = expectation.when;
  return 'log' in after ? [...own, after.log] : own;
}

function textsByEndpoint(all: readonly LoggedText[]): Map<string, string[]> {
  const texts = Map.groupBy(all, ({ node }) => endpointOf(node));
  return new Map([...texts].map(([endpoint, own]) => [endpoint, [...new Set(own.map(({ text }) => text))]]));
}

/** How long a run must be at least to be judged: as the expectations say; if they say nothing, as long as the events. */
export function neededMs({ events, expectations = [] }: Experiment['topology']): number {
  const ends = events.map(({ at, until = at }) => toMillis(until));
  return toMillis(latestOf(expectations)) || Math.max(0, ...ends);
}
