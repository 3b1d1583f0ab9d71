// @ts-check
/** Finding and running other programs. */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, without a slash at its end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const NODE_24 = join(ROOT, 'node_modules', '.bin', 'node');

/** `su` keeps a user's PATH, which on Debian has no sbin, where tc and ip are. */
const ADMIN_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * @param {string | undefined} path a PATH
 * @returns {string} with the administrator's folders, each once
 */
export function withAdminFolders(path) {
  const folders = (path ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set([...folders, ...ADMIN_FOLDERS])].join(delimiter);
}

/**
 * npm must not run on the Node that it is about to replace.
 * @param {string | undefined} path a PATH
 * @param {string} [root]
 * @returns {string} without the folders of the checkout's own packages
 */
export function withoutOwnPackages(path, root = ROOT) {
  const own = join(root, 'node_modules');
  return (path ?? '')
    .split(delimiter)
    .filter((folder) => folder !== own && !folder.startsWith(`${own}/`))
    .join(delimiter);
}

/** @returns {NodeJS.ProcessEnv} the cache of what Node has compiled, as bin/netfold has it, which says why and when */
function compileCache() {
  const packages = join(ROOT, 'node_modules');
  const isOwn = statSync(packages, { throwIfNoEntry: false })?.uid === process.geteuid?.();
  return isOwn ? { NODE_COMPILE_CACHE: join(packages, '.cache', 'netfold-compiled') } : {};
}

/** @returns {NodeJS.ProcessEnv} an environment in which `node` is Node 24 and the system's tools are found */
export function runtimeEnv() {
  return {
    ...compileCache(),
    ...process.env,
    PATH: `${join(ROOT, 'node_modules', '.bin')}${delimiter}${withAdminFolders(process.env.PATH)}`,
  };
}

/**
 * @param {string} name
 * @param {string} [path] a PATH
 * @returns {string | undefined} the file that `name` would run
 */
export function findCommand(name, path = withAdminFolders(process.env.PATH)) {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not here: the next folder may have it.
    }
  }
  return undefined;
}

/**
 * @typedef {object} Outcome
 * @property {number} code exit code; 128 + signal if a signal ended it; 127 if it could not be started
 * @property {string} output standard output and error, as they came
 * @property {number} milliseconds
 */

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 */

/**
 * Runs a program and keeps what it prints. Never rejects.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Outcome>}
 */
export function capture(command, args, options = {}) {
  const started = Date.now();
  return new Promise((resolve) => {
    /** @type {Buffer[]} */
    const chunks = [];
    const end = (/** @type {number} */ code, /** @type {string} */ more = '') =>
      resolve({ code, output: Buffer.concat(chunks).toString() + more, milliseconds: Date.now() - started });
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => end(127, `${error.message}\n`));
    child.on('close', (code, signal) => end(exitCode(code, signal)));
  });
}

/** @type {readonly NodeJS.Signals[]} */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** A terminal's Ctrl-C arrives twice, directly and through npm; no user presses twice within this time. */
const SAME_SIGNAL_MS = 300;

/**
 * @template T
 * @param {(value: T) => void} pass
 * @param {() => number} now milliseconds
 * @returns {(value: T) => void} `pass`, deaf for a moment after each call
 */
export function withoutEchoes(pass, now) {
  let last = Number.NEGATIVE_INFINITY;
  return (value) => {
    if (now() - last < SAME_SIGNAL_MS) return;
    last = now();
    pass(value);
  };
}

/**
 * Runs a program on our terminal until it ends, passing SIGINT, SIGTERM and SIGHUP on to it, so that it can clean up.
 * It gets a process group of its own: otherwise Ctrl-C would reach it once for each process above it.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<number>} exit code, see `Outcome`; rejects if it can't be started
 */
export function runForeground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    /** @type {import('node:child_process').ChildProcess | undefined} */
    let child;
    const forward = withoutEchoes((/** @type {NodeJS.Signals} */ signal) => child?.kill(signal), Date.now);
    // Before the program starts: a signal that came in between would end us and leave it running.
    for (const signal of FORWARDED) process.on(signal, forward);
    const stopForwarding = () => {
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child = spawn(command, args, { ...options, stdio: 'inherit', detached: true });
    child.on('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.on('exit', (code, signal) => {
      stopForwarding();
      resolve(exitCode(code, signal));
    });
  });
}

/**
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
function exitCode(code, signal) {
  return code ?? 128 + (signal === null ? 0 : osConstants.signals[signal]);
}

/**
 * @param {string} text
 * @param {number} [count]
 * @returns {string} the last lines that say something, indented
 */
export function lastLines(text, count = 15) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n');
}
