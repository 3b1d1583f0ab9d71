import { existsSync, rmdirSync, rmSync } from 'node:fs';

/** Others may have files in it, or have removed it. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT' && code !== 'EBUSY') throw error;
  }
}

/** Each try removes more, and nobody makes more than a file or two meanwhile. */
const TRIES = 100;

/**
 * Removes the folder with everything in it, also while another process does the same or still writes to it: Node's own
 * then fails with ENOTEMPTY, or stops at the first file that the other has removed and takes that for the end. Throws
 * system errors.
 */
export function removeFolder(folder: string): void {
  for (let left = TRIES; left > 0 && existsSync(folder); left--) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || left === 1) throw error;
    }
  }
}
