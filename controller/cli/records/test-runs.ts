/** Runs of files with expectations, one after the other or several at a time. */
import { join } from 'node:path';
import { NetfoldError } from '../../../proto/errors.ts';
import { formatMicros, fromMillis, micros, millisToSeconds, toMillis } from '../../../proto/units.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { ControllerError } from '../../errors.ts';
import { outcomeOf, type RunResult } from '../../expect/result.ts';
import { neededMs, Watch } from '../../expect/watch.ts';
import { removeFolder } from '../../machine/folders.ts';
import { recordId } from '../../record/folders.ts';
import { openTopology } from '../options/open-topology.ts';
import { type LabOptions, withExperiment } from '../options/with-experiment.ts';
import { printError, step } from '../terminal/output.ts';

export interface RunOptions extends LabOptions {
  readonly duration?: number;
  readonly repeat: number;
  readonly untilFail?: boolean;
  readonly keep?: boolean;
  readonly jobs: number;
}

/** All files are read before the first one runs. Throws `ControllerError`. */
export function requireJudgeable(files: readonly string[], options: RunOptions): void {
  for (const file of files) {
    const { topology } = openTopology(file, options);
    if (!topology.expectations?.length)
      throw new ControllerError(
        'EXPECT_NOTHING',
        `${file} expects nothing`,
        'write under expect: what must hold, e.g. - rtt client server < 50ms (docs/expectations.md)',
      );
    if (options.duration !== undefined) requireTime(file, topology, toMillis(micros(options.duration)));
  }
}

function requireTime(file: string, topology: Topology, durationMs: number): void {
  for (const expectation of topology.expectations!) {
    const needs = neededMs({ ...topology, events: [], expectations: [expectation] });
    if (needs <= durationMs) continue;
    const [needed, given] = [needs, durationMs].map((ms) => formatMicros(fromMillis(ms)));
    const { line } = expectation.position;
    throw new ControllerError(
      'EXPECT_TIME',
      `${file}:${line}: "${expectation.line}" is judged at ${needed}, and the run takes ${given}`,
      `leave --duration out, or give ${needed} or more`,
    );
  }
}

export interface Task {
  readonly file: string;
  readonly run: number;
}

/** Resolves to all results; `undefined` at the end of them: a signal came. `tell` hears of each result. */
export async function runAll(
  files: readonly string[],
  options: RunOptions,
  tell: (result: RunResult) => void,
): Promise<{ readonly results: readonly RunResult[]; readonly isInterrupted: boolean }> {
  const results: RunResult[] = [];
  const failed = new Set<string>();
  const tasks = tasksOf(files, options, failed);
  const again: Task[] = [];
  let isInterrupted = false;
  const take = (result: RunResult): void => {
    if (result.outcome !== 'holds') failed.add(result.file);
    results.push(result);
    tell(result);
  };
  const work = async (slot: number): Promise<void> => {
    const disturbed: Task[] = [];
    for (const task of tasks) {
      const result = isInterrupted ? undefined : await runOnce(task, inSlot(task.file, options, slot));
      if (!result) isInterrupted = true;
      if (isInterrupted) return;
      if (options.jobs > 1 && result!.outcome === 'inconclusive') disturbed.push(task);
      else take(result!);
    }
    again.push(...disturbed);
  };
  await Promise.all(Array.from({ length: options.jobs }, (_, slot) => work(slot)));
  // The others may have disturbed it.
  for (const task of again) {
    if (isInterrupted) break;
    step(
      `${task.file}${task.run > 1 ? `, run ${task.run}` : ''}: once more, alone: beside others it could not be judged`,
    );
    const result = await runOnce(task, options);
    if (result) take(result);
    else isInterrupted = true;
  }
  return { results, isInterrupted };
}

export function* tasksOf(
  files: readonly string[],
  { untilFail, repeat }: Pick<RunOptions, 'untilFail' | 'repeat'>,
  failed: ReadonlySet<string>,
): Generator<Task, void> {
  for (const file of files)
    for (let run = 1; untilFail ? !failed.has(file) : run <= repeat; run++) yield { file, run };
}

/** Names of experiments have at most so many characters. */
const LONGEST_NAME = 40;

/** Experiments at the same time have different names. */
function inSlot(file: string, options: RunOptions, slot: number): RunOptions {
  if (slot === 0) return options;
  const suffix = `-${slot + 1}`;
  const name = options.name ?? openTopology(file, options).topology.name;
  return { ...options, name: `${name.slice(0, LONGEST_NAME - suffix.length)}${suffix}` };
}

/** `undefined`: a signal came. What did not run can't be judged. */
export async function runOnce({ file, run }: Task, options: RunOptions): Promise<RunResult | undefined> {
  const began = performance.now();
  const seconds = (): number => millisToSeconds(performance.now() - began);
  try {
    const result = await judgeRun(file, options);
    return result && { file, run, seconds: seconds(), ...result };
  } catch (error) {
    if (!(error instanceof NetfoldError) || error.code === 'INTERRUPTED') throw error;
    printError(error);
    const { expectations = [] } = openTopology(file, options).topology;
    const seen = `it did not run: ${error.message}`;
    const judgements = expectations.map(
      (expectation) => ({ expectation, outcome: 'inconclusive', seen, atMs: null }) as const,
    );
    return { file, run, seconds: seconds(), outcome: 'inconclusive', judgements, blame: error.blame };
  }
}

/** What is judged is what was recorded, so that each run has a record while it goes on. Below a folder for all, one of its own. */
function whereRecorded(file: string, { record, ...lab }: RunOptions): LabOptions {
  if (typeof record !== 'string') return lab;
  const name = lab.name ?? openTopology(file, lab).topology.name;
  return { ...lab, record: join(record, recordId(name, new Date().toISOString())) };
}

async function judgeRun(
  file: string,
  options: RunOptions,
): Promise<Pick<RunResult, 'judgements' | 'outcome' | 'record'> | undefined> {
  let record: string | undefined;
  const judgements = await withExperiment(
    file,
    whereRecorded(file, options),
    async (experiment, { signal }) => {
      record = experiment.record;
      const supervision = experiment.supervise(step).catch(() => {});
      const watch = new Watch(experiment, experiment.topology.expectations ?? [], await experiment.run());
      try {
        const { duration } = options;
        const durationMs = duration === undefined ? undefined : toMillis(micros(duration));
        await Promise.race([watch.untilJudged(durationMs, signal), supervision]);
        return signal.aborted ? undefined : await watch.judge();
      } finally {
        watch.stop();
      }
    },
  );
  if (!judgements) return undefined;
  const outcome = outcomeOf(judgements);
  const isKept = options.record !== false && (outcome !== 'holds' || options.keep === true);
  if (!isKept && record !== undefined) removeFolder(record);
  return { outcome, judgements, ...(isKept && record !== undefined && { record }) };
}
