/** One run of a point: an experiment in the local lab, from its start to what came out of it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { makeFolder, PRIVATE_FOLDER } from '../../../agent/files/own-files.ts';
import type { DelayBackendChoice } from '../../../proto/bootstrap.ts';
import { type Micros, toMillis } from '../../../proto/units.ts';
import type { Judgement } from '../../../topology/judge/judge.ts';
import { endpointOf } from '../../../topology/judge/scope.ts';
import type { Expectation } from '../../../topology/model/expectations.ts';
import type { Topology } from '../../../topology/model/model.ts';
import { parseReference } from '../../../topology/model/names.ts';
import { outcomeOf } from '../../expect/result.ts';
import { Watch } from '../../expect/watch.ts';
import type { TopologyText } from '../../experiment/bootstraps.ts';
import { Experiment } from '../../experiment/experiment.ts';
import { askVerdict } from '../../fidelity/verdict.ts';
import { copyLogs } from '../../logs/kept.ts';
import { logFile, logFolderOf } from '../../names.ts';
import { openPlatform } from '../../platform/registry.ts';
import { shownValue, valueIn, type Wanted } from './extract.ts';
import type { RunLine } from './journal.ts';

export interface RunOrder {
  /** Of the experiment. */
  readonly name: string;
  readonly topology: Topology;
  readonly source: TopologyText;
  readonly wanted: Wanted;
  readonly delayBackend?: DelayBackendChoice;
  /** Absent: as long as expectations and results need. */
  readonly durationMicros?: number;
  /** Folder for a record of the run; absent: none. */
  readonly record?: string;
  /** New folder for the logs of a run that is not ok and could not be recorded, or was not to be. */
  readonly logs: string;
  readonly signal: AbortSignal;
}

export type RunOutcome = Pick<RunLine, 'state' | 'reason' | 'expectations' | 'results'> & {
  readonly isKept: boolean;
};

/** `undefined`: `signal` came. What goes wrong is a failed run, with its reason. */
export async function runOnce(order: RunOrder): Promise<RunOutcome | undefined> {
  const { signal } = order;
  try {
    return await withExperiment(order, (experiment) => watched(experiment, order));
  } catch (error) {
    if (signal.aborted) return undefined;
    const reason = (error as Error).message;
    return { state: 'failed', reason, expectations: null, results: {}, isKept: false };
  }
}

async function withExperiment<T>(order: RunOrder, use: (experiment: Experiment) => Promise<T>): Promise<T> {
  const { name, topology, source, record, signal, delayBackend = 'auto' } = order;
  const experiment = await Experiment.start({
    ...{ name, topology, source, delayBackend, signal },
    platform: await openPlatform('lab'),
    placement: { hosts: 1 },
    ...(record !== undefined && { record: { folder: record } }),
  });
  try {
    return await use(experiment);
  } finally {
    await experiment.stop();
  }
}

async function watched(experiment: Experiment, order: RunOrder): Promise<RunOutcome | undefined> {
  const { topology, wanted, durationMicros, signal } = order;
  const stated = topology.expectations ?? [];
  const measures = [...wanted.measures.values()];
  const exits = durationMicros === undefined ? awaitedExits(order) : [];
  const supervision = experiment.supervise(() => {});
  // It is looked at below, and ends with the experiment.
  supervision.catch(() => {});
  const watch = new Watch(experiment, [...stated, ...measures, ...exits], await experiment.run());
  try {
    const durationMs = durationMicros === undefined ? undefined : toMillis(durationMicros as Micros);
    await Promise.race([watch.untilJudged(durationMs, signal), supervision]);
    if (signal.aborted) return undefined;
    const judgements = await watch.judge();
    const { verdict } = await askVerdict(
      experiment.name,
      experiment.plan.hosts.map(({ name }) => name),
    );
    const { results, missing } = resultsOf(experiment.name, wanted, judgements.slice(stated.length));
    const failed = judgements
      .slice(stated.length + measures.length)
      .filter(({ outcome }) => outcome !== 'holds');
    const reasons = [...failed.map(exitText), ...missing];
    const doubt =
      verdict.verdict === 'faithful' ? undefined : (verdict.causes[0]?.message ?? verdict.verdict);
    const state = doubt !== undefined ? 'unfaithful' : reasons.length > 0 ? 'failed' : 'ok';
    const isKept = state !== 'ok' && experiment.record === undefined;
    if (isKept) keepLogs(experiment.name, order.logs);
    const judged = judgements.slice(0, stated.length);
    return {
      ...{ state, results, isKept },
      reason: doubt ?? reasons.join('; '),
      expectations: judged.length === 0 ? null : outcomeOf(judged),
    };
  } finally {
    watch.stop();
  }
}

function keepLogs(experiment: string, folder: string): void {
  makeFolder(folder, PRIVATE_FOLDER);
  copyLogs(logFolderOf(experiment), folder);
}

/** A result is in a log when the command that writes it has ended. What the file says of its exit is the file's matter. */
function awaitedExits({ topology, wanted }: RunOrder): Expectation[] {
  const stated = (topology.expectations ?? []).filter((one) => one.what === 'exit');
  const known = new Set(stated.map(({ node }) => endpointOf(node)));
  const running = new Set(topology.services.flatMap(({ name, run }) => (run === undefined ? [] : [name])));
  const endpoints = new Set([...wanted.logs.values()].map(({ endpoint }) => endpoint));
  return [...endpoints].flatMap((endpoint): Expectation[] => {
    const node = parseReference(endpoint)!;
    if (known.has(endpoint) || !running.has(node.name)) return [];
    const position = { file: '', line: 0, column: 0 };
    return [{ what: 'exit', node, code: 0, when: { kind: 'run' }, line: `exit ${endpoint} 0`, position }];
  });
}

const exitText = ({ expectation, seen }: Judgement): string =>
  `${'node' in expectation ? endpointOf(expectation.node) : ''}: ${seen}`;

/** `measured`: the judgements of the measures, and then others. */
function resultsOf(
  experiment: string,
  { logs, measures }: Wanted,
  measured: readonly Judgement[],
): { results: Record<string, number>; missing: string[] } {
  const results: Record<string, number> = {};
  const missing: string[] = [];
  for (const [place, [name, measure]] of [...measures].entries()) {
    const { value, seen } = measured[place]!;
    if (value === undefined) missing.push(`${name}: ${seen}`);
    else results[name] = shownValue(measure, value);
  }
  for (const [name, wanted] of logs) {
    try {
      results[name] = valueIn(readEnd(logFile(experiment, wanted.endpoint)), name, wanted);
    } catch (error) {
      missing.push((error as Error).message);
    }
  }
  return { results, missing };
}

/** Of a longer log, its end. */
const MOST_LOG_BYTES = 16 * 2 ** 20;

function readEnd(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const end = Buffer.alloc(Math.min(size, MOST_LOG_BYTES));
    const bytes = readSync(file, end, 0, end.length, size - end.length);
    return end.toString('utf8', 0, bytes);
  } finally {
    closeSync(file);
  }
}
