/** Removes experiments, on any platform. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EndpointGroups, experimentsWithGroups } from '../../agent/endpoints/endpoint-groups.ts';
import { isMarkedAsEnding, markAsEnding } from '../../agent/files/ending-file.ts';
import { detachMounts } from '../../agent/kernel/groups/detach-mounts.ts';
import type { NetfoldError } from '../../proto/errors.ts';
import { keepLogs } from '../logs/kept.ts';
import { removeFolder, removeIfEmpty } from '../machine/folders.ts';
import { agentsOf, agentsToEnd, endProcesses } from '../machine/processes.ts';
import { describeMessenger, endMessengers } from '../messenger/end-messengers.ts';
import { experimentFolder, isTokenFile, logFolderOf, RUN_FOLDER } from '../names.ts';
import type { Leftover, Platform } from '../platform/port/platform.ts';
import { openPlatforms, platformsFor } from '../platform/registry.ts';
import type { OnProgress } from '../progress.ts';
import { endRecordOf, untilRecordEnds } from '../record/open.ts';
import { joinAtEnd } from '../record/parts/at-end.ts';
import { recordOf } from '../record/writer.ts';
import { keepIfSwapped } from '../swapped/kept.ts';
import { isNoRoom, withCode } from '../system-errors.ts';
import { type ExperimentState, experimentNames, readState } from './state.ts';

export interface Removed {
  readonly experiment: string;
  /** What was done, one phrase each: `6 namespaces removed`. */
  readonly facts: readonly string[];
  /** What is lost, one sentence each. */
  readonly problems: readonly string[];
}

/**
 * Ends the experiment's agents (they remove everything on SIGTERM) and every process in what was made for it, then
 * removes places and files. Idempotent. Without a state file all platforms are asked. May run twice at once: in
 * `netfold down` and in the controller that sees its agents end. If a platform fails, the files stay, so that it can
 * be tried again.
 */
export async function removeExperiment(
  experiment: string,
  onProgress?: OnProgress,
  platform?: Platform,
): Promise<Removed> {
  const agents = agentsToEnd(experiment);
  markEnding(experiment);
  const state = readState(experiment);
  const platforms = platform ? [platform] : await platformsFor(state?.platform);
  const remains = { experiment, endpoints: state?.endpoints ?? [], agents };
  const facts: string[] = [];
  for (const one of platforms) facts.push(...(await one.remove(remains, onProgress)));
  const record = recordOf(experiment);
  const problems = [
    ...(await endGroups(experiment, state)),
    // Before its logs go.
    ...(await endRecordOf(experiment)),
    ...keptIfSwapped(experiment),
    ...keepLogsOf(experiment, state),
  ];
  for (const at of detachMounts(experimentFolder(experiment))) facts.push(`unmounted ${at}`);
  removeFolder(experimentFolder(experiment));
  removeIfEmpty(RUN_FOLDER);
  if (record !== undefined) {
    await untilRecordEnds(record);
    await joinAtEnd(record, (line) => facts.push(line));
  }
  return { experiment, facts, problems };
}

/** What can't be kept must not be removed: throws then, and the files stay. */
function keptIfSwapped(experiment: string): string[] {
  keepIfSwapped(experiment);
  return [];
}

/**
 * Ends what is left in the control groups of its endpoints, and removes them. Without a state file, of all endpoints: agents
 * of one experiment may be on one machine apart from each other. Returns what could not be done, in words.
 */
async function endGroups(experiment: string, state: ExperimentState | undefined): Promise<string[]> {
  const groups = new EndpointGroups(experiment);
  const mine = state && new Set(state.endpoints.map(({ name }) => name));
  const names = groups.names().filter((name) => mine?.has(name) ?? true);
  if (await groups.end(names, sleep)) return [];
  return [`processes in the control groups of ${experiment} can't be ended: ${groups.names().join(' ')}`];
}

/**
 * Keeps what `netfold logs` shows of an experiment whose processes have ended. A full disk must not keep the rest from being
 * removed: returns what went wrong, in words.
 */
export function keepLogsOf(experiment: string, state = readState(experiment)): string[] {
  const logFolder = logFolderOf(experiment);
  try {
    keepLogs({ name: experiment, logFolder, ...(state && { state }) });
    // Before the state file, so that whoever removes the experiment at the same time never finds only a part of them.
    removeFolder(logFolder);
    return [];
  } catch (error) {
    // Whoever removes the experiment at the same time has kept them, and removed them here.
    if (!existsSync(logFolder)) return [];
    const { message, remedy } = withCode(error) as Partial<NetfoldError> & Error;
    return [`its logs could not be kept: ${message}${remedy === undefined ? '' : ` (${remedy})`}`];
  }
}

/** A failure of `removeAll`. */
export interface Failure {
  readonly what: string;
  readonly error: Error;
}

/**
 * Removes everything of netfold's on this machine, by whatever mark. A failure doesn't keep the rest from being
 * removed.
 */
export async function removeAll(
  onProgress?: OnProgress,
  platforms?: readonly Platform[],
): Promise<{ removed: Removed[]; leftovers: string[]; failed: Failure[] }> {
  const removed: Removed[] = [];
  const leftovers: string[] = [];
  const failed: Failure[] = [];
  const attempt = async (what: string, action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      failed.push({ what, error: error as Error });
    }
  };
  for (const name of await experimentNames()) {
    await attempt(`the experiment ${name}`, async () => {
      removed.push(await removeExperiment(name, onProgress));
    });
  }
  for (const name of experimentsWithGroups())
    await attempt(`the control groups of ${name}`, async () => {
      await endGroups(name, undefined);
      leftovers.push(`the control groups of ${name}`);
    });
  await endProcesses(() => agentsOf());
  await attempt('messengers of experiments that have ended', async () => {
    leftovers.push(...(await endMessengers()).map(describeMessenger));
  });
  leftovers.push(...removeTokens());
  for (const platform of platforms ?? (await openPlatforms())) {
    await attempt(`what the platform ${platform.name} has here`, async () => {
      for (const leftover of await strays(platform)) {
        await attempt(leftover.what, async () => {
          await leftover.remove();
          leftovers.push(leftover.what);
        });
      }
    });
  }
  return { removed, leftovers, failed };
}

/** Of servers of the API: a killed one leaves its token. One that runs goes on with it. */
function removeTokens(): string[] {
  const files = existsSync(RUN_FOLDER) ? readdirSync(RUN_FOLDER).filter(isTokenFile) : [];
  for (const file of files) rmSync(join(RUN_FOLDER, file), { force: true });
  removeIfEmpty(RUN_FOLDER);
  return files.map((file) => `the token ${file}`);
}

/** Leftovers whose experiment is not known. */
async function strays(platform: Platform): Promise<Leftover[]> {
  return (await platform.findLeftovers('machine')).filter(({ experiment }) => experiment === undefined);
}

/** Informs the experiment's own controller that its agents end on purpose. */
function markEnding(experiment: string): void {
  try {
    markAsEnding(experimentFolder(experiment));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    // Removal is what makes room. Until the folder is gone, its controller may start an agent once more, which then ends.
    if (!isNoRoom(error)) throw error;
  }
}

/** True once the experiment is being removed, or was removed. */
export function isEnding(experiment: string): boolean {
  return isMarkedAsEnding(experimentFolder(experiment));
}
