// @ts-check
/** Whether the packages that netfold needs are on this machine, and how they get there. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, findCommand, lastLines, withAdminFolders } from './processes.mjs';
import { formatSeconds, SetupError, sayDoing, sayDone } from './report.mjs';
import { needsFor } from './system-needs.mjs';

/** @typedef {import('./machine.mjs').Machine} Machine */
/** @typedef {import('./machine.mjs').PackageManager} PackageManager */
/** @typedef {import('./system-needs.mjs').Need} Need */
/** @typedef {import('./system-needs.mjs').Probe} Probe */
/** @typedef {import('./system-needs.mjs').Purpose} Purpose */

/**
 * Where the dynamic linker looks beside its cache, which musl doesn't have.
 * @returns {string[]}
 */
function libraryFolders() {
  const roots = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'];
  const multiarch = roots.flatMap((root) => {
    if (!existsSync(root)) return [];
    return readdirSync(root)
      .filter((name) => name.includes('-linux-'))
      .map((name) => join(root, name));
  });
  return [
    ...(process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== ''),
    ...roots,
    ...multiarch,
  ];
}

/**
 * @param {Probe} probe
 * @returns {Promise<boolean>} whether this machine has it
 */
export async function isThere(probe) {
  if ('file' in probe) return existsSync(probe.file);
  if ('library' in probe) {
    const cache = await capture('ldconfig', ['-p'], {
      env: { ...process.env, PATH: withAdminFolders(process.env.PATH) },
    });
    if (cache.code === 0 && cache.output.split(/\s+/).includes(probe.library)) return true;
    return libraryFolders().some((folder) => existsSync(join(folder, probe.library)));
  }
  const file = findCommand(probe.command);
  if (file === undefined) return false;
  return probe.says === undefined || (await capture(file, probe.args ?? [])).output.includes(probe.says);
}

/**
 * @param {readonly Need[]} needs
 * @param {(probe: Probe) => Promise<boolean>} [probeIt]
 * @returns {Promise<Need[]>} those of which anything is missing
 */
export async function findMissing(needs, probeIt = isThere) {
  /** @type {Need[]} */
  const missing = [];
  for (const need of needs) {
    const there = await Promise.all(need.probes.map(probeIt));
    if (there.includes(false)) missing.push(need);
  }
  return missing;
}

/** @type {Readonly<Record<PackageManager, { label: string, command: string }>>} */
const INSTALL = {
  apt: { label: 'Debian, Ubuntu', command: 'apt-get install' },
  dnf: { label: 'Fedora', command: 'dnf install' },
  apk: { label: 'Alpine', command: 'apk add' },
  pacman: { label: 'Arch', command: 'pacman -S --needed' },
};

/**
 * @param {readonly Need[]} needs
 * @param {PackageManager} manager
 * @returns {string[]} the names of their packages, each once
 */
function packageNames(needs, manager) {
  return [...new Set(needs.flatMap((need) => need.packages[manager].split(' ')))];
}

/**
 * @param {readonly Need[]} needs
 * @param {PackageManager | undefined} family
 * @returns {string} one line for each distribution that it may be
 */
function installCommands(needs, family) {
  const managers = family === undefined ? /** @type {PackageManager[]} */ (Object.keys(INSTALL)) : [family];
  return managers
    .map(
      (manager) =>
        `    ${INSTALL[manager].label}: sudo ${INSTALL[manager].command} ${packageNames(needs, manager).join(' ')}`,
    )
    .join('\n');
}

/** @type {Readonly<Record<Purpose, string>>} */
const COMMANDS = {
  start: 'npm start',
  test: 'npm test',
  browser: 'npm run test:browser',
  metrics: 'npm run test:metrics',
  kubernetes: 'npm run test:kubernetes',
};

/**
 * @param {Machine} machine
 * @param {readonly Need[]} missing
 * @param {Purpose} purpose
 * @returns {string | undefined} what keeps set-up from going on here and what to do; undefined: nothing
 */
export function explainRefusal(machine, missing, purpose) {
  const command = COMMANDS[purpose];
  if (machine.platform !== 'linux') {
    return `netfold shapes packets in the Linux kernel; this is ${machine.name}\n  run ${command} in a Linux machine, a virtual one is enough`;
  }
  const asRoot = `sudo ${command}      (if sudo finds no npm: sudo env "PATH=$PATH" ${command})`;
  if (machine.isRoot && (missing.length === 0 || machine.canInstall)) return undefined;
  if (missing.length === 0)
    return `${command} needs root: it makes network namespaces\n  run as root:\n    ${asRoot}`;
  const wants = missing.map((need) => `    ${probeNames(need)}: ${need.why}`).join('\n');
  if (machine.canInstall) {
    const names = packageNames(missing, 'apt').join(' ');
    return `${command} needs root: it makes network namespaces, and would install ${names}\n  run as root:\n    ${asRoot}`;
  }
  const reason = machine.family === 'apt' ? 'without apt-get' : 'not Debian or Ubuntu';
  return [
    `this is ${machine.name}, ${reason}: what netfold needs has to be installed by hand; missing here:`,
    wants,
    '  install them:',
    installCommands(missing, machine.family === 'apt' ? undefined : machine.family),
    `  then run as root:\n    ${machine.isRoot ? command : asRoot}`,
  ].join('\n');
}

/** @param {Need} need */
function probeNames(need) {
  return need.probes
    .map((probe) => ('command' in probe ? probe.command : 'library' in probe ? probe.library : probe.file))
    .join(', ');
}

/**
 * Installs what is missing; prints and changes nothing if nothing is.
 * @param {Machine} machine
 * @param {Purpose} purpose
 * @returns {Promise<void>} rejects with a `SetupError` that names the remedy
 */
export async function ensureSystemPackages(machine, purpose) {
  const missing = machine.platform === 'linux' ? await findMissing(needsFor(purpose)) : [];
  const refusal = explainRefusal(machine, missing, purpose);
  if (refusal !== undefined) throw new SetupError(refusal);
  if (missing.length === 0) return;
  const names = packageNames(missing, 'apt');
  const reasons = missing.map((need) => `${need.packages.apt}: ${need.why}`).join('; ');
  sayDoing(`installing ${names.join(', ')} (apt; ${reasons})`);
  const milliseconds = await aptInstall(names);
  const still = await findMissing(missing);
  if (still.length > 0) {
    throw new SetupError(
      `apt-get installed ${names.join(', ')}, yet there is no ${still.map(probeNames).join(', ')}\n  install it anew: apt-get install --reinstall ${packageNames(still, 'apt').join(' ')}`,
    );
  }
  sayDone(`installed in ${formatSeconds(milliseconds)}`);
}

/** What apt's packages ask before they start a service; see invoke-rc.d(8). 101: not allowed. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY = '#!/bin/sh\nexit 101\n';

/**
 * Programs are needed, not their services: an engine that starts would change the machine's rules. A policy that the machine has
 * already stays.
 * @returns {() => void} allows it again
 */
function keepServicesFromStarting() {
  if (existsSync(POLICY_FILE)) return () => {};
  writeFileSync(POLICY_FILE, POLICY, { mode: 0o755, flag: 'wx' });
  return () => rmSync(POLICY_FILE, { force: true });
}

/**
 * @param {string[]} names
 * @returns {Promise<number>} how many milliseconds it took
 */
async function aptInstall(names) {
  const env = { ...process.env, PATH: withAdminFolders(process.env.PATH), DEBIAN_FRONTEND: 'noninteractive' };
  // A fresh cloud machine runs its own upgrades first: wait for the lock.
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  const update = await capture('apt-get', [...wait, 'update'], { env });
  const mayStart = keepServicesFromStarting();
  // A broken list of another repository makes `update` fail without consequences; if there are any, its lines are
  // shown too.
  const install = await capture(
    'apt-get',
    // This is the user's machine: failing is better than removing a package.
    [...wait, 'install', '-y', '--no-install-recommends', '--no-remove', ...names],
    { env },
  ).finally(mayStart);
  if (install.code !== 0) {
    const output = (update.code === 0 ? '' : `${lastLines(update.output, 8)}\n`) + lastLines(install.output);
    throw new SetupError(
      `apt-get could not install ${names.join(', ')}:\n${output}\n  when that is mended: apt-get install ${names.join(' ')}`,
    );
  }
  return update.milliseconds + install.milliseconds;
}
