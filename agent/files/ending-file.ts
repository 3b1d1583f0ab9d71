/** The mark of an experiment that is being removed, in its folder: its agents end on purpose, and are not started again. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { appendTo, PRIVATE_FILE } from './own-files.ts';

/** Marks the experiment of this folder. Throws system errors: `ENOENT` where it is removed already. */
export const markAsEnding = (folder: string): void => appendTo(endingFile(folder), '', PRIVATE_FILE);

/** True once the experiment is being removed, or was removed. */
export const isMarkedAsEnding = (folder: string): boolean =>
  !existsSync(folder) || existsSync(endingFile(folder));

const endingFile = (folder: string): string => join(folder, 'ending');
