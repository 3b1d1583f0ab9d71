/** Makes and removes the namespaces and links of a local lab. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { makeRouter } from '../../../agent/kernel/netns/ip-settings.ts';
import { listNamespaces, namespacePath } from '../../../agent/kernel/netns/namespace-files.ts';
import { createNamespaces, removeNamespaces } from '../../../agent/kernel/netns/namespaces.ts';
import { removeIfEmpty } from '../../machine/folders.ts';
import { refuseForeignSources } from './foreign-sources.ts';
import { connectEndpoints, connectHosts } from './lab-links.ts';
import { experimentOf, fabricNamespace, NETNS_ETC_FOLDER } from './lab-names.ts';
import type { LabEndpoint, LabPlan } from './lab-plan.ts';
import { linkNameFiles, type NameFiles, writeNameFiles } from './name-files.ts';

/**
 * Between two batches signals arrive and progress is shown. An endpoint takes 1 to 2 ms (docs/limits.md), so the wait
 * is at most some 0.1 s; the cost of a batch besides its endpoints is below 1 % of it.
 */
const BATCH = 64;

export interface LabWatch {
  /** Its `reason` is thrown between two batches. */
  readonly signal?: AbortSignal;
  /** Called after each batch with the number of endpoints made. */
  readonly onEndpoints?: (made: number) => void;
}

/** Creates the whole lab, or nothing: what was made is removed if a step fails, or if it is aborted. */
export async function createLab(plan: LabPlan, { signal, onEndpoints }: LabWatch = {}): Promise<void> {
  const routers = [fabricNamespace(plan.experiment), ...plan.hosts.map(({ namespace }) => namespace)];
  createNamespaces(routers);
  try {
    const files = writeNameFiles(plan);
    for (const name of routers) makeRouter(namespacePath(name), plan);
    if (plan.ipv6) for (const { namespace } of plan.hosts) refuseForeignSources(namespacePath(namespace));
    connectHosts(plan);
    for (let made = 0; made < plan.endpoints.length; ) {
      await turn();
      signal?.throwIfAborted();
      const batch = plan.endpoints.slice(made, made + BATCH);
      createEndpoints(batch, plan, files);
      made += batch.length;
      onEndpoints?.(made);
    }
    signal?.throwIfAborted();
  } catch (error) {
    await removeLab(plan.experiment);
    throw error;
  }
}

function createEndpoints(endpoints: readonly LabEndpoint[], plan: LabPlan, files: NameFiles): void {
  createNamespaces(endpoints.map(({ namespace }) => namespace));
  for (const { namespace } of endpoints) linkNameFiles(files, namespace);
  for (const [host, local] of Map.groupBy(endpoints, (endpoint) => endpoint.host))
    connectEndpoints(local, host, plan);
}

/**
 * Removes every namespace of an experiment, also those that no state file lists; returns how many there were.
 * `onRemoved` is called with the number of removed ones and of all.
 */
export async function removeLab(
  experiment: string,
  onRemoved?: (removed: number, of: number) => void,
): Promise<number> {
  const names = listNamespaces().filter((name) => experimentOf(name) === experiment);
  for (let index = 0; index < names.length; index += BATCH) {
    onRemoved?.(index, names.length);
    await turn();
    const batch = names.slice(index, index + BATCH);
    // The namespace is what is found after a kill, so it is removed last.
    for (const name of batch) rmSync(join(NETNS_ETC_FOLDER, name), { recursive: true, force: true });
    await removeNamespaces(batch);
  }
  removeIfEmpty(NETNS_ETC_FOLDER);
  return names.length;
}
