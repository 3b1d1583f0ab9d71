// @ts-check
/** What machine this is, as far as set-up has to know. */
import { readFileSync } from 'node:fs';
import { findCommand } from './processes.mjs';

/** @typedef {'apt' | 'dnf' | 'apk' | 'pacman'} PackageManager */

/**
 * @typedef {object} Machine
 * @property {NodeJS.Platform} platform
 * @property {boolean} isRoot
 * @property {string} name as the distribution calls itself
 * @property {PackageManager | undefined} family whose package names hold here; undefined: none that we know
 * @property {boolean} canInstall whether `apt-get` is here and these are the packages of Debian or Ubuntu
 */

/**
 * IDs of os-release(5) → the package manager whose names hold there.
 * @type {Readonly<Record<string, PackageManager>>}
 */
const FAMILIES = {
  debian: 'apt',
  ubuntu: 'apt',
  fedora: 'dnf',
  rhel: 'dnf',
  centos: 'dnf',
  alpine: 'apk',
  arch: 'pacman',
};

/**
 * @param {string} text of os-release(5)
 * @returns {{ name: string, family: PackageManager | undefined }} the first of ID and ID_LIKE that we know
 */
export function parseOsRelease(text) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(["']?)(.*)\2\s*$/.exec(line);
    if (match?.[1] !== undefined && match[3] !== undefined) values[match[1]] = match[3];
  }
  const ids = [values.ID ?? '', ...(values.ID_LIKE ?? '').split(/\s+/)];
  const known = ids.find((id) => Object.hasOwn(FAMILIES, id));
  return {
    name: values.PRETTY_NAME ?? values.NAME ?? 'an unknown Linux',
    family: known === undefined ? undefined : FAMILIES[known],
  };
}

/** @returns {Machine} */
export function describeMachine() {
  const { name, family } = parseOsRelease(readOsRelease());
  return {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    name: process.platform === 'linux' ? name : process.platform,
    family,
    canInstall: family === 'apt' && findCommand('apt-get') !== undefined,
  };
}

function readOsRelease() {
  for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      // os-release(5) names both places.
    }
  }
  return '';
}
