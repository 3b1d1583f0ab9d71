// @ts-check
/** Whether node_modules is what package-lock.json says. Pure. */

/**
 * What we read of a lock file (https://docs.npmjs.com/cli/configuring-npm/package-lock-json).
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {string[]} [os]
 * @property {string[]} [cpu]
 * @property {string[]} [libc]
 */

/** @typedef {{ packages?: Record<string, LockedPackage> }} LockFile */

/**
 * What packages with native code are chosen by.
 * @typedef {{ os: string, cpu: string, libc: string }} Platform
 */

/**
 * @param {LockFile} wanted package-lock.json
 * @param {LockFile | undefined} installed node_modules/.package-lock.json, which npm writes when it is done
 * @param {Platform} platform
 * @param {(path: string) => boolean} exists for a path relative to the checkout
 * @returns {string | undefined} why node_modules must be installed anew; undefined: it needn't
 */
export function whyInstall(wanted, installed, platform, exists) {
  if (installed?.packages === undefined) return 'node_modules is missing or half made';
  const have = installed.packages;
  for (const [path, entry] of Object.entries(wanted.packages ?? {})) {
    if (path === '') continue;
    const found = have[path];
    if (found === undefined && entry.optional && !isMadeFor(entry, platform)) continue;
    if (found === undefined || !exists(`${path}/package.json`)) return `${nameOf(path)} is missing`;
    if (found.version !== entry.version) return `${nameOf(path)} is ${found.version}, not ${entry.version}`;
    if (found.integrity !== entry.integrity)
      return `${nameOf(path)} has other contents than package-lock.json says`;
  }
  const extra = Object.keys(have).find((path) => wanted.packages?.[path] === undefined);
  return extra === undefined ? undefined : `${nameOf(extra)} is no longer needed`;
}

/**
 * npm leaves optional packages out for two reasons: they are for another platform, or they ask for a newer Node than
 * npm runs on, although they will run on the Node that comes with them. The second is a fault.
 * @param {LockFile} wanted
 * @param {LockFile | undefined} installed
 * @param {Platform} platform
 * @returns {string[]} the names of packages for this platform that npm left out
 */
export function leftOut(wanted, installed, platform) {
  return Object.entries(wanted.packages ?? {})
    .filter(
      ([path, entry]) =>
        entry.optional && isMadeFor(entry, platform) && installed?.packages?.[path] === undefined,
    )
    .map(([path]) => nameOf(path));
}

/**
 * @param {LockedPackage} entry
 * @param {Platform} platform
 * @returns {boolean} whether it is native code for this platform; one that names no processor may be left out anyway
 */
function isMadeFor(entry, { os, cpu, libc }) {
  return (
    entry.os?.includes(os) === true &&
    entry.cpu?.includes(cpu) === true &&
    (entry.libc === undefined || entry.libc.includes(libc))
  );
}

/** @param {string} path of a lock file */
function nameOf(path) {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}
