// @ts-check
/** The npm packages, Node 24 among them: `npm ci` where node_modules is not what package-lock.json says. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { leftOut, whyInstall } from './lock-file.mjs';
import {
  capture,
  findCommand,
  lastLines,
  NODE_24,
  ROOT,
  withAdminFolders,
  withoutOwnPackages,
} from './processes.mjs';
import { formatSeconds, SetupError, sayDoing, sayDone } from './report.mjs';

/** @typedef {import('./lock-file.mjs').LockFile} LockFile */

/** Runs TypeScript as it is, and is what libp2p needs. */
const MIN_NODE = 24;
/** Used only where the system's npm leaves packages out; any that knows lock files of version 3 would do. */
const OWN_NPM = 'npm@11';

/**
 * Installs the packages of package-lock.json; prints and changes nothing if they are there.
 * @returns {Promise<void>} rejects with a `SetupError` that names the remedy
 */
export async function ensureNodePackages() {
  const wanted = readLock('package-lock.json');
  if (wanted === undefined) {
    throw new SetupError(
      'package-lock.json is missing or broken\n  restore it: git checkout package-lock.json',
    );
  }
  const why =
    whyInstall(wanted, readInstalled(), platform(), (path) => existsSync(join(ROOT, path))) ??
    ((await probeRuntime()).good ? undefined : `there is no Node ${MIN_NODE} in it`);
  if (why === undefined) return;
  sayDoing(`installing npm packages and Node ${MIN_NODE} into node_modules (npm ci): ${why}`);
  const started = Date.now();
  const path = withoutOwnPackages(withAdminFolders(process.env.PATH));
  await npm(['ci'], ROOT, path);
  if (leftOut(wanted, readInstalled(), platform()).length > 0) await installWithOwnNpm(wanted, path);
  await giveToOwner();
  const runtime = await probeRuntime();
  if (!runtime.good) throw new SetupError(explainRuntime(runtime.says));
  sayDone(`installed in ${formatSeconds(Date.now() - started)}`);
}

/** After `sudo npm start` in a user's checkout, that user's own npm must still be able to change node_modules. */
async function giveToOwner() {
  const { uid, gid } = statSync(ROOT);
  if (process.getuid?.() !== 0 || uid === 0) return;
  const { code, output } = await capture('chown', ['-R', '-h', `${uid}:${gid}`, join(ROOT, 'node_modules')]);
  if (code !== 0)
    throw new SetupError(`node_modules can't be given to the owner of ${ROOT}:\n${lastLines(output)}`);
}

/**
 * npm leaves out optional packages that ask for a newer Node than it runs on itself: install with npm on our Node.
 * @param {LockFile} wanted
 * @param {string} path where the system's npm is
 */
async function installWithOwnNpm(wanted, path) {
  sayDoing('installing once more with a newer npm: the one here runs on too old a Node for some packages');
  const folder = mkdtempSync(join(tmpdir(), 'netfold-npm-'));
  try {
    const node = `node@${wanted.packages?.['node_modules/node']?.version}`;
    await npm(['install', '--no-save', '--prefix', folder, node, OWN_NPM], folder, path);
    await npm(['ci'], ROOT, `${join(folder, 'node_modules', '.bin')}${delimiter}${path}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const still = leftOut(wanted, readInstalled(), platform());
  if (still.length > 0) {
    throw new SetupError(
      `npm leaves out ${still.join(', ')}, which this machine needs\n  see whether npm is told to: npm config get omit`,
    );
  }
}

/**
 * @param {string[]} args
 * @param {string} cwd
 * @param {string} path
 */
async function npm(args, cwd, path) {
  const command = findCommand('npm', path);
  if (command === undefined) {
    throw new SetupError(
      'there is no npm on the PATH\n  install it: sudo apt-get install npm (or from https://nodejs.org)',
    );
  }
  // NODE_ENV=production would leave out what `npm test` needs, and the two commands would undo each other's work.
  // Packages may ask for a newer Node than npm runs on: what runs them is the one that comes with them.
  const settings = [
    '--include=dev',
    '--include=optional',
    '--engine-strict=false',
    '--no-audit',
    '--no-fund',
  ];
  const { code, output } = await capture(command, [...args, ...settings], {
    cwd,
    env: { ...process.env, PATH: path },
  });
  if (code !== 0) {
    throw new SetupError(
      `npm ${args[0]} failed:\n${npmErrors(output)}\n  when that is mended, run the same command again (npm's settings: npm config list)`,
    );
  }
}

/**
 * @param {string} output of npm
 * @returns {string} what it says about the failure, without its help page
 */
export function npmErrors(output) {
  const errors = output
    .split('\n')
    .map((line) => /^npm (?:error|ERR!)\s+(.+)$/.exec(line)?.[1])
    .filter((line) => line !== undefined);
  const help = errors.indexOf('Clean install a project');
  const shown = (help === -1 ? errors : errors.slice(0, help)).slice(0, 15);
  return shown.length === 0 ? lastLines(output) : shown.map((line) => `    ${line}`).join('\n');
}

/** @returns {import('./lock-file.mjs').Platform} */
function platform() {
  const isGlibc = ['/lib', '/lib64'].some(
    (folder) => existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('ld-linux-')),
  );
  return { os: process.platform, cpu: process.arch, libc: isGlibc ? 'glibc' : 'musl' };
}

/** @returns {LockFile | undefined} */
function readInstalled() {
  return readLock('node_modules/.package-lock.json');
}

/**
 * @param {string} file in the checkout
 * @returns {LockFile | undefined} undefined where it is missing or was cut off
 */
function readLock(file) {
  try {
    return JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * @param {string} output of `node --version`
 * @returns {number | undefined} the major version
 */
export function majorOf(output) {
  const match = /^v(\d+)\./.exec(output.trim());
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** @returns {Promise<{ good: boolean, says: string }>} */
async function probeRuntime() {
  if (!existsSync(NODE_24)) return { good: false, says: 'is not there' };
  const { code, output } = await capture(NODE_24, ['--version']);
  const major = code === 0 ? majorOf(output) : undefined;
  if (major === undefined) return { good: false, says: `does not run (${output.trim().split('\n')[0]})` };
  return { good: major >= MIN_NODE, says: `is ${output.trim()}` };
}

/** @param {string} says what the installed Node is like */
function explainRuntime(says) {
  return [
    `node_modules/.bin/node ${says}; netfold needs Node ${MIN_NODE} or newer there`,
    '  The npm package "node" brings it by an install script. If npm is told not to run install scripts',
    '  (see: npm config get ignore-scripts), allow them for this once:',
    '    npm ci --ignore-scripts=false',
    `  Where that Node can't run (Alpine's musl, for one), put another Node ${MIN_NODE} there:`,
    `    ln -sf "$(command -v node)" node_modules/.bin/node`,
  ].join('\n');
}
