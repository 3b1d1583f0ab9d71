/**
 * A file system of its own for all that an experiment writes while it runs, so small that it can be filled: nothing else on the machine
 * lacks room. Who kills the process that made it has to unmount it (`umount /run/netfold/NAME`).
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPEN_FOLDER } from '../../agent/files/own-files.ts';
import { experimentFolder } from '../../controller/names.ts';
import type { LabPlan } from '../../controller/platform/lab/lab-plan.ts';
import type { Platform } from '../../controller/platform/port/platform.ts';
import { BenchError } from '../errors.ts';

/** The logs of four agents during a thousand faults, 9 MB each, and as much again. */
const DISK_BYTES = 72 << 20;
const BLOCK = Buffer.alloc(65_536);

/** The platform, with a disk of its own below the folder of each experiment. */
export function onSmallDisk(platform: Platform<LabPlan>): Platform<LabPlan> {
  return {
    ...platform,
    make: (plan, watch) => {
      mount(experimentFolder(plan.experiment));
      return platform.make(plan, watch);
    },
    remove: async (remains, onProgress) => {
      const facts = await platform.remove(remains, onProgress);
      unmount(experimentFolder(remains.experiment));
      return facts;
    },
  };
}

/** With what is in the folder. */
function mount(folder: string): void {
  const mode = `mode=${OPEN_FOLDER.toString(8)}`;
  carry(folder, () =>
    ran('mount', '-t', 'tmpfs', '-o', `size=${DISK_BYTES},${mode}`, 'netfold-bench', folder),
  );
}

/** What is on it stays in the folder. May have been done before. */
function unmount(folder: string): void {
  if (isSmall(folder)) carry(folder, () => ran('umount', '--lazy', folder));
}

function carry(folder: string, change: () => void): void {
  const aside = mkdtempSync(join(tmpdir(), 'netfold-disk-'));
  try {
    ran('cp', '-a', `${folder}/.`, aside);
    change();
    ran('cp', '-a', `${aside}/.`, folder);
  } finally {
    rmSync(aside, { recursive: true });
  }
}

/** Never `/run` itself, which others need. */
function isSmall(folder: string): boolean {
  try {
    const { blocks, bsize } = statfsSync(folder);
    return blocks * bsize === DISK_BYTES;
  } catch {
    return false;
  }
}

/** Leaves no block free. Returns the function that gives all of them back. Throws `BenchError` if the experiment has no disk of its own. */
export function fillDisk(experiment: string): () => void {
  const folder = experimentFolder(experiment);
  if (!isSmall(folder))
    throw new BenchError('FAULT_FAILED', `${folder} is on a disk that others use, and is not filled`);
  const filling = join(folder, 'filling');
  const descriptor = openSync(filling, 'w');
  try {
    for (;;) writeSync(descriptor, BLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(descriptor);
  }
  return () => rmSync(filling);
}

function ran(program: string, ...words: string[]): void {
  try {
    execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new BenchError('FAULT_FAILED', (error as Error).message.trim());
  }
}
