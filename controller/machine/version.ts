/** Which netfold this is. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export { netfoldVersion } from '../../agent/files/version.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The commit of a checkout, with `+` if files differ from it; null of a package. */
export async function netfoldCommit(): Promise<string | null> {
  if (!existsSync(join(ROOT, '.git'))) return null;
  const git = async (...words: string[]): Promise<string> =>
    (await promisify(execFile)('git', ['-C', ROOT, ...words])).stdout.trim();
  try {
    const [commit, changed] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=no'),
    ]);
    return changed === '' ? commit : `${commit}+`;
  } catch {
    return null;
  }
}
