/** A topology in a file, in a folder of its own, for all tests of a file; and the command line that runs it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Finished, run } from './lab.ts';

export const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');

export const netfold = (...args: string[]): Promise<Finished> => run(NETFOLD, args);

export interface LabFile {
  readonly folder: string;
  readonly file: string;
}

/** Its paths are there once the first test begins; all of the folder goes after the last one. */
export function labFile(topology: string): LabFile {
  const made = { folder: '', file: '' };
  beforeAll(() => {
    made.folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
    made.file = join(made.folder, 'lab.yaml');
    writeFileSync(made.file, topology);
  });
  afterAll(() => rmSync(made.folder, { recursive: true }));
  return made;
}
