/** netfold's packages, built as `npm run build` does, and tried where the checkout can't be seen. */
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_24, ROOT } from '../../deploy/setup/processes.mjs';
import { type Finished, run } from './lab/lab.ts';

const EPOCH = '1700000000';

/** Runs words with this umask. */
export const underUmask = (
  umask: string,
  words: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<Finished> => run('sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', ...words], env);

/** Builds all packages into `out`. */
export async function buildPackages(out: string, umask: string): Promise<void> {
  const words = [NODE_24, join(ROOT, 'deploy/package/build.ts'), '--out', out];
  const { INIT_CWD: _, ...env } = process.env;
  const built = await underUmask(umask, words, { ...env, SOURCE_DATE_EPOCH: EPOCH });
  if (built.code !== 0) throw new Error(`the build failed:\n${built.out}${built.err}`);
}

export const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Runs a shell script where the checkout and its packages can't be seen, and nothing of this process' environment. */
export function withoutCheckout(script: string, ...args: string[]): Promise<Finished> {
  // The packages first: they may be below the checkout, and hidden with it.
  const hidden = [realpathSync(join(ROOT, 'node_modules')), ROOT];
  const hide = hidden.map((folder) => `mount -t tmpfs netfold-test '${folder}'`).join(' && ');
  const words = [
    'unshare',
    '--mount',
    '--propagation',
    'slave',
    'sh',
    '-c',
    `${hide} && cd / || exit 99\n${script}`,
  ];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', NO_COLOR: '1' };
  return run(words[0]!, [...words.slice(1), 'sh', ...args], env);
}
