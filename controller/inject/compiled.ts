/**
 * What Node makes of netfold's modules before it runs them, for hosts: made once here, instead of by each host, which takes it
 * seconds of a processor. Names of files in it are relative to its folder (NODE_COMPILE_CACHE_PORTABLE), and Node looks whether an
 * entry is of the same Node and the same text: what does not fit costs nothing but room.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where bin/netfold has it, below the folder of netfold. */
export const COMPILED = 'node_modules/.cache/netfold-compiled';
const BESIDE = 'node_modules/.cache';
/** What agents load, in their process and in threads of theirs; the command line loads the rest. */
const ENTRIES = [
  'controller/experiment/join.ts',
  'controller/record/parts/own-part-thread.ts',
  'agent/linux/delay-line/worker.ts',
  'agent/names/worker.ts',
  'agent/traffic/worker.ts',
];
/** A thread's module that finds itself in a process fails when it is there. */
const LOAD = 'for (const file of process.argv.slice(1)) await import(file).catch(() => {}); process.exit();';

export interface Compiled {
  /** In the checkout, as far below it as `COMPILED`. */
  readonly folder: string;
  remove(): void;
}

/** `undefined`: it can't be made here; hosts do without. */
export async function compileForHosts(root: string): Promise<Compiled | undefined> {
  let folder: string;
  try {
    mkdirSync(join(root, BESIDE), { recursive: true });
    folder = mkdtempSync(join(root, BESIDE, 'netfold-bundle-'));
  } catch {
    return undefined;
  }
  const env = { ...process.env, NODE_COMPILE_CACHE: folder, NODE_COMPILE_CACHE_PORTABLE: '1' };
  const run = async (program: string, ...words: string[]): Promise<void> => {
    const child = spawn(program, words, { env, cwd: root, stdio: 'ignore' });
    await once(child, 'exit').catch(() => {});
  };
  const files = ENTRIES.map((file) => join(root, file));
  await run(join(root, 'bin/netfold'), '--version');
  await run(process.execPath, ...process.execArgv, '--input-type=module', '--eval', LOAD, '--', ...files);
  // Node keeps those of each user apart; on hosts it is root's.
  for (const name of readdirSync(folder)) {
    const ofRoot = name.replace(/-\d+$/, '-0');
    if (ofRoot !== name) renameSync(join(folder, name), join(folder, ofRoot));
  }
  return {
    folder: folder.slice(root.length + 1),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** All files below a folder of the checkout. */
export const filesOf = (root: string, folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
