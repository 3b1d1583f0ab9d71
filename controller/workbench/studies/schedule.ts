/** Which runs come next, and how many at once. Knows nothing of experiments. */
import type { Until } from './definition.ts';
import type { RunLine, RunState } from './journal.ts';
import { summarize } from './statistics.ts';

export interface Task {
  readonly point: number;
  /** From 1. */
  readonly repetition: number;
}

/** What became of a task; `undefined`: the study is being ended. */
export type Ended = RunState | undefined;

export interface SchedulePorts {
  /** `alone`: nothing else runs meanwhile. Never throws. */
  readonly run: (task: Task, alone: boolean) => Promise<Ended>;
  readonly tell: (line: string) => void;
}

export interface Limits {
  /** At once, at most. */
  readonly jobs: number;
  /** Of a task that failed, or was not faithful: how often it is run in all. */
  readonly tries: number;
}

/** Of the last so many runs beside others … */
const WINDOW = 10;
/** … more than these were not faithful: the machine can't keep so many at once. */
const MOST_UNFAITHFUL = 3;

/**
 * Runs tasks side by side, and what was not ok once more at the end, alone. Where side by side often is not faithful, fewer run at once.
 * Returns the number at once that the machine has kept up with.
 */
export async function runAll(tasks: Iterable<Task>, limits: Limits, ports: SchedulePorts): Promise<number> {
  const queue = tasks[Symbol.iterator]();
  const again: Task[] = [];
  let [jobs, isEnding] = [limits.jobs, false];
  let recent: RunState[] = [];
  const note = (state: RunState): void => {
    recent = [...recent, state].slice(-WINDOW);
    if (jobs === 1 || recent.filter((one) => one === 'unfaithful').length <= MOST_UNFAITHFUL) return;
    jobs--;
    recent = [];
    ports.tell(
      `more than ${MOST_UNFAITHFUL} of the last ${WINDOW} runs were not faithful: ${jobs} at once from now on`,
    );
  };
  const worker = async (place: number): Promise<void> => {
    while (place < jobs && !isEnding) {
      const { done, value: task } = queue.next();
      if (done) return;
      const state = await ports.run(task, limits.jobs === 1);
      if (state === undefined) isEnding = true;
      else note(state);
      if (state === 'failed' || state === 'unfaithful') again.push(task);
    }
  };
  await Promise.all(Array.from({ length: limits.jobs }, (_, place) => worker(place)));
  for (const task of isEnding ? [] : again)
    for (let attempt = 2; attempt <= limits.tries && !isEnding; attempt++) {
      const state = await ports.run(task, true);
      if (state === undefined) return jobs;
      if (state === 'ok') break;
    }
  return jobs;
}

/** What was run of each point: the last line of each repetition counts. */
export class Progress {
  readonly #byKey = new Map<string, Map<number, RunLine>>();

  constructor(runs: readonly RunLine[]) {
    for (const run of runs) this.note(run);
  }

  note(run: RunLine): void {
    const runs = this.#byKey.get(run.key) ?? new Map<number, RunLine>();
    const before = runs.get(run.repetition);
    // What is ok stays so.
    if (before?.state !== 'ok') runs.set(run.repetition, run);
    this.#byKey.set(run.key, runs);
  }

  /** Of the repetitions of a point, by number. */
  runsOf(key: string): RunLine[] {
    return [...(this.#byKey.get(key)?.values() ?? [])].sort((a, b) => a.repetition - b.repetition);
  }

  isDone(key: string, repetition: number): boolean {
    return this.#byKey.get(key)?.get(repetition)?.state === 'ok';
  }

  /** The results of its runs that are ok. */
  valuesOf(key: string, result: string): number[] {
    return this.runsOf(key).flatMap(({ state, results }) =>
      state === 'ok' && result in results ? [results[result]!] : [],
    );
  }
}

/** Whether the mean of a point is known as well as asked. */
export function isNarrow(values: readonly number[], { within, confidence, least }: Until): boolean {
  const summary = summarize(values, confidence);
  if (!summary || summary.runs < least || summary.low === null) return false;
  const half = summary.mean - summary.low;
  return half <= ('amount' in within ? within.amount : within.part * Math.abs(summary.mean));
}
