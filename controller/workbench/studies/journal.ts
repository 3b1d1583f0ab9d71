/**
 * The folder of a study. Every run that has ended is a line of `runs.ndjson`, which is on the disk before the next one begins: whatever
 * is killed, what has ended counts, and the rest runs again.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeFolder, OPEN_FILE, OPEN_FOLDER } from '../../../agent/files/own-files.ts';
import { hold } from '../../machine/holder.ts';
import { StudyError } from './errors.ts';

const RUNS = 'runs.ndjson';
const LOCK = 'lock.json';

export type RunState = 'ok' | 'failed' | 'unfaithful';

/** A run that has ended. */
export interface RunLine {
  readonly kind: 'run';
  /** Of everything that decides what is run: the expanded topology, how long, and the results. */
  readonly key: string;
  readonly point: number;
  readonly parameters: Readonly<Record<string, string>>;
  /** From 1. */
  readonly repetition: number;
  readonly state: RunState;
  /** Why it failed, or was not faithful; empty: it is ok. */
  readonly reason: string;
  /** What the topology's expectations say; null: it has none. */
  readonly expectations: 'holds' | 'fails' | 'inconclusive' | null;
  readonly results: Readonly<Record<string, number>>;
  readonly startedAt: string;
  readonly seconds: number;
  /** How many other runs went on at its start. */
  readonly beside: number;
  /** Folder in that of the study, with logs or record; null: nothing is kept. */
  readonly kept: string | null;
}

/** An experiment is about to be made: what a killed study has left has this name. */
interface BegunLine {
  readonly kind: 'begun';
  readonly experiment: string;
}

export class Journal {
  readonly folder: string;
  readonly #file: number;
  readonly #runs: RunLine[] = [];
  readonly #begun = new Set<string>();

  private constructor(folder: string) {
    this.folder = folder;
    const path = join(folder, RUNS);
    this.#read(path);
    this.#file = openSync(path, 'a', OPEN_FILE);
  }

  /** Makes the folder if it is not there. Throws `StudyError` (`STUDY_BUSY`, `STUDY_FOLDER`) and system errors. */
  static open(folder: string): Journal {
    makeFolder(folder, OPEN_FOLDER);
    const path = join(folder, LOCK);
    const other = hold(path);
    if (other)
      throw new StudyError(
        'STUDY_BUSY',
        `process ${other.pid} runs this study in ${folder}`,
        'wait for it, or give another folder: -o FOLDER',
      );
    try {
      return new Journal(folder);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }

  /** All runs in the order of their ends; also those that were run again. */
  get runs(): readonly RunLine[] {
    return this.#runs;
  }

  /** Experiments that were begun before this process, and may be there still. */
  get begun(): ReadonlySet<string> {
    return this.#begun;
  }

  begin(experiment: string): void {
    this.#append({ kind: 'begun', experiment });
  }

  end(run: RunLine): void {
    this.#append(run);
    fsyncSync(this.#file);
    this.#runs.push(run);
  }

  close(): void {
    closeSync(this.#file);
    rmSync(join(this.folder, LOCK), { force: true });
  }

  #append(line: RunLine | BegunLine): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  /** A line that a killed process has not written to its end is cut off. */
  #read(path: string): void {
    if (!existsSync(path)) return;
    const bytes = readFileSync(path);
    const whole = bytes.lastIndexOf('\n') + 1;
    if (whole < bytes.length) truncateSync(path, whole);
    for (const text of bytes
      .toString('utf8', 0, whole)
      .split('\n')
      .filter((line) => line !== '')) {
      const line = parseLine(text, path);
      if (line.kind === 'run') this.#runs.push(line);
      else this.#begun.add(line.experiment);
    }
  }
}

/** The runs of a folder, without a lock. Throws `StudyError` (`STUDY_FOLDER`). */
export function readRuns(folder: string): RunLine[] {
  const path = join(folder, RUNS);
  if (!existsSync(path))
    throw new StudyError(
      'STUDY_FOLDER',
      `${folder} has no ${RUNS}`,
      'name the folder of a study that has begun',
    );
  const text = readFileSync(path, 'utf8');
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => parseLine(line, path)).filter((line) => line.kind === 'run');
}

function parseLine(text: string, path: string): RunLine | BegunLine {
  try {
    const line = JSON.parse(text) as RunLine | BegunLine;
    if (line.kind === 'begun' || (line.kind === 'run' && typeof line.key === 'string')) return line;
  } catch {
    // Below.
  }
  throw new StudyError(
    'STUDY_FOLDER',
    `${path} has a line that is none of a study: ${text.slice(0, 80)}`,
    'restore the file, or begin in another folder: -o FOLDER',
  );
}
