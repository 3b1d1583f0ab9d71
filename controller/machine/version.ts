/** Which netfold this is. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');

export function netfoldVersion(): string {
  const manifest = readFileSync(join(ROOT, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

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
