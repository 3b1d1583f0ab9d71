/** Which commit a folder is at, if it is in a repository of git. */
import { spawnSync } from 'node:child_process';

const LONGEST_MS = 2000;

/** Nothing that the repository itself names is run. `undefined`: in none, or git is not there. The template is of value without it. */
export function readGit(
  folder: string,
): { readonly commit: string; readonly isChanged: boolean } | undefined {
  const commit = git(folder, 'rev-parse', 'HEAD')?.trim();
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) return undefined;
  return { commit, isChanged: git(folder, 'status', '--porcelain', '--', '.') !== '' };
}

function git(folder: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', ['-c', 'core.fsmonitor=false', '-C', folder, ...args], {
    encoding: 'utf8',
    timeout: LONGEST_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? stdout : undefined;
}
