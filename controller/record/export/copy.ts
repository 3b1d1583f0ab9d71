/** The files of a record, into a folder of its own for somebody else. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DESCRIPTION, hashesOf } from '../description.ts';

export interface CopiedFile {
  /** From the record's folder, as in `record.json`. */
  readonly path: string;
  readonly sha256: string | undefined;
}

/** Of what is no regular file nothing is copied. `to` exists. In the order of their names. Throws system errors. */
export async function copyRecord(record: string, to: string): Promise<CopiedFile[]> {
  const hashes = await hashesOf(record);
  const paths = [DESCRIPTION, ...Object.keys(hashes)];
  for (const path of paths) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    copyFileSync(join(record, path), join(to, path));
  }
  return paths.map((path) => ({ path, sha256: hashes[path] }));
}
