/** Watches a run for what its expectations ask, and judges them at its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { byteTime, timeToTransmit, toMillis } from '../../proto/units.ts';
import { latestOf } from '../../topology/expect/grammar.ts';
import { Folding } from '../../topology/fold/fold.ts';
import type { Expectation } from '../../topology/model/expectations.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { readRecord, withDatabase } from '../record/read.ts';
import { type Place, pingFrameBytes } from '../verify/traffic.ts';
import type { Evidence, Exit, RateSample } from './evidence.ts';
import { endpointOf, type Judgement, judge } from './judge.ts';
import { LogWatch } from './log-watch.ts';
import { PATIENCE_MS, Probes } from './probes.ts';

const LOOK_MS = 100;
const STATUS_EVERY_LOOKS = 5;
/** Echo requests come five times a second, or so seldom that they take this part of the path. */
const PROBE_MS = 200;
const PROBE_PART = 0.01;
/** After the last time that an expectation names: answers come, and the second is recorded. */
const SETTLE_MS = 1500;
/** A run whose applications must end, and that names no time. */
const MOST_MS = 600_000;

export class Watch {
  readonly #experiment: Experiment;
  readonly #expectations: readonly Expectation[];
  readonly #startAt: number;
  readonly #probes = new Map<string, Probes>();
  readonly #logs = new Map<string, LogWatch>();
  readonly #exits = new Map<string, Exit>();
  #looks = 0;

  /** Begins to watch a run whose timeline begins at `startAt`, in milliseconds since 1970. */
  constructor(experiment: Experiment, expectations: readonly Expectation[], startAt: number) {
    this.#experiment = experiment;
    this.#expectations = expectations;
    this.#startAt = startAt;
    for (const [key, [from, to]] of this.#probed()) this.#probes.set(key, this.#probing(from, to));
    for (const [endpoint, texts] of this.#texts())
      this.#logs.set(endpoint, new LogWatch(experiment.name, endpoint, [...texts]));
  }

  /** Resolves when all can be judged, or at `durationMs`, or when `signal` aborts. */
  async untilJudged(durationMs: number | undefined, signal: AbortSignal): Promise<void> {
    const needed = durationMs ?? this.#neededMs();
    while (!signal.aborted && !(await this.#isOver(needed, durationMs === undefined))) {
      await sleep(LOOK_MS);
      await this.#look();
    }
  }

  /** After the last look. Throws `ControllerError` if the record can't be read. */
  async judge(): Promise<Judgement[]> {
    const endedMs = this.#nowMs();
    // What was sent last may be answered still, and its second be written.
    await sleep(Math.max(SETTLE_MS, this.#probes.size > 0 ? PATIENCE_MS : 0));
    await this.#look();
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

  #neededMs(): number {
    const events = this.#experiment.topology.events.map(({ at, until = at }) => until);
    return toMillis(latestOf(this.#expectations)) || Math.max(0, ...events.map((at) => toMillis(at)));
  }

  async #isOver(neededMs: number, waitsForExits: boolean): Promise<boolean> {
    const now = this.#nowMs();
    if (now < neededMs) return false;
    if (!waitsForExits || now > MOST_MS) return true;
    return this.#expectations.every(
      (one) => one.what !== 'exit' || one.when.kind === 'by' || this.#exits.has(endpointOf(one.node)),
    );
  }

  async #look(): Promise<void> {
    const now = this.#nowMs();
    for (const log of this.#logs.values()) log.look(now);
    if (this.#looks++ % STATUS_EVERY_LOOKS > 0) return;
    const statuses = await this.#experiment.statuses().catch(() => []);
    for (const { processes } of statuses)
      for (const [endpoint, how] of Object.entries(processes))
        if (/^(exited with|ended by)/.test(how)) {
          if (this.#exits.get(endpoint)?.how !== how) this.#exits.set(endpoint, { tMs: now, how });
        } else this.#exits.delete(endpoint);
  }

  #probed(): Map<string, [string, string]> {
    return new Map(
      this.#expectations.flatMap((one) => {
        if (one.what !== 'rtt' && one.what !== 'loss' && one.what !== 'reach') return [];
        const [from, to] = [endpointOf(one.from), endpointOf(one.to)];
        return [[`${from} ${to}`, [from, to]] as const];
      }),
    ) as Map<string, [string, string]>;
  }

  #texts(): Map<string, Set<string>> {
    const texts = new Map<string, Set<string>>();
    const add = (endpoint: string, text: string): void => {
      texts.set(endpoint, (texts.get(endpoint) ?? new Set()).add(text));
    };
    for (const one of this.#expectations) {
      if (one.what !== 'log') continue;
      add(endpointOf(one.node), one.text);
      if (one.before) add(endpointOf(one.before.node), one.before.text);
    }
    return texts;
  }

  #probing(from: string, to: string): Probes {
    const [a, b] = [this.#place(from), this.#place(to)];
    return new Probes(a, b, Math.max(PROBE_MS, this.#fairIntervalMs(from, to, b)), this.#startAt);
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
    const { record } = this.#experiment;
    const recorded = record === undefined ? undefined : readRecord(record);
    const doubts = (recorded?.verdicts ?? []).filter(({ state }) => state !== 'faithful');
    const unprobed = [...this.#probes].flatMap(([, { problem }]) => problem ?? []);
    return {
      endedMs,
      probes: (from, to) =>
        (this.#probes.get(`${from} ${to}`)?.probes ?? []).filter(({ sentMs }) => sentMs <= endedMs),
      rates: (from, to) => (record === undefined ? [] : ratesOf(record, from, to)),
      exit: (endpoint) => this.#exits.get(endpoint),
      logged: (endpoint, text) => this.#logs.get(endpoint)?.times(text) ?? [],
      events: recorded?.events ?? [],
      doubts: [...doubts.map(({ host, message }) => `${host}: ${message}`), ...unprobed],
    };
  }
}

/** The rate of every recorded second; 0 where the flow was not there. */
function ratesOf(record: string, from: string, to: string): RateSample[] {
  return withDatabase(record, (database) =>
    database
      .prepare(
        `SELECT moment.t_ms AS tMs, coalesce(flow.rate_bps, 0) AS rateBps FROM (SELECT DISTINCT t_ms FROM agent_sample) AS moment
         LEFT JOIN flow_sample AS flow ON flow.t_ms = moment.t_ms AND flow.source = ? AND flow.destination = ? ORDER BY moment.t_ms`,
      )
      .all(from, to)
      .map((row) => ({ ...row })),
  ) as unknown as RateSample[];
}
