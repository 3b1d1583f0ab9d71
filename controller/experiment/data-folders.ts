/** Folders for each endpoint of this machine: for its data, and for what it leaves for the record. Part of the experiment's folder, and removed with it. */
import { chmodSync, existsSync, lchownSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { makeFolder, OPEN_FOLDER } from '../../agent/files/own-files.ts';
import type { Topology } from '../../topology/model/model.ts';
import { serviceOf } from '../../topology/model/names.ts';
import { dataFolder, experimentFolder, outFolder, RUN_FOLDER } from '../names.ts';
import type { Plan } from '../platform/port/plan.ts';
import type { Account } from './service-settings.ts';

/**
 * Makes those that are missing, with the folder below them in which commands start; what a killed agent's endpoints
 * have written stays. `accounts`: service → the user whose folders they are; of the others they are this user's.
 */
export function makeDataFolders(
  { experiment, endpoints }: Pick<Plan, 'experiment' | 'endpoints'>,
  { services }: Topology,
  accounts: ReadonlyMap<string, Account>,
): void {
  const below = new Map(services.map(({ name, cwd }) => [name, cwd?.path ?? '.']));
  for (const { name } of endpoints) {
    const folder = dataFolder(experiment, name);
    // What is in it is its user's, who may have put links there: root neither makes nor changes anything below it again.
    if (existsSync(folder)) continue;
    const service = serviceOf(name);
    const account = accounts.get(service);
    const out = outFolder(experiment, name);
    makeFolder(out, OPEN_FOLDER);
    if (account) lchownSync(out, account.uid, account.gid);
    const cwd = below.get(service) ?? '.';
    const steps = isAbsolute(cwd) ? [] : normalize(cwd).split('/');
    const folders = ['.', ...steps].map((_, index) => join(folder, ...steps.slice(0, index)));
    makeFolder(folders.at(-1)!, OPEN_FOLDER);
    // The lowest first, before it can be exchanged for something else.
    if (account) for (const one of folders.toReversed()) lchownSync(one, account.uid, account.gid);
  }
  if (accounts.size > 0)
    letPass([RUN_FOLDER, experimentFolder(experiment), dirname(dataFolder(experiment, 'any'))]);
}

/** An administrator may have closed them; others could not reach the folders that are theirs. Listing stays as it was. */
function letPass(folders: readonly string[]): void {
  for (const folder of folders) chmodSync(folder, statSync(folder).mode | 0o011);
}
