/** Which netfold this is. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export { netfoldVersion } from '../../agent/files/version.ts';

const ROOT = join(import.meta.dirname, '../..');

let commit: Promise<string | null> | undefined;

/** The commit of a checkout, with `+` if files differ from it; null of a package. Of the code that runs: it is asked once. */
export function netfoldCommit(): Promise<string | null> {
  commit ??= readCommit();
  return commit;
}

async function readCommit(): Promise<string | null> {
  if (!existsSync(join(ROOT, '.git'))) return null;
  const git = async (...words: string[]): Promise<string> =>
    (await promisify(execFile)('git', ['-C', ROOT, ...words])).stdout.trim();
  try {
    const [head, changed] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=no'),
    ]);
    return changed === '' ? head : `${head}+`;
  } catch {
    return null;
  }
}
