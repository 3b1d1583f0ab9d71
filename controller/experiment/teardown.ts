/** Takes experiments away: with the help of their agents where they live, and without where they don't. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listNamespaces } from '../../agent/kernel/namespaces.ts';
import { removeIfEmpty, removeLab } from '../lab/lab.ts';
import { experimentFolder, experimentOf, RUN_FOLDER } from '../lab/names.ts';
import { endProcessesIn } from '../lab/processes.ts';
import { experimentNames } from './state.ts';

export interface Removed {
  readonly experiment: string;
  readonly namespaces: number;
}

/**
 * Ends every process in the experiment's namespaces (agents say goodbye on SIGTERM), then removes namespaces and
 * files. Everything else of an experiment (interfaces, qdiscs, rules, BPF programs) lives in these namespaces and goes
 * with them. Idempotent, needs no state file, and may run twice at once: in `netfold down` and in the controller that
 * sees its agents go.
 */
export async function removeExperiment(experiment: string): Promise<Removed> {
  markEnding(experiment);
  const namespaces = listNamespaces().filter((name) => experimentOf(name) === experiment);
  await endProcessesIn(namespaces);
  const removed = removeLab(experiment);
  rmSync(experimentFolder(experiment), { recursive: true, force: true });
  removeIfEmpty(RUN_FOLDER);
  return { experiment, namespaces: removed };
}

/** Removes everything of netfold's on this machine. */
export async function removeAll(): Promise<Removed[]> {
  const removed: Removed[] = [];
  for (const experiment of experimentNames()) removed.push(await removeExperiment(experiment));
  return removed;
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
