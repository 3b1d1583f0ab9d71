/**
 * Watches one experiment for all of its streams: waits for entries of its agents' run logs, and asks them when there are some.
 * It runs only while somebody reads.
 *
 * What it asks for follows what has happened: rates change several times a second, and only they are asked for then (`/flows`);
 * a status, which names every endpoint and process, is asked for when an entry of another kind says so, and every `idleMs`.
 *
 * Bound: 5 % of a core with 4,000 nodes and 500 flows that change all the time (bench/dashboard). A profile of V8 (81 s with the start,
 * on a busy machine, 2026-11-30) has 3.0 % of the time in `callJson`, which parses the agents' answers, 1.0 % in garbage collection, 0.6 %
 * in comparing items (`keyed`), and 0.1 % in making them text.
 *
 * What it holds has bounds: the last status of each host, one view, the parts of the last look (and, of a slow reader, those that
 * it was told last), `MOST_ENTRIES` entries, and messages of the present look alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlAnswer } from '../../proto/control.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { MAX_PAGE_ENTRIES, type RunLogKind, type RunLogPage } from '../../proto/run-log.ts';
import type { AgentView, LiveGraph } from '../../proto/view.ts';
import { decodeGraph } from '../../topology/model/graph-json.ts';
import { type PathLookup, pathLookup } from '../../topology/report/paths.ts';
import type { ExperimentState } from '../experiment/state.ts';
import { changesText, type Parts, PartsMaker, type Seen } from './live-parts.ts';
import type { Experiments } from './ports.ts';
import { type AgentReport, aliveOf, firstOf, reportsOf, withFlowsNow } from './view.ts';

export interface Pace {
  /** Of updates. */
  readonly periodMs: number;
  /** What no entry announces, such as the load of an agent, is looked at this often. */
  readonly idleMs: number;
}

/** Five updates a second are as much as eyes can use. */
export const PACE: Pace = { periodMs: 200, idleMs: 2000 };
/** Of a period: after a page of a log, its next one is asked for. A little less, so that news are there when a look is due. */
const LOG_REST = 0.9;
/** Of a period: after a look, however long it took. */
const LOOK_REST = 0.5;
/** Below the timeout of a request. */
const WAIT_MS = 5000;
/** Entries that are kept for readers; a reader that is further behind is told how many it has missed. */
const MOST_ENTRIES = 2000;
/** Flows and shares are in the parts. */
const TOLD: ReadonlySet<RunLogKind> = new Set([
  ...(['epoch', 'command', 'outcome', 'endpoint', 'host', 'degraded', 'cause', 'state'] as const),
]);

/** What a reader has. */
export interface Reading {
  readonly parts: Parts | undefined;
  /** Of the next entry. */
  readonly entry: number;
}

/** The next message of a reader, and what it has then. */
export interface Told {
  readonly text: string;
  readonly reading: Reading;
}

export class Watcher {
  readonly #experiments: Experiments;
  readonly #name: string;
  readonly #pace: Pace;
  readonly #entries: unknown[] = [];
  /** How many entries there have been before the first that is kept. */
  #dropped = 0;
  #maker = new PartsMaker();
  #parts: Parts | undefined;
  #nowMs: number | null = null;
  /** Kinds of entries since agents were asked the last time. */
  readonly #news = new Set<RunLogKind>();
  /** As of the last look, each with its flows. */
  #reports: readonly AgentReport[] | undefined;
  #view: AgentView | undefined;
  #commands: ControlAnswer | undefined;
  /** Paths of the last epoch that was seen. */
  #paths: { readonly epoch: number; readonly pathOf: PathLookup } | undefined;
  /** Messages from the parts that a reader has to the present ones: most readers have the same. */
  #messages = new Map<Parts | undefined, Map<number, Told>>();
  /** The entry to which they lead. */
  #messagesTo = 0;
  readonly #readers = new Set<() => void>();
  #running: AbortController | undefined;
  /** Why there is nothing more to see. */
  #ended: string | undefined;

  constructor(experiments: Experiments, name: string, pace: Pace = PACE) {
    this.#experiments = experiments;
    this.#name = name;
    this.#pace = pace;
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** What a new reader has. */
  get start(): Reading {
    return { parts: undefined, entry: this.#dropped + this.#entries.length };
  }

  /** `look`: called several times a second, whether there is news or not. Returns how to leave. */
  read(look: () => void): () => void {
    this.#readers.add(look);
    if (!this.#running) this.#run();
    return () => {
      this.#readers.delete(look);
      if (this.#readers.size === 0) this.stop();
    };
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#parts = undefined;
    this.#maker = new PartsMaker();
    this.#reports = undefined;
    this.#messages.clear();
  }

  /** The next message for a reader; `undefined`: it has everything. */
  message(reading: Reading): Told | undefined {
    const parts = this.#parts;
    const end = this.#dropped + this.#entries.length;
    if (!parts || (reading.parts === parts && reading.entry === end)) return undefined;
    // Where no agent answers, there are entries without a look.
    if (end !== this.#messagesTo) this.#messages.clear();
    this.#messagesTo = end;
    const known = this.#messages.get(reading.parts)?.get(reading.entry);
    if (known) return known;
    const told = { text: this.#compose(reading, parts), reading: { parts, entry: end } };
    const alike = this.#messages.get(reading.parts) ?? new Map<number, Told>();
    this.#messages.set(reading.parts, alike.set(reading.entry, told));
    return told;
  }

  /** JSON, put together of texts that the parts have already. */
  #compose(reading: Reading, parts: Parts): string {
    const changes = `"nowMs":${JSON.stringify(this.#nowMs)}${changesText(reading.parts, parts)}`;
    if (!reading.parts) return `{"type":"snapshot",${changes}}`;
    const happened = this.#entries.slice(Math.max(0, reading.entry - this.#dropped));
    const forgotten = Math.max(0, this.#dropped - reading.entry);
    const told = happened.length > 0 ? `,"happened":${JSON.stringify(happened)}` : '';
    return `{"type":"change",${changes}${told}${forgotten > 0 ? `,"forgotten":${forgotten}` : ''}}`;
  }

  #run(): void {
    const controller = new AbortController();
    this.#running = controller;
    const { signal } = controller;
    void this.#refresh(signal);
    void this.#tick(signal);
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const followed = new Set<string>();
    let lookedAt = Number.NEGATIVE_INFINITY;
    for (let begun = performance.now(); !signal.aborted; begun = await this.#nextTurn(begun, signal)) {
      const isDue = begun - lookedAt >= this.#pace.idleMs;
      if (!isDue && this.#news.size === 0) continue;
      if (isDue) lookedAt = begun;
      const hasNews = (...kinds: RunLogKind[]): boolean => isDue || kinds.some((kind) => news.has(kind));
      const news = new Set(this.#news);
      this.#news.clear();
      try {
        const state = await this.#experiments.state(this.#name);
        for (const { name } of state.hosts) {
          if (!followed.has(name)) void this.#follow(name, signal);
          followed.add(name);
        }
        const seen = await this.#look(state, hasNews, news.has('epoch'));
        if (signal.aborted) return;
        this.#reports = seen.reports;
        this.#parts = this.#maker.make(seen);
        this.#nowMs = aliveOf(seen.reports).find(({ nowMs }) => nowMs !== null)?.nowMs ?? null;
        this.#messages.clear();
      } catch (error) {
        if (!(error instanceof NetfoldError) || error.code !== 'EXPERIMENT_UNKNOWN') continue;
        this.#ended = 'the experiment has ended';
        this.#tellAll();
        return this.stop();
      }
    }
  }

  /** Looks begin one period apart, unless they take long. Resolves with the time then. */
  async #nextTurn(begun: number, signal: AbortSignal): Promise<number> {
    const { periodMs } = this.#pace;
    await pause(Math.max(LOOK_REST * periodMs, begun + periodMs - performance.now()), signal);
    return performance.now();
  }

  /** Agents have other work: of thousands of endpoints, and of many commands, only what may have changed is asked for. */
  async #look(
    state: ExperimentState,
    hasNews: (...kinds: RunLogKind[]) => boolean,
    isNew: boolean,
  ): Promise<Seen> {
    const ask = <Answer>(path: string): Promise<Answer | undefined> =>
      firstOf<Answer>(this.#experiments, state, path).catch(() => undefined);
    const known = hasNews(...TOLD) ? undefined : this.#reports;
    const [reports] = await Promise.all([
      known ? withFlowsNow(this.#experiments, state, known) : reportsOf(this.#experiments, state),
      hasNews('endpoint', 'host') &&
        ask<AgentView>('/view').then((view) => {
          this.#view = view;
        }),
      hasNews('command', 'outcome') &&
        ask<ControlAnswer>('/control').then((commands) => {
          this.#commands = commands;
        }),
    ]);
    await this.#fold(state, reports, isNew);
    const pathOf = this.#paths?.pathOf ?? (() => undefined);
    return { state, reports, view: this.#view, commands: this.#commands, pathOf };
  }

  /** A topology is as large as its file: it is asked for once in an epoch, and only if something flows. */
  async #fold(state: ExperimentState, reports: readonly AgentReport[], isNew: boolean): Promise<void> {
    const alive = aliveOf(reports);
    const isSeen = alive.some(({ epoch }) => epoch === this.#paths?.epoch);
    if (alive.every(({ flows }) => flows.length === 0) || (isSeen && !isNew)) return;
    try {
      const { epoch, graph } = await firstOf<LiveGraph>(this.#experiments, state, '/graph');
      this.#paths = { epoch, pathOf: pathLookup(decodeGraph(graph)) };
    } catch {
      // The paths that are known are shown until an agent answers.
    }
  }

  /** The run log of one agent, from now on, also after the agent was restarted. */
  async #follow(host: string, signal: AbortSignal): Promise<void> {
    let query = 'waitMs=0';
    let incarnation: number | undefined;
    while (!signal.aborted) {
      try {
        const page = (await this.#experiments.ask(this.#name, host, `/log?${query}`)) as RunLogPage;
        if (signal.aborted) return;
        const isNew = incarnation !== undefined && page.incarnation !== incarnation;
        incarnation = page.incarnation;
        query = isNew ? 'from=0' : `from=${page.next}&waitMs=${WAIT_MS}`;
        if (!isNew) this.#keep(host, page);
        // All that happens in a period comes in one page: where rates change, there would be as many requests as ticks.
        if (page.entries.length > 0 && page.entries.length < MAX_PAGE_ENTRIES)
          await pause(LOG_REST * this.#pace.periodMs, signal);
      } catch {
        await pause(this.#pace.idleMs, signal);
      }
    }
  }

  #keep(host: string, { entries }: RunLogPage): void {
    if (entries.length === 0) return;
    for (const { kind } of entries) this.#news.add(kind);
    this.#entries.push(...entries.filter(({ kind }) => TOLD.has(kind)).map((entry) => ({ host, ...entry })));
    const surplus = this.#entries.length - MOST_ENTRIES;
    if (surplus <= 0) return;
    this.#entries.splice(0, surplus);
    this.#dropped += surplus;
  }

  async #tick(signal: AbortSignal): Promise<void> {
    for (; !signal.aborted; await pause(this.#pace.periodMs, signal)) this.#tellAll();
  }

  #tellAll(): void {
    for (const look of [...this.#readers]) look();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // Nobody reads any more.
  }
}
