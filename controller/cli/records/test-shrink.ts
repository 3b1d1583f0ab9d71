/** `netfold test --shrink`: which events are needed to make a file fail, by runs with some of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { EXIT_CODE } from '../../../proto/errors.ts';
import { count } from '../../../proto/words.ts';
import { eventLinesOf, withSomeEvents } from '../../../topology/formats/native/expanded-text.ts';
import type { Judgement } from '../../../topology/judge/judge.ts';
import { TopologyError } from '../../../topology/load.ts';
import { ControllerError, EXIT_INTERRUPTED } from '../../errors.ts';
import type { RunResult } from '../../expect/result.ts';
import { type Shrunk, shrink } from '../../expect/shrink.ts';
import { removeFolder } from '../../machine/folders.ts';
import { openTopology } from '../options/open-topology.ts';
import { print, step } from '../terminal/output.ts';
import { writeOutput } from '../terminal/write-output.ts';
import { exitCodeOf, linesOf, type ResultOptions, writeResults } from './test-results.ts';
import { type RunOptions, runOnce } from './test-runs.ts';

/** A run that was not faithful is tried again, so often in all. */
const TRIES = 3;

export interface ShrinkOptions extends RunOptions, ResultOptions {
  /** Where the smallest file is written; true: beside the file. */
  readonly shrink?: string | true;
  readonly mostRuns: number;
}

/** Returns the exit code. Throws `ControllerError` (`SHRINK_USAGE`). */
export async function shrinkFile(files: readonly string[], options: ShrinkOptions): Promise<number> {
  const [file, ...others] = files;
  if (others.length > 0) throw usage('--shrink is about one file', 'give one file');
  if (options.events !== undefined)
    throw usage('--shrink is about the events of the file, not of a script', 'leave --events out');
  if (options.untilFail) throw usage('--shrink needs a file that fails', 'leave --until-fail out');
  const { source } = openTopology(file!, options);
  const folder = mkdtempSync(join(tmpdir(), 'netfold-shrink-'));
  try {
    return await new Shrinking(file!, source.text, options, folder).run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const usage = (message: string, remedy: string): ControllerError =>
  new ControllerError('SHRINK_USAGE', message, remedy);

class Shrinking {
  readonly #file: string;
  readonly #text: string;
  readonly #lines: readonly string[];
  readonly #options: ShrinkOptions;
  readonly #folder: string;
  #isInterrupted = false;
  /** The last run that failed. */
  #failed: RunResult | undefined;
  #candidates = 0;

  /** `folder`: for files with some of the events. */
  constructor(file: string, text: string, options: ShrinkOptions, folder: string) {
    this.#file = file;
    this.#text = text;
    this.#lines = eventLinesOf(text);
    this.#options = options;
    this.#folder = folder;
  }

  async run(): Promise<number> {
    const all = this.#lines.map((_, index) => index);
    const whole = await this.#tried(all);
    if (!whole) return EXIT_INTERRUPTED;
    if (!this.#options.json) print(linesOf({ ...whole, file: this.#file }).join('\n'));
    if (whole.outcome !== 'fails') {
      const why = whole.outcome === 'holds' ? 'holds' : 'could not be judged';
      step(`${this.#file} ${why}, so there is nothing to shrink`);
      if (whole.outcome === 'holds') this.#drop(whole);
      writeResults([{ ...whole, file: this.#file }], this.#options);
      return exitCodeOf([whole]);
    }
    this.#failed = whole;
    const broken = new Set(brokenOf(whole));
    const { mostRuns } = this.#options;
    step(`which of ${count(all.length, 'event')} are needed is tried in ${count(mostRuns, 'run')} at most`);
    const shrunk = await shrink(all.length, (kept) => this.#fails(kept, broken), mostRuns);
    if (this.#isInterrupted) return EXIT_INTERRUPTED;
    this.#write(shrunk, this.#failed);
    return EXIT_CODE.input;
  }

  /** Whether something of what was broken is broken again; `undefined`: no run could say. */
  async #fails(kept: readonly number[], broken: ReadonlySet<string>): Promise<boolean | undefined> {
    const { repeat } = this.#options;
    let judged = 0;
    for (let run = 1; run <= Math.max(repeat, TRIES) && judged < repeat; run++) {
      const result = await this.#tried(kept);
      if (this.#isInterrupted) return undefined;
      // The file makes no sense without the others.
      if (!result) return false;
      const isBroken = brokenOf(result).some((line) => broken.has(line));
      const isJudged = isBroken || !result.judgements.some((one) => isUnsure(one, broken));
      const which = `${kept.length} of ${count(this.#lines.length, 'event')}`;
      const how = isBroken ? 'it fails' : isJudged ? 'it does not' : 'it can not be judged';
      step(`with ${which}: ${how} (${result.seconds.toFixed(1)} s)`);
      this.#drop(isBroken ? this.#failed : result);
      if (isBroken) this.#failed = result;
      if (isBroken) return true;
      if (isJudged) judged++;
    }
    return judged > 0 ? false : undefined;
  }

  /** `undefined`: a signal came, or the file makes no sense with these alone. */
  async #tried(kept: readonly number[]): Promise<RunResult | undefined> {
    const file = join(this.#folder, `${this.#candidates++}-${basename(this.#file)}`);
    writeFileSync(file, withSomeEvents(this.#text, new Set(kept)));
    // The text has no variables any more.
    const { set: _, ...options } = this.#options;
    const here = { ...options, fileName: this.#file, keep: true };
    try {
      openTopology(file, here);
    } catch (error) {
      if (!(error instanceof TopologyError)) throw error;
      return undefined;
    }
    const result = await runOnce({ file, run: 1 }, here);
    if (!result) this.#isInterrupted = true;
    return result;
  }

  /** Of the runs, one record is kept: that of the smallest file which fails. */
  #drop(other: RunResult | undefined): void {
    if (other?.record !== undefined && !this.#options.keep) removeFolder(other.record);
  }

  #write({ kept, runs, isSmallest }: Shrunk, failed: RunResult): void {
    const { shrink: given, json } = this.#options;
    const to = typeof given === 'string' ? given : shrunkName(this.#file);
    const text = withSomeEvents(this.#text, new Set(kept));
    const needed = kept.map((index) => this.#lines[index]!);
    const why = isSmallest
      ? 'without any one of them it does not fail'
      : 'fewer may do: there were no more runs (--most-runs), or some could not be judged';
    writeOutput(text, to);
    const found = { file: to, events: needed, of: this.#lines.length, runs, isSmallest };
    const heading = `${needed.length} of ${count(this.#lines.length, 'event')} make it fail; ${why}:`;
    const lines = [heading, ...needed.map((line) => `  ${line}`)];
    if (!json) print(needed.length === 0 ? 'it fails without any event' : lines.join('\n'));
    writeResults([{ ...failed, file: this.#file }], this.#options, { shrunk: found });
  }
}

const isUnsure = ({ expectation, outcome }: Judgement, broken: ReadonlySet<string>): boolean =>
  outcome === 'inconclusive' && broken.has(expectation.line);

const brokenOf = ({ judgements }: RunResult): string[] =>
  judgements.filter(({ outcome }) => outcome === 'fails').map(({ expectation }) => expectation.line);

/** `lab.yaml` → `lab.shrunk.yaml`. */
const shrunkName = (file: string): string => file.replace(/(\.[A-Za-z0-9]{1,10})?$/, '.shrunk$1');
