/** Takes experiments away: with the help of their agents where they live, and without where they don't. */

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listNamespaces, namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { clearInterface } from '../../agent/linux/take-over/clear-interface.ts';
import { JOURNAL_FOLDER, Journal } from '../../agent/linux/take-over/journal.ts';
import { describeLeftover, findLeftovers, removeLeftover } from '../../agent/linux/take-over/leftovers.ts';
import { agentsOf, endProcesses, processesIn } from '../machine/processes.ts';
import { experimentFolder, experimentOf, RUN_FOLDER } from '../names.ts';
import { removeIfEmpty, removeLab } from '../platform/lab/lab-namespaces.ts';
import { experimentNames, readState } from './state.ts';

export interface Removed {
  readonly experiment: string;
  readonly namespaces: number;
  /** What was taken off interfaces that stay, one line each. */
  readonly givenBack: readonly string[];
}

/** How far a step is: `making endpoints 1,200 of 2,668`. */
export interface Progress {
  readonly doing: string;
  readonly done: number;
  readonly of: number;
}

type OnProgress = (progress: Progress) => void;

/**
 * Ends the experiment's agents (they take everything away on SIGTERM) and every process in its namespaces, then removes
 * namespaces and files. Everything else of a lab (interfaces, qdiscs, rules, BPF programs) lives in these namespaces and
 * goes with them; what a killed agent left on interfaces that stay is taken off them. Idempotent, needs no state file
 * for a lab, and may run twice at once: in `netfold down` and in the controller that sees its agents go.
 */
export async function removeExperiment(experiment: string, onProgress?: OnProgress): Promise<Removed> {
  markEnding(experiment);
  const state = readState(experiment);
  const namespaces = listNamespaces().filter((name) => experimentOf(name) === experiment);
  await endProcesses(() => [...new Set([...processesIn(namespaces), ...agentsOf(experiment)])]);
  const places = state?.existing ? state.endpoints : [];
  const givenBack = places.flatMap(({ name, namespace, ifindex }) => {
    const at = { namespace: namespacePath(namespace), ifindex };
    return clearInterface(at, new Journal()) ? [name] : [];
  });
  const removed = await removeLab(experiment, (done, of) =>
    onProgress?.({ doing: 'removing namespaces', done, of }),
  );
  rmSync(experimentFolder(experiment), { recursive: true, force: true });
  removeIfEmpty(RUN_FOLDER);
  removeIfEmpty(JOURNAL_FOLDER);
  return { experiment, namespaces: removed, givenBack };
}

/** What `removeAll` could not do. */
export interface Failure {
  readonly what: string;
  readonly error: Error;
}

/** Removes everything of netfold's on this machine, whatever tells of it. What fails doesn't keep the rest from going. */
export async function removeAll(
  onProgress?: OnProgress,
): Promise<{ removed: Removed[]; leftovers: string[]; failed: Failure[] }> {
  const removed: Removed[] = [];
  for (const experiment of experimentNames()) removed.push(await removeExperiment(experiment, onProgress));
  await endProcesses(() => agentsOf());
  const journal = new Journal();
  const leftovers: string[] = [];
  const failed: Failure[] = [];
  for (const leftover of findLeftovers({ journal })) {
    const what = describeLeftover(leftover);
    try {
      removeLeftover(leftover, journal);
      leftovers.push(what);
    } catch (error) {
      failed.push({ what, error: error as Error });
    }
  }
  return { removed, leftovers, failed };
}

/** Tells the experiment's own controller that its agents end on purpose. */
function markEnding(experiment: string): void {
  if (existsSync(experimentFolder(experiment))) writeFileSync(endingFile(experiment), '');
}

/** True once somebody takes the experiment away, or has. */
export function isEnding(experiment: string): boolean {
  return !existsSync(experimentFolder(experiment)) || existsSync(endingFile(experiment));
}

const endingFile = (experiment: string): string => join(experimentFolder(experiment), 'ending');
