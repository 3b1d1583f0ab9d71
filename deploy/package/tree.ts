/** Trees of files that packages are made from: copied, and then the same whoever makes them, when, and with which umask. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { LockFile } from '../setup/lock-file.mjs';
import { ROOT } from '../setup/processes.mjs';
import { compile, readManifest } from './compile.ts';
import { isNeeded, productionFolders } from './production-packages.ts';

/** What npm takes into a package whatever `files` says. */
const ALWAYS = ['package.json', 'README.md', 'LICENSE'];

/** Makes `folder` what `npm pack` puts into the package. */
export function makePackage(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const path of [...ALWAYS, ...readManifest().files.filter((path) => path !== 'dist')])
    copy(join(ROOT, path), join(folder, path));
  compile(join(folder, 'dist'));
}

export interface Runtime {
  /** `node_modules` of an installation for the processor of the machines that the tree is for. */
  readonly packages: string;
  /** The program. */
  readonly node: string;
}

/** Adds the packages of npm that a tree needs at run time, Node among them. */
export function addPackages(folder: string, { packages, node }: Runtime): void {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as LockFile;
  for (const path of productionFolders(lock)) {
    const from = join(packages, relative('node_modules', path));
    // Of native packages, those for other machines are not installed.
    if (existsSync(from)) copyNeeded(from, folder, path);
  }
  copy(node, join(folder, 'node_modules/node/bin/node'));
  for (const licence of licencesBeside(node)) copy(licence, join(folder, 'node_modules/node/LICENSE'));
  mkdirSync(join(folder, 'node_modules/.bin'));
  symlinkSync('../node/bin/node', join(folder, 'node_modules/.bin/node'));
}

/** Where a release of Node, and the npm package that brings it, have Node's licence; at most one. */
function licencesBeside(node: string): string[] {
  const root = dirname(dirname(node));
  const brought = join(root, 'node_modules', `node-linux-${process.arch}`);
  return [root, brought]
    .map((folder) => join(folder, 'LICENSE'))
    .filter(existsSync)
    .slice(0, 1);
}

/** The package at `path`, without those inside of it, which the lock file names themselves. */
function copyNeeded(from: string, folder: string, path: string): void {
  for (const inside of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    const source = join(from, inside);
    if (inside.startsWith('node_modules') || !isNeeded(join(path, inside)) || !lstatSync(source).isFile())
      continue;
    const target = join(folder, path, inside);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target);
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}

/** Modes and times of everything below `folder`, and of itself. `epoch`: in seconds since 1970. */
export function normalise(folder: string, epoch: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) normalise(path, epoch);
    else {
      if (entry.isFile()) chmodSync(path, lstatSync(path).mode & 0o100 ? 0o755 : 0o644);
      lutimesSync(path, epoch, epoch);
    }
  }
  chmodSync(folder, 0o755);
  lutimesSync(folder, epoch, epoch);
}

/** Bytes of all files. */
export function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce(
    (sum, path) => sum + lstatSync(join(folder, path)).size,
    0,
  );
}
