/**
 * Records a run while it goes on: once a second it asks the agents of this machine, and writes what they tell. It takes nothing
 * from them that `netfold status` would not; without it they do the same.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kernelStartTimeOf } from '../../agent/kernel/sys/process-table.ts';
import type { AgentStatus } from '../../proto/status.ts';
import type { PathProof } from '../../proto/view.ts';
import { copyLogs } from '../logs/kept.ts';
import { AgentReader } from './agent-reader.ts';
import { type Moment, RunDatabase } from './database.ts';
import { DATABASE, type Description, EVENTS, hashesOf, LOGS, writeDescription } from './description.ts';
import { dropOldRecords } from './folders.ts';
import { type FileEvent, Happened, type Happenings } from './happened.ts';
import type { AgentSample, FlowSample, PathSample } from './rows.ts';

const ROUND_MS = 1000;
/** An agent that answers later is not part of the round. */
const ANSWER_MS = 600;
const THIN_EVERY_ROUNDS = 60;
/** What waits for a disk that is full for the moment; then the oldest moments are given up. */
const MOST_WAITING = 60;

export interface RecorderOptions {
  readonly folder: string;
  readonly description: Description;
  readonly fileEvents: readonly FileEvent[];
  /** When the timeline began, in milliseconds since 1970; `undefined` before. */
  readonly beganAt: () => number | undefined;
  /** Called with one line for the user. */
  readonly tell: (line: string) => void;
}

export class Recorder {
  readonly folder: string;
  readonly #options: RecorderOptions;
  readonly #readers: readonly AgentReader[];
  readonly #happened: Happened;
  readonly #database: RunDatabase;
  readonly #problems: Set<string>;
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;
  #moments: Moment[] = [];
  #waiting: Happenings[] = [];
  #rounds = 0;
  #isFailing = false;

  /** Begins to record. Throws if nothing can be written there. */
  constructor(options: RecorderOptions) {
    const { folder, description, fileEvents } = options;
    this.folder = folder;
    this.#options = options;
    this.#problems = new Set(description.problems);
    this.#database = new RunDatabase(join(folder, DATABASE));
    const positions = new Map(this.#database.positions().map((one) => [one.host, one]));
    this.#readers = description.hosts.map(
      (host) => new AgentReader(description.experiment, host, positions.get(host)),
    );
    this.#happened = new Happened(fileEvents, this.#database.events());
    this.#loop = this.#run();
  }

  /** The last round, while the agents still answer. Nothing is asked afterwards. */
  async drain(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#round();
    this.#waiting.push(this.#happened.last(this.#now() ?? 0));
    this.#write();
  }

  /** What endpoints have written: before the folder of logs goes. */
  takeLogs(logFolder: string): void {
    try {
      takeLogs(this.folder, logFolder);
    } catch (error) {
      this.#problems.add(`logs are missing: ${(error as Error).message}`);
    }
  }

  /** After the end of the run. Never throws: a run ends whether it was recorded or not. */
  async complete(): Promise<void> {
    try {
      this.#database.complete();
      await complete(this.folder, { ...this.#described(), problems: [...this.#problems] });
      dropOldRecords();
    } catch (error) {
      this.#options.tell(`the record ${this.folder} is not complete: ${(error as Error).message}`);
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const started = performance.now();
      await this.#round();
      this.#write();
      const left = ROUND_MS - (performance.now() - started);
      await sleep(Math.max(0, left), undefined, { signal }).catch(() => {});
    }
  }

  async #round(): Promise<void> {
    const began = this.#now();
    const flows: FlowSample[] = [];
    const paths: PathSample[] = [];
    const agents: AgentSample[] = [];
    const asked = this.#readers.map(async (reader) => {
      const news = await reader.read();
      if (!news) return;
      this.#happened.take(reader.host, news.entries);
      if (news.forgotten > 0) this.#problems.add(`what happened on ${reader.host} has gaps`);
      flows.push(...flowsOf(news.status));
      paths.push(...news.paths.flatMap(pathSample));
      agents.push(agentOf(news.status));
    });
    await Promise.race([Promise.all(asked), sleep(ANSWER_MS)]);
    // Copies: what comes too late is left out.
    if (began !== undefined && began >= 0)
      this.#moments.push({ tMs: began, flows: [...flows], paths: [...paths], agents: [...agents] });
    this.#waiting.push(this.#happened.batch(began ?? 0));
  }

  /** A full disk ends no experiment: what was not written waits for the next round, within bounds. */
  #write(): void {
    const events = this.#waiting.flatMap((one) => one.events);
    const epochs = this.#waiting.flatMap((one) => one.epochs);
    const verdicts = this.#waiting.flatMap((one) => one.verdicts);
    const lines = this.#waiting.flatMap((one) => one.lines);
    const positions = this.#readers.map((reader) => reader.position);
    try {
      this.#database.append({ moments: this.#moments, events, epochs, verdicts, positions });
      this.#moments = [];
      this.#waiting = [];
      if (lines.length > 0) appendFileSync(join(this.folder, EVENTS), `${lines.join('\n')}\n`);
      if (++this.#rounds % THIN_EVERY_ROUNDS === 0) this.#database.thin(this.#now() ?? 0);
      if (this.#rounds === 1) writeDescription(this.folder, this.#described());
      if (this.#isFailing) this.#options.tell('the run is recorded again');
      this.#isFailing = false;
    } catch (error) {
      const { message } = error as Error;
      if (!this.#isFailing) this.#options.tell(`the run is not recorded just now: ${message}`);
      this.#isFailing = true;
      this.#problems.add(`seconds are missing: ${message}`);
      this.#moments = this.#moments.slice(-MOST_WAITING);
      this.#waiting = this.#waiting.slice(-MOST_WAITING);
    }
  }

  #described(): Description {
    const began = this.#options.beganAt();
    const beganAt = began === undefined ? null : new Date(began).toISOString();
    return { ...this.#options.description, beganAt };
  }

  /** Milliseconds since the timeline began, in whole ones. */
  #now(): number | undefined {
    const began = this.#options.beganAt();
    return began === undefined ? undefined : Math.round(Date.now() - began);
  }
}

/** This process, as the writer of a record. */
export const thisWriter = (): Description['writer'] => ({
  pid: process.pid,
  startTime: kernelStartTimeOf(process.pid) ?? 0,
});

/** Whether the process that writes the record still runs. */
export const hasWriter = ({ writer }: Description): boolean =>
  writer !== null && kernelStartTimeOf(writer.pid) === writer.startTime;

/** Does nothing if they are there already. Throws system errors. */
export function takeLogs(folder: string, logFolder: string): void {
  const to = join(folder, LOGS);
  if (mkdirSync(to, { recursive: true }) !== undefined) copyLogs(logFolder, to);
}

/** The last step: hashes of all files. Throws system errors. */
export async function complete(folder: string, description: Description): Promise<void> {
  const files = await hashesOf(folder);
  const ended = { state: 'complete', writer: null, endedAt: new Date().toISOString(), files } as const;
  writeDescription(folder, { ...description, ...ended });
}

/** Those of its own endpoints; other agents tell theirs. */
function flowsOf({ flows, endpoints }: AgentStatus): FlowSample[] {
  const own = new Set(endpoints);
  return flows
    .filter(({ from }) => own.has(from))
    .map(({ from, to, rateBps, shareBps, limitedBy }) => {
      return { source: from, destination: to, rateBps, shareBps, limitedBy };
    });
}

function pathSample({ from, to, roundTripMs, measuredMs, retransmitted }: PathProof): PathSample[] {
  if (roundTripMs === null || measuredMs === null) return [];
  return [{ source: from, destination: to, targetMs: roundTripMs, measuredMs, lost: retransmitted ?? 0 }];
}

function agentOf({ host, cpuSeconds, memoryBytes, ticks }: AgentStatus): AgentSample {
  return { host, cpuSeconds, memoryBytes, tickMs: ticks.meanMs };
}
