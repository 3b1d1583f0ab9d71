/**
 * What is kept of an experiment that was swapped out: its folder without what belongs to processes. Whoever removes an experiment that
 * is marked does this first: the command, or the controller that sees its agents end.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder, OPEN_FILE, PRIVATE_FOLDER, replaceFile } from '../../agent/files/own-files.ts';
import { ControllerError } from '../errors.ts';
import { readJson } from '../machine/holder.ts';
import { experimentFolder } from '../names.ts';

/** Another one for those who must not mix with the user's: the tests. */
const swappedRoot = (): string => process.env.NETFOLD_SWAPPED || '/var/lib/netfold/swapped';

export const swappedFolder = (experiment: string): string => join(swappedRoot(), experiment);

const MARK = 'swap.json';
const FACTS = 'swapped.json';
const DRAFT = '.draft-';
/** The pointer to the record of its run, and where it stands then: the next run has one of its own. */
const POINTER = 'record.json';
const RECORD_ANEW = 'record.anew';

interface RecordPointer {
  readonly folder: string;
}

const factsSchema = z.object({
  experiment: z.string(),
  swappedAt: z.string(),
  /** Of the timeline. */
  elapsedMs: z.number(),
});
export type SwapFacts = z.infer<typeof factsSchema>;

/** From now on its removal keeps it. Throws `ControllerError` (`NO_ROOM`, `SWAP_EXISTS`) and system errors. */
export function markSwap(facts: SwapFacts): void {
  const { experiment } = facts;
  if (existsSync(swappedFolder(experiment)))
    throw new ControllerError(
      'SWAP_EXISTS',
      `another ${experiment} is swapped out already`,
      `bring it back under its name, or remove it: netfold swap rm ${experiment}`,
    );
  makeFolder(swappedRoot(), PRIVATE_FOLDER);
  const needed = sizeOf(experimentFolder(experiment));
  const { bavail, bsize } = statfsSync(swappedRoot());
  if (bavail * bsize < 2 * needed)
    throw new ControllerError(
      'NO_ROOM',
      `${experiment} has ${needed} bytes of files, and ${swappedRoot()} has room for ${bavail * bsize}`,
      'make room there; the experiment goes on',
    );
  replaceFile(join(experimentFolder(experiment), MARK), JSON.stringify(facts), { mode: OPEN_FILE });
}

/** Does nothing for an experiment that is not marked. Throws system errors; then its folder must stay. */
export function keepIfSwapped(experiment: string): void {
  const folder = experimentFolder(experiment);
  const facts = factsSchema.safeParse(readJson(join(folder, MARK)));
  const to = swappedFolder(experiment);
  if (!facts.success || existsSync(to)) return;
  makeFolder(swappedRoot(), PRIVATE_FOLDER);
  const draft = mkdtempSync(join(swappedRoot(), DRAFT));
  try {
    copyAll(folder, draft);
    leaveOut(draft);
    replaceFile(join(draft, FACTS), JSON.stringify(facts.data), { mode: OPEN_FILE });
    renameSync(draft, to);
  } catch (error) {
    // Somebody else who removes it was faster.
    if (!existsSync(to)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** With owners, modes and links. Throws `ControllerError` (`SWAP_FAILED`). */
export function copyAll(from: string, to: string): void {
  const { status, stderr, error } = spawnSync('cp', ['-a', `${from}/.`, to], { encoding: 'utf8' });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n')[0];
  throw new ControllerError(
    'SWAP_FAILED',
    `${from} can't be copied to ${to}: ${why}`,
    'make room, or see the message',
  );
}

/** Sockets, marks, logs (which `netfold logs` keeps), and what says which commands run. Of logs only the commands that users gave stay. */
function leaveOut(folder: string): void {
  const record = readJson<RecordPointer>(join(folder, POINTER));
  for (const name of [MARK, POINTER, 'ending', 'agents'])
    rmSync(join(folder, name), { recursive: true, force: true });
  for (const name of readdirSync(folder))
    if (lstatSync(join(folder, name)).isSocket()) rmSync(join(folder, name));
  const logs = join(folder, 'logs');
  if (existsSync(logs))
    for (const name of readdirSync(logs))
      if (!name.endsWith('.commands')) rmSync(join(logs, name), { recursive: true, force: true });
  if (record) replaceFile(join(folder, RECORD_ANEW), JSON.stringify(record), { mode: OPEN_FILE });
}

function sizeOf(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.reduce((sum, entry) => {
    const found = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    return sum + (found?.isFile() ? found.size : 0);
  }, 0);
}

/** Those that are swapped out, by name. */
export function swappedOnes(): SwapFacts[] {
  if (!existsSync(swappedRoot())) return [];
  return readdirSync(swappedRoot())
    .filter((name) => !name.startsWith('.'))
    .sort()
    .flatMap((name) => factsSchema.safeParse(readJson(join(swappedFolder(name), FACTS))).data ?? []);
}

/** Throws `ControllerError` (`SWAP_UNKNOWN`). */
export function swapped(experiment: string): SwapFacts {
  const found = swappedOnes().find((one) => one.experiment === experiment);
  if (found) return found;
  const all = swappedOnes().map((one) => one.experiment);
  throw new ControllerError(
    'SWAP_UNKNOWN',
    `no experiment "${experiment}" is swapped out`,
    all.length === 0 ? 'netfold swap out NAME does that' : `there are: ${all.join(', ')}`,
  );
}

/** The folder of an experiment as it was, without the facts. */
export function restoreFolder(experiment: string): void {
  copyAll(swappedFolder(experiment), experimentFolder(experiment));
  rmSync(join(experimentFolder(experiment), FACTS), { force: true });
}

export function forget(experiment: string): void {
  rmSync(swappedFolder(experiment), { recursive: true, force: true });
}

/** The folder of the record that an experiment had which is taken over, and was swapped in just now; `undefined`: it was not, or had none. */
export function takeRecordAnew(experiment: string): string | undefined {
  const file = join(experimentFolder(experiment), RECORD_ANEW);
  if (!existsSync(file)) return undefined;
  const { folder = '' } = readJson<Partial<RecordPointer>>(file) ?? {};
  rmSync(file);
  return folder;
}
