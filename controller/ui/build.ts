/**
 * Builds the dashboard's program, controller/ui/built/dashboard.js, with esbuild. It is kept in the repository, so that serving it
 * needs no bundler.
 *
 *   node controller/ui/build.ts            build
 *   node controller/ui/build.ts --check    fail when it is not what these sources give
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const FOLDER = import.meta.dirname;
export const BUNDLE_FILE = join(FOLDER, 'built/dashboard.js');

/** What the sources give, as bytes; the same on every machine. Throws where esbuild reports an error. */
export async function bundle(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, 'app/main.tsx')],
    absWorkingDir: FOLDER,
    outfile: BUNDLE_FILE,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'inline',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.css': 'text' },
    logLevel: 'warning',
    write: false,
  });
  return outputFiles[0]!.contents;
}

/** Whether the file is what the sources give. */
export async function isBundleCurrent(): Promise<boolean> {
  return Buffer.compare(await bundle(), readFileSync(BUNDLE_FILE)) === 0;
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(BUNDLE_FILE, await bundle());
  else if (!(await isBundleCurrent())) {
    console.error('controller/ui/built/dashboard.js is older than its sources: run `npm run build:ui`');
    process.exitCode = 1;
  }
}
