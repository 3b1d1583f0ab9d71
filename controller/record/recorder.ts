/**
 * Records a run while it goes on: once a second it asks the agents of this machine, and writes what they tell. It takes nothing
 * from them that `netfold status` would not; without it they do the same.
 */
import { appendFileSync, existsSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { draftOf } from '../../agent/files/own-files.ts';
import type { TrafficStatus } from '../../proto/status.ts';
import type { PathMeasurement } from '../../proto/view.ts';
import { copyLogs } from '../logs/kept.ts';
import { logFolderOf, outFolder } from '../names.ts';
import { trafficRows } from '../traffic-rows.ts';
import { AgentReader, type News } from './agent-reader.ts';
import { type Moment, RunDatabase } from './database.ts';
import {
  DATABASE,
  DESCRIPTION,
  type Description,
  EVENTS,
  hashesOf,
  LOGS,
  TRAFFIC,
  writeDescription,
} from './description.ts';
import { makeRoom, recordsFolder } from './folders.ts';
import { type FileEvent, Happened, type Happenings } from './happened.ts';
import { fillFolder, OMITTED, takeOutputs } from './outputs.ts';
import type { AgentSample, ClockSample, FlowSample, PathSample } from './rows.ts';
import { writeTraffic } from './traffic-file.ts';

/** What an agent says of a command that runs. */
const RUNNING = /^pid \d+/;
const ROUND_MS = 1000;
/** What an agent answers later is part of the next round. */
const ANSWER_MS = 600;
/** An agent that is killed is back before. */
const SILENT_ROUNDS = 10;
const THIN_EVERY_ROUNDS = 60;
/** How commands have ended is told so often, for a run that is cut off. */
const DESCRIBE_EVERY_ROUNDS = 5;
/** Of netfold's own traffic: so many rows are written each second, more of them less often, since all are written anew. */
const TRAFFIC_ROWS_A_SECOND = 300;
/** What waits for a disk that is full for the moment; then the oldest moments are given up. */
const MOST_WAITING = 60;
const MOST_LINES = 10_000;

export interface RecorderOptions {
  readonly folder: string;
  readonly description: Description;
  readonly fileEvents: readonly FileEvent[];
  /** When the timeline began, in milliseconds since 1970; `undefined` before. Absent: the agents know it alone. */
  readonly beganAt?: () => number | undefined;
  /** What endpoints run, if they are containers. */
  readonly images?: () => Promise<NonNullable<Description['images']>>;
  /** Called with one line for the user. */
  readonly tell: (line: string) => void;
}

interface Heard {
  readonly flows: readonly FlowSample[];
  readonly paths: readonly PathSample[];
  readonly agent: AgentSample;
  /** None of the host whose clock all follow. */
  readonly clocks: readonly ClockSample[];
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
  /** By host: what it has answered since the last moment. A second answer replaces the first, but for paths, which are told once. */
  readonly #heard = new Map<string, Heard>();
  /** By host: how many rounds it has not answered for. */
  readonly #silent = new Map<string, number>();
  #waiting: Happenings[] = [];
  /** Of what happened, not yet in its file. */
  #lines: string[] = [];
  #rounds = 0;
  #isFailing = false;
  /** As agents say, where nobody else does. */
  #begunAt: number | undefined;
  /** As it was described on the disk. */
  #describedBegin: number | undefined;
  #clocks: NonNullable<Description['clocks']>;
  readonly #processes: Map<string, string>;
  readonly #elsewhere: Set<string>;
  #isChanged = false;
  #images: Description['images'];
  /** By host: what it told last of netfold's own traffic. */
  readonly #traffic = new Map<string, readonly TrafficStatus[]>();
  #hasNewTraffic = false;
  #isDrained = false;
  /** One round after the other: an agent answers one question at a time. */
  #turn: Promise<void> = Promise.resolve();

  /** Begins to record. Throws if nothing can be written there. */
  constructor(options: RecorderOptions) {
    const { folder, description, fileEvents } = options;
    this.folder = folder;
    this.#options = options;
    this.#problems = new Set(description.problems);
    this.#clocks = description.clocks ?? {};
    this.#images = description.images;
    this.#processes = new Map(Object.entries(description.processes ?? {}));
    this.#elsewhere = new Set(description.elsewhere);
    this.#database = new RunDatabase(join(folder, DATABASE));
    const positions = new Map(this.#database.positions().map((one) => [one.host, one]));
    this.#readers = description.hosts.map(
      (host) => new AgentReader(description.experiment, host, positions.get(host)),
    );
    this.#happened = new Happened(fileEvents, this.#database.events());
    this.#loop = this.#run();
    options.images?.().then(
      (images) => {
        this.#images = images;
      },
      // An engine that does not answer: the record is the same without.
      () => {},
    );
  }

  /** What agents can tell of the time until now is written when this resolves. Never rejects. */
  settle(): Promise<void> {
    return this.#isDrained ? Promise.resolve() : this.#nextTurn();
  }

  #nextTurn(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      await this.#round();
      this.#write();
    });
    return this.#turn;
  }

  /** The last round, while the agents still answer. Nothing is asked afterwards. */
  async drain(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#turn;
    await this.#round();
    this.#waiting.push(this.#happened.last(this.#now() ?? 0));
    this.#isDrained = true;
    this.#write();
    if (this.#isFailing) this.#problems.add('its last seconds: there was no room for them');
  }

  /** After the end of the run. Never throws: a run ends whether it was recorded or not. */
  async complete(): Promise<void> {
    try {
      this.#database.complete();
      await complete(this.folder, this.#describedAtEnd());
      if (dirname(this.folder) === recordsFolder()) makeRoom();
    } catch (error) {
      this.#options.tell(`the record ${this.folder} is not complete: ${(error as Error).message}`);
    }
  }

  /** What netfold's own traffic had sent a second before at most. What became of it at ends that are elsewhere, their hosts tell. */
  #writeTraffic(): void {
    if (!this.#hasNewTraffic) return;
    const all = [...this.#traffic.values()];
    const every = 1 + Math.floor(all.flat().length / TRAFFIC_ROWS_A_SECOND);
    if (!this.#isDrained && this.#rounds % every > 0) return;
    const { placement } = this.#options.description;
    const isHere = (name: string): boolean => placement === undefined || placement[name] !== undefined;
    const rows = trafficRows(all);
    writeTraffic(
      this.folder,
      rows.map((row) => (isHere(row.from) && isHere(row.to) ? row : { ...row, lost: null })),
    );
    this.#hasNewTraffic = false;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const started = performance.now();
      await this.#nextTurn();
      const left = ROUND_MS - (performance.now() - started);
      await sleep(Math.max(0, left), undefined, { signal }).catch(() => {});
    }
  }

  async #round(): Promise<void> {
    const began = this.#now();
    const asked = this.#readers.map(async (reader) => {
      const news = await reader.read();
      if (!news) return;
      this.#happened.take(reader.host, news.entries);
      if (news.forgotten > 0) this.#problems.add(`what happened on ${reader.host} has gaps`);
      this.#heard.set(reader.host, {
        flows: flowsOf(news.status),
        paths: [...(this.#heard.get(reader.host)?.paths ?? []), ...news.measured.map(pathSample)],
        agent: agentOf(news.status),
        clocks: clockOf(news.status),
      });
      this.#takeState(reader.host, news.status);
    });
    await Promise.race([Promise.all(asked), sleep(ANSWER_MS)]);
    if (began !== undefined && began >= 0) {
      this.#noteSilence();
      const heard = [...this.#heard.values()];
      this.#moments.push({
        tMs: began,
        flows: heard.flatMap(({ flows }) => flows),
        paths: heard.flatMap(({ paths }) => paths),
        agents: heard.map(({ agent }) => agent),
        clocks: heard.flatMap(({ clocks }) => clocks),
      });
    }
    this.#heard.clear();
    this.#waiting.push(this.#happened.batch(began ?? 0));
  }

  #noteSilence(): void {
    for (const { host } of this.#readers) {
      const rounds = this.#heard.has(host) ? 0 : (this.#silent.get(host) ?? 0) + 1;
      this.#silent.set(host, rounds);
      if (rounds === SILENT_ROUNDS)
        this.#problems.add(
          `seconds of ${host} are missing: it did not answer for ${SILENT_ROUNDS} s or longer`,
        );
    }
  }

  #takeState(host: string, { clock, processes, nowMs, traffic, hosts }: News['status']): void {
    for (const { name, endpoints } of hosts) {
      const isKnown = this.#elsewhere.has(name) || this.#options.description.hosts.includes(name);
      if (isKnown || endpoints === 0) continue;
      this.#elsewhere.add(name);
      this.#isChanged = true;
    }
    if (traffic) {
      this.#traffic.set(host, traffic);
      this.#hasNewTraffic = true;
    }
    const { reference, offsetMs, errorMs } = clock;
    this.#clocks = { ...this.#clocks, [host]: { reference, offsetMs, errorMs } };
    // By this machine's date, which may be set meanwhile: the time of samples is the experiment's own.
    if (nowMs !== null) this.#begunAt = Date.now() - nowMs;
    for (const [endpoint, state] of Object.entries(processes)) {
      if (this.#processes.get(endpoint) === state) continue;
      this.#processes.set(endpoint, state);
      this.#isChanged = true;
      this.#happened.process(host, endpoint, state, nowMs);
    }
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
      this.#lines.push(...lines);
      appendWhole(join(this.folder, EVENTS), this.#lines);
      this.#lines = [];
      this.#writeTraffic();
      const isMinute = ++this.#rounds % THIN_EVERY_ROUNDS === 0;
      if (isMinute) this.#database.thin(this.#now() ?? 0);
      // A reader of a run that was cut off wants to know when it began.
      const hasBegun = this.#describedBegin === undefined && this.#beganAt() !== undefined;
      const isChanged = this.#isChanged && this.#rounds % DESCRIBE_EVERY_ROUNDS === 0;
      if (isMinute || hasBegun || isChanged) {
        this.#isChanged = false;
        writeDescription(this.folder, this.#described());
        this.#describedBegin = this.#beganAt();
      }
      if (this.#isFailing) this.#options.tell('the run is recorded again');
      this.#isFailing = false;
    } catch (error) {
      const { message } = error as Error;
      if (!this.#isFailing) this.#options.tell(`the run is not recorded just now: ${message}`);
      this.#isFailing = true;
      const isTooMuch = Math.max(this.#moments.length, this.#waiting.length) > MOST_WAITING;
      if (isTooMuch || this.#lines.length > MOST_LINES) this.#problems.add(`seconds are missing: ${message}`);
      this.#moments = this.#moments.slice(-MOST_WAITING);
      this.#waiting = this.#waiting.slice(-MOST_WAITING);
      this.#lines = this.#lines.slice(-MOST_LINES);
    }
  }

  #described(): Description {
    const began = this.#beganAt();
    const beganAt = began === undefined ? this.#options.description.beganAt : new Date(began).toISOString();
    const processes = Object.fromEntries(this.#processes);
    const images = this.#images && { images: this.#images };
    const elsewhere = this.#elsewhere.size > 0 && { elsewhere: [...this.#elsewhere].sort() };
    return {
      ...this.#options.description,
      beganAt,
      clocks: this.#clocks,
      processes,
      ...images,
      ...elsewhere,
    };
  }

  #describedAtEnd(): Description {
    const described = this.#described();
    const processes = Object.entries(described.processes ?? {}).map(([endpoint, state]) => {
      return [endpoint, RUNNING.test(state) ? 'ran until the end' : state];
    });
    return { ...described, processes: Object.fromEntries(processes), problems: [...this.#problems] };
  }

  #beganAt(): number | undefined {
    const { beganAt } = this.#options;
    return beganAt ? beganAt() : this.#begunAt;
  }

  /** Milliseconds since the timeline began, in whole ones. */
  #now(): number | undefined {
    const began = this.#beganAt();
    return began === undefined ? undefined : Math.round(Date.now() - began);
  }
}

/** All of the lines or none: half a line would be no JSON. Throws system errors. */
function appendWhole(path: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  const before = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  try {
    appendFileSync(path, `${lines.join('\n')}\n`);
  } catch (error) {
    if (existsSync(path)) truncateSync(path, before);
    throw error;
  }
}

/** Logs, and what endpoints have left, before they go. Does nothing for what is there already. Throws system errors. */
export function takeFiles(folder: string, experiment: string): void {
  fillFolder(folder, LOGS, (to) => {
    copyLogs(logFolderOf(experiment), to);
    return true;
  });
  takeOutputs(folder, dirname(outFolder(experiment, 'any')));
}

/** Of a host of another machine: what it saw, its own part has. */
const MISSING_PART = 'the part of ';
const missingPart = (host: string): string =>
  `${MISSING_PART}${host}, which it keeps on its machine; netfold records gather joins it`;
export const isOfMissingPart = (problem: string): boolean => problem.startsWith(MISSING_PART);

/** The last step: hashes of all files. Throws system errors. */
export async function complete(folder: string, description: Description): Promise<void> {
  // Of a writer that was killed.
  for (const name of [DESCRIPTION, TRAFFIC]) rmSync(draftOf(join(folder, name)), { force: true });
  const before = await hashesOf(folder);
  // Packets may have been put into the record while the others were read.
  const files = { ...before, ...(await hashesOf(folder, before)) };
  const ended = { state: 'complete', writer: null, endedAt: new Date().toISOString(), files } as const;
  const cut = existsSync(join(folder, OMITTED)) ? [`files of endpoints, which ${OMITTED} names`] : [];
  const missing = (description.elsewhere ?? []).map(missingPart);
  const problems = [...new Set([...description.problems, ...cut, ...missing])];
  writeDescription(folder, { ...description, ...ended, problems });
}

function flowsOf({ flows }: News['status']): FlowSample[] {
  return flows.map(({ from, to, rateBps, shareBps, limitedBy }) => {
    return { source: from, destination: to, rateBps, shareBps, limitedBy };
  });
}

function pathSample({ from, to, roundTripMs, measuredMs, retransmitted }: PathMeasurement): PathSample {
  return { source: from, destination: to, targetMs: roundTripMs, measuredMs, lost: retransmitted };
}

function agentOf({ host, cpuSeconds, memoryBytes, tickMs }: News['status']): AgentSample {
  return { host, cpuSeconds, memoryBytes, tickMs };
}

function clockOf({ host, clock: { reference, offsetMs, errorMs } }: News['status']): ClockSample[] {
  return offsetMs === null ? [] : [{ host, reference, offsetMs, errorMs }];
}
