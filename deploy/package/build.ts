/**
 * Builds netfold's packages, all of one tree: for npm, with its own Node as a tarball, and for Debian. The same commit gives the same
 * bytes, whoever builds where and when.
 *
 *   npm run build                                 into build/
 *   npm run build -- --out DIR
 *   npm run build -- --cpu arm64 --node FILE --packages DIR     for other machines (docs/packages.md)
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { NODE_24, ROOT } from '../setup/processes.mjs';
import { runMain, SetupError, sayDone } from '../setup/report.mjs';
import { writeDebianPackage, writeTarball } from './archives.ts';
import { readManifest } from './compile.ts';
import { DEBIAN_CPU, makeDebianTree } from './debian.ts';
import { addPackages, makePackage, normalise, type Runtime, sizeOf } from './tree.ts';

export interface BuildOptions extends Runtime {
  /** Where the packages are written. */
  readonly out: string;
  /** Node's name of the processor. */
  readonly cpu: string;
  /** Seconds since 1970: the time of every file. */
  readonly epoch: number;
}

/** The trees in `work`: what npm takes, and that with its own Node. */
export function makeTrees(work: string, { cpu, epoch, ...runtime }: Omit<BuildOptions, 'out'>) {
  const forNpm = join(work, 'package');
  const tree = join(work, `netfold-${readManifest().version}-linux-${cpu}`);
  makePackage(forNpm);
  cpSync(forNpm, tree, { recursive: true });
  addPackages(tree, runtime);
  for (const folder of [forNpm, tree]) normalise(folder, epoch);
  return { forNpm, tree };
}

/** Returns the files that it wrote: for npm, the tarball, for Debian. */
export async function build({ out, ...options }: BuildOptions): Promise<string[]> {
  const { cpu, epoch } = options;
  const { version } = readManifest();
  mkdirSync(out, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'netfold-build-'));
  try {
    const { forNpm, tree } = makeTrees(work, options);
    const debian = join(work, 'debian');
    makeDebianTree(debian, tree, { version, cpu, kibibytes: Math.ceil(sizeOf(tree) / 1024) });
    normalise(debian, epoch);
    const names = [
      `netfold-${version}.tgz`,
      `netfold-${version}-linux-${cpu}.tar.gz`,
      `netfold_${version}_${DEBIAN_CPU[cpu]}.deb`,
    ];
    const files = names.map((name) => join(out, name));
    await Promise.all([
      writeTarball(forNpm, files[0]!, epoch),
      writeTarball(tree, files[1]!, epoch),
      writeDebianPackage(debian, files[2]!, epoch),
    ]);
    return files;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** That of the commit; a tree without history has to be told one (https://reproducible-builds.org/specs/source-date-epoch/). */
export function sourceEpoch(env: NodeJS.ProcessEnv = process.env): number {
  const text = env.SOURCE_DATE_EPOCH ?? timeOfCommit();
  if (text === undefined || !/^\d{1,10}$/.test(text))
    throw new SetupError(
      'the time of the sources is not known: no SOURCE_DATE_EPOCH in whole seconds, and no commit\n  e.g. SOURCE_DATE_EPOCH=1700000000 npm run build',
    );
  return Number(text);
}

function timeOfCommit(): string | undefined {
  try {
    return execFileSync('git', ['-C', ROOT, 'log', '-1', '--format=%ct'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

/** Throws `SetupError` for a processor that there is no package for, and where files for another one are missing. */
function readOptions(): BuildOptions {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: join(ROOT, 'build') },
      cpu: { type: 'string', default: process.arch },
      node: { type: 'string' },
      packages: { type: 'string' },
    },
  });
  const { cpu, node, packages } = values;
  if (DEBIAN_CPU[cpu] === undefined)
    throw new SetupError(`--cpu ${cpu}: write ${Object.keys(DEBIAN_CPU).join(' or ')}`);
  if (cpu !== process.arch && (node === undefined || packages === undefined))
    throw new SetupError(
      `a package for ${cpu} needs --node FILE and --packages DIR of such a machine\n  docs/packages.md says how to get them`,
    );
  return {
    out: resolve(process.env.INIT_CWD ?? '.', values.out),
    cpu,
    node: realpathSync(node ?? NODE_24),
    packages: packages ?? join(ROOT, 'node_modules'),
    epoch: sourceEpoch(),
  };
}

if (import.meta.main) {
  await runMain(async () => {
    const files = await build(readOptions());
    const sums = files.map(
      (file) => `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}`,
    );
    for (const [index, file] of files.entries())
      sayDone(`${file} (${(statSync(file).size / 1e6).toFixed(1)} MB)\n    ${sums[index]!.slice(0, 64)}`);
    writeFileSync(join(files[0]!, '../SHA256SUMS'), `${sums.join('\n')}\n`);
    return 0;
  });
}
