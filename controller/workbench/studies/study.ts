/** A study, from its points to its tables. What is done already is not run again. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { DelayBackendChoice } from '../../../proto/bootstrap.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import { millisToSeconds } from '../../../proto/units.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { endpointName } from '../../../topology/model/names.ts';
import type { TopologyText } from '../../experiment/bootstraps.ts';
import { experimentNames } from '../../experiment/state.ts';
import { removeExperiment } from '../../experiment/teardown.ts';
import { removeFolder } from '../../machine/folders.ts';
import type { Origin } from '../../record/description.ts';
import type { Study } from './definition.ts';
import { StudyError } from './errors.ts';
import { type Wanted, wantedOf } from './extract.ts';
import { Journal, type RunLine } from './journal.ts';
import { KeptRecords } from './kept-records.ts';
import type { Point, Space } from './points.ts';
import type { RunOrder, RunOutcome } from './run-once.ts';
import { type Ended, isNarrow, Progress, runAll, type Task } from './schedule.ts';
import { type KeyedPoint, writeTables } from './table.ts';

/** A topology with the parameters of a point. */
export interface OpenedPoint {
  readonly topology: Topology;
  readonly source: TopologyText;
}

export interface StudyPorts {
  /** The topology with these variables. Throws errors with a code. */
  readonly open: (set: ReadonlyMap<string, string>) => OpenedPoint;
  readonly run: (order: RunOrder) => Promise<RunOutcome | undefined>;
  readonly tell: (line: string) => void;
}

export interface StudyOptions {
  /** Of the study, for messages. */
  readonly file: string;
  /** Where results are. */
  readonly folder: string;
  /** Runs at once, at most. */
  readonly jobs: number;
  /** Of a run that is not ok: how often it is tried in all. */
  readonly tries: number;
  /** Of runs that are ok: `some`, as many as there may be on a machine, the last ones. */
  readonly records: 'all' | 'some' | 'none';
  readonly delayBackend?: DelayBackendChoice;
  readonly signal: AbortSignal;
}

export interface StudyEnd {
  readonly ok: number;
  /** Runs that are not, after all tries. */
  readonly notOk: readonly RunLine[];
  readonly isInterrupted: boolean;
}

/** In that of the study: what is kept of each run. */
const RUNS_FOLDER = 'runs';
/** Points that are read before the first run; errors in others show when they come. */
const MOST_CHECKED = 1000;

export class StudyRunner {
  readonly #study: Study;
  readonly #space: Space;
  readonly #options: StudyOptions;
  readonly #ports: StudyPorts;
  readonly #keys = new Map<number, string>();
  readonly #units = new Map<string, string>();
  readonly #kept: KeptRecords | undefined;
  #template: Origin['template'];
  #running = 0;
  #ended = 0;
  #begunMs = 0;

  constructor(study: Study, space: Space, options: StudyOptions, ports: StudyPorts) {
    this.#study = study;
    this.#space = space;
    this.#options = options;
    this.#ports = ports;
    if (options.records !== 'all') this.#kept = new KeptRecords(join(options.folder, RUNS_FOLDER));
  }

  /** Runs that each point has at least. */
  get leastRepetitions(): number {
    const { repeat, until } = this.#study;
    return Math.max(repeat, until?.least ?? 1);
  }

  /** Of all points. With `until`, there may be more. */
  get leastRuns(): number {
    return this.#space.count * this.leastRepetitions;
  }

  /** Reads points before anything starts. Throws `StudyError` (`STUDY_FILE`) that names the first one that is wrong. */
  check(): void {
    for (let index = 0; index < Math.min(this.#space.count, MOST_CHECKED); index++) this.#open(index);
  }

  /** Throws `StudyError` (`STUDY_BUSY`, `STUDY_FOLDER`) and system errors. */
  async run(): Promise<StudyEnd> {
    const journal = Journal.open(this.#options.folder);
    const progress = new Progress(journal.runs);
    try {
      await this.#removeLeftovers(journal);
      this.#tellDone(progress);
      this.#begunMs = performance.now();
      await this.#runWaves(journal, progress);
      return this.#end(progress);
    } finally {
      try {
        this.#write(progress);
      } finally {
        journal.close();
      }
    }
  }

  async #runWaves(journal: Journal, progress: Progress): Promise<void> {
    const failure = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, failure.signal]);
    const run = async (task: Task, alone: boolean): Promise<Ended> => {
      if (signal.aborted) return undefined;
      try {
        return await this.#runTask(task, alone, { journal, progress, signal });
      } catch (error) {
        // Without its journal a study can't go on: a full disk.
        failure.abort(error);
        return undefined;
      }
    };
    let { jobs, tries } = this.#options;
    for (let wave: Iterable<Task> = this.#firstWave(progress); ; wave = this.#nextWave(progress)) {
      jobs = await runAll(wave, { jobs, tries }, { run, tell: this.#ports.tell });
      if (signal.aborted || !this.#study.until) break;
      if (this.#nextWave(progress).length === 0) break;
    }
    if (failure.signal.aborted) throw failure.signal.reason;
  }

  /** All points once, then all of them again: what changes on the machine over the hours changes all points alike. */
  *#firstWave(progress: Progress): Generator<Task> {
    for (let repetition = 1; repetition <= this.leastRepetitions; repetition++)
      for (let point = 0; point < this.#space.count; point++)
        if (!progress.isDone(this.#keyOf(point), repetition)) yield { point, repetition };
  }

  /** Once more where the mean is not known as well as asked; not where nothing comes out. */
  #nextWave(progress: Progress): Task[] {
    const { until } = this.#study;
    if (!until) return [];
    return [...this.#keys].flatMap(([point, key]) => {
      const repetition = (progress.runsOf(key).at(-1)?.repetition ?? 0) + 1;
      const values = progress.valuesOf(key, until.result);
      if (values.length === 0 || repetition > until.most || isNarrow(values, until)) return [];
      return [{ point, repetition }];
    });
  }

  async #runTask(
    { point, repetition }: Task,
    alone: boolean,
    { journal, progress, signal }: { journal: Journal; progress: Progress; signal: AbortSignal },
  ): Promise<Ended> {
    const { folder, records, delayBackend } = this.#options;
    const { durationMicros } = this.#study;
    const { parameters } = this.#space.at(point);
    const kept = join(RUNS_FOLDER, `${point}-${repetition}`);
    const [startedAt, began, beside] = [new Date().toISOString(), performance.now(), this.#running];
    this.#running++;
    try {
      removeFolder(join(folder, kept));
      const { opened, wanted } = this.#open(point);
      const isRecorded = records !== 'none' || needsRecord(opened.topology, wanted);
      const name = this.#experimentOf(point, repetition);
      journal.begin(name);
      const outcome = await this.#ports.run({
        ...{ name, ...this.#told(opened, point, repetition), wanted, signal },
        ...(delayBackend && { delayBackend }),
        ...(durationMicros !== undefined && { durationMicros }),
        ...(isRecorded && { record: join(folder, kept) }),
        logs: join(folder, kept),
      });
      if (!outcome) return undefined;
      const { isKept: hasLogs, ...result } = outcome;
      const isKept = hasLogs || (isRecorded && (records !== 'none' || result.state !== 'ok'));
      if (isKept) this.#kept?.add(join(folder, kept));
      else removeFolder(join(folder, kept));
      const line: RunLine = {
        ...{ kind: 'run', key: this.#keyOf(point), point, parameters, repetition, ...result, startedAt },
        seconds: millisToSeconds(Math.round(performance.now() - began)),
        beside: alone ? 0 : beside,
        kept: isKept ? kept : null,
      };
      journal.end(line);
      progress.note(line);
      this.#tellRun(line);
      return line.state;
    } finally {
      this.#running--;
    }
  }

  /** With what its record says of where it comes from. */
  #told({ topology, source }: OpenedPoint, point: number, repetition: number): OpenedPoint {
    const study = { name: this.#study.name, file: this.#options.file, point, repetition };
    return { topology, source: { ...source, origin: { ...source.origin, study } } };
  }

  #open(index: number): { point: Point; opened: OpenedPoint; wanted: Wanted } {
    const point = this.#space.at(index);
    const opened = this.#opened(point);
    const names = opened.topology.services.flatMap(({ name, replicas }) =>
      Array.from({ length: replicas }, (_, replica) => endpointName(name, replica)),
    );
    const wanted = wantedOf(this.#study, this.#options.file, names);
    for (const [name, unit] of wanted.units) this.#units.set(name, unit);
    this.#template ??= opened.source.origin?.template;
    const { durationMicros = null, results } = this.#study;
    const { text, script } = opened.source;
    const parts = [text, script?.text ?? null, durationMicros, results];
    this.#keys.set(index, createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16));
    return { point, opened, wanted };
  }

  #opened({ parameters }: Point): OpenedPoint {
    try {
      return this.#ports.open(new Map(Object.entries(parameters)));
    } catch (error) {
      if (!(error instanceof NetfoldError)) throw error;
      const message = `with ${settingsText(parameters)}: ${error.message}`;
      throw new StudyError(
        'STUDY_FILE',
        message,
        error.remedy ?? 'correct the topology, or the values',
        error,
      );
    }
  }

  #keyOf(index: number): string {
    if (!this.#keys.has(index)) this.#open(index);
    return this.#keys.get(index)!;
  }

  /** Unique on the machine: another study of the same name has another folder. */
  #experimentOf(point: number, repetition: number): string {
    const folder = createHash('sha256').update(resolve(this.#options.folder)).digest('hex').slice(0, 4);
    return `${this.#study.name.slice(0, 18)}-${folder}-${point}-${repetition}`;
  }

  /** Of a study that was killed. */
  async #removeLeftovers({ begun }: Journal): Promise<void> {
    if (begun.size === 0) return;
    for (const name of await experimentNames()) {
      if (!begun.has(name)) continue;
      this.#ports.tell(`removing ${name}, which a killed study has left`);
      await removeExperiment(name);
    }
  }

  #tellDone(progress: Progress): void {
    let done = 0;
    for (const key of this.#keys.values())
      done += progress.runsOf(key).filter(({ state }) => state === 'ok').length;
    if (done > 0) this.#ports.tell(`${done} of ${this.leastRuns} runs are done already`);
  }

  #tellRun({ parameters, repetition, state, reason, results, seconds }: RunLine): void {
    this.#ended++;
    const again = this.leastRepetitions > 1 ? ` (${repetition})` : '';
    const values = Object.entries(results).map(([name, value]) => {
      return `${name} ${Number(value.toPrecision(4))} ${this.#units.get(name) ?? ''}`.trimEnd();
    });
    const what = state === 'ok' ? values.join(', ') : `${state}: ${reason.split('\n')[0]}`;
    const pace = millisToSeconds((performance.now() - this.#begunMs) / this.#ended).toFixed(1);
    this.#ports.tell(
      `${settingsText(parameters)}${again}: ${what} (${seconds.toFixed(1)} s; run ${this.#ended}, one each ${pace} s)`,
    );
  }

  #end(progress: Progress): StudyEnd {
    const lines = [...new Set(this.#keys.values())].flatMap((key) => progress.runsOf(key));
    return {
      ok: lines.filter(({ state }) => state === 'ok').length,
      notOk: lines.filter(({ state }) => state !== 'ok'),
      isInterrupted: this.#options.signal.aborted,
    };
  }

  #write(progress: Progress): void {
    const points: KeyedPoint[] = [...this.#keys]
      .sort(([a], [b]) => a - b)
      .map(([index, key]) => ({ ...this.#space.at(index), key }));
    writeTables(this.#options.folder, {
      study: this.#study,
      names: this.#space.names,
      units: this.#units,
      ...{ points, progress },
      ...(this.#template && { template: this.#template }),
    });
  }
}

/** `latency=5ms loss=1%` */
export const settingsText = (parameters: Point['parameters']): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** Rates, bytes, and round trips of traffic are what a record has of each second. */
function needsRecord({ expectations = [] }: Topology, { measures }: Wanted): boolean {
  return [...expectations, ...measures.values()].some(
    (one) => one.what === 'rate' || one.what === 'bytes' || ('ofTraffic' in one && one.ofTraffic === true),
  );
}
