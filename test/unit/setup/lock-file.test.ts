import { describe, expect, it } from 'vitest';
import { type LockFile, leftOut, whyInstall } from '../../../deploy/setup/lock-file.mjs';

const here = { os: 'linux', cpu: 'x64', libc: 'glibc' };
const present = {
  'node_modules/a': { version: '1.2.3', integrity: 'sha512-a' },
  'node_modules/a/node_modules/@x/b': { version: '2.0.0', integrity: 'sha512-b' },
  'node_modules/native-x64': {
    version: '3.0.0',
    optional: true,
    os: ['linux'],
    cpu: ['x64'],
    libc: ['glibc'],
  },
};
const wanted: LockFile = {
  packages: {
    '': { version: '0.1.0' },
    ...present,
    'node_modules/native-arm': { version: '3.0.0', optional: true, os: ['linux'], cpu: ['arm64'] },
    'node_modules/native-mac': { version: '3.0.0', optional: true, os: ['darwin'], cpu: ['x64'] },
    'node_modules/native-musl': {
      version: '3.0.0',
      optional: true,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
    },
    'node_modules/wasm': { version: '3.0.0', optional: true },
  },
};
const why = (packages: LockFile['packages'], exists = (_path: string) => true) =>
  whyInstall(wanted, { packages: packages! }, here, exists);

describe('node_modules is installed anew only for a reason', () => {
  it('is left alone when in step, without the optional packages of other machines', () => {
    expect(why(present)).toBeUndefined();
    expect(why({ ...present, 'node_modules/wasm': { version: '3.0.0', optional: true } })).toBeUndefined();
  });
  it('when npm never finished', () => {
    expect(whyInstall(wanted, undefined, here, () => true)).toBe('node_modules is missing or half made');
    expect(whyInstall(wanted, {}, here, () => true)).toBe('node_modules is missing or half made');
  });
  it('when a package is not installed', () => {
    const { 'node_modules/a': _, ...rest } = present;
    expect(why(rest)).toBe('a is missing');
  });
  it('when an optional package of this very machine is not installed', () => {
    const { 'node_modules/native-x64': _, ...rest } = present;
    expect(why(rest)).toBe('native-x64 is missing');
  });
  it('when a folder was deleted', () => {
    expect(why(present, (path) => path !== 'node_modules/a/node_modules/@x/b/package.json')).toBe(
      '@x/b is missing',
    );
  });
  it('when a version differs', () => {
    const packages = { ...present, 'node_modules/a': { version: '1.2.2', integrity: 'sha512-a' } };
    expect(why(packages)).toBe('a is 1.2.2, not 1.2.3');
  });
  it('when the same version has other contents', () => {
    const packages = { ...present, 'node_modules/a': { version: '1.2.3', integrity: 'sha512-other' } };
    expect(why(packages)).toBe('a has other contents than package-lock.json says');
  });
  it('when the lock file has dropped a package', () => {
    expect(why({ ...present, 'node_modules/old': { version: '1.0.0' } })).toBe('old is no longer needed');
  });
});

describe('what npm left out', () => {
  it('is the optional packages of this machine only', () => {
    const none = { packages: {} };
    expect(leftOut(wanted, none, here)).toEqual(['native-x64']);
    expect(leftOut(wanted, none, { ...here, cpu: 'arm64' })).toEqual(['native-arm']);
    expect(leftOut(wanted, none, { ...here, os: 'darwin' })).toEqual(['native-mac']);
    expect(leftOut(wanted, none, { ...here, libc: 'musl' })).toEqual(['native-musl']);
  });
  it('is nothing where it is installed', () => {
    expect(leftOut(wanted, { packages: present }, here)).toEqual([]);
  });
});
