/**
 * What netfold runs from where it is installed: all its modules as JavaScript, because Node strips no types below node_modules,
 * and the files that they read, each at its place in the checkout. `npm pack` does this first.
 *
 *   node deploy/package/compile.ts          into dist/
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../setup/processes.mjs';

/** Files that modules read or import, and that the compiler does not write. */
const ASSETS = [
  'bpf/netfold.bpf.o',
  'proto/generated/mesh.js',
  'topology/netfold.schema.json',
  'deploy/service/netfold@.service',
  'deploy/service/netfold.openrc',
  'controller/ui/built/dashboard.js',
  'controller/record/report/page.css',
  'controller/record/report/page-script.js',
  'controller/workbench/studies/page.css',
  'controller/workbench/studies/page-script.js',
];

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly files: readonly string[];
}

export const readManifest = (): Manifest =>
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

/** Replaces the folder `target`. Throws where the compiler reports an error. */
export function compile(target: string): void {
  const { name, version } = readManifest();
  rmSync(target, { recursive: true, force: true });
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const project = join(ROOT, 'deploy/package/tsconfig.json');
  execFileSync(process.execPath, [compiler, '-p', project, '--outDir', target, '--pretty', 'false'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const asset of ASSETS) {
    mkdirSync(dirname(join(target, asset)), { recursive: true });
    copyFileSync(join(ROOT, asset), join(target, asset));
  }
  // A module looks for the manifest where it is in a checkout.
  writeFileSync(join(target, 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`);
}

if (import.meta.main) compile(join(ROOT, 'dist'));
