/** Limits from the kernel's files; the files are invented. */
import { describe, expect, it } from 'vitest';
import { limitsFrom, type MachineLimits, readLimits } from '../../../agent/linux/probe/limits.ts';

const FILES: Readonly<Record<string, string>> = {
  '/proc/meminfo': 'MemTotal:       24684096 kB\nMemFree:        1000 kB\nMemAvailable:    2000000 kB\n',
  '/proc/loadavg': '0.20 0.18 0.12 1/80 11206\n',
  '/proc/sys/kernel/pid_max': '32768\n',
  '/proc/sys/kernel/threads-max': '192731\n',
  '/proc/self/mountinfo': '22 27 0:21 / /proc\n23 27 0:22 / /sys\n24 27 0:6 / /dev\n',
  '/proc/sys/fs/mount-max': '100000\n',
  '/proc/sys/user/max_net_namespaces': '96365\n',
  '/proc/sys/user/max_mnt_namespaces': '96364\n',
  '/proc/sys/fs/nr_open': '1048576\n',
  '/proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
  '/proc/self/cgroup': '0::/a/b\n',
};

function limitsOf(changes: Readonly<Record<string, string | undefined>> = {}): MachineLimits {
  const files = { ...FILES, ...changes };
  return limitsFrom({
    read: (path) => files[path],
    networkNamespaces: 8,
    mountNamespaces: 5,
    hardOpenFiles: 20_000,
  });
}

describe('limits', () => {
  it('are what the files say', () => {
    expect(limitsOf()).toEqual({
      memoryBytes: 2_048_000_000,
      threads: { most: 32_768, used: 80 },
      mounts: { most: 100_000, used: 3 },
      networkNamespaces: { most: 96_365, used: 8 },
      mountNamespaces: { most: 96_364, used: 5 },
      openFiles: 1_048_576,
    });
  });

  it('of threads are the tighter of two', () => {
    expect(limitsOf({ '/proc/sys/kernel/threads-max': '9000\n' }).threads).toEqual({ most: 9000, used: 80 });
  });

  it('of open files are the hard one without CAP_SYS_RESOURCE', () => {
    const status = 'Name:\tnode\nCapEff:\t000001fffeffffff\n';
    expect(limitsOf({ '/proc/self/status': status }).openFiles).toBe(20_000);
    expect(limitsOf({ '/proc/self/status': undefined }).openFiles).toBe(20_000);
  });

  it('are none where nothing can be read', () => {
    const nothing = Object.fromEntries(Object.keys(FILES).map((name) => [name, undefined]));
    expect(limitsOf(nothing)).toMatchObject({
      memoryBytes: Number.POSITIVE_INFINITY,
      threads: { most: Number.POSITIVE_INFINITY, used: 0 },
      mounts: { most: Number.POSITIVE_INFINITY, used: 0 },
      networkNamespaces: { most: Number.POSITIVE_INFINITY },
    });
  });
});

describe('control groups', () => {
  const CG = '/sys/fs/cgroup';

  it('of version 2 bound memory and threads, each on its way up', () => {
    const limits = limitsOf({
      [`${CG}/a/b/memory.max`]: 'max\n',
      [`${CG}/a/b/memory.current`]: '1000\n',
      [`${CG}/a/memory.max`]: '900000000\n',
      [`${CG}/a/memory.current`]: '100000000\n',
      [`${CG}/a/b/pids.max`]: '512\n',
      [`${CG}/a/b/pids.current`]: '20\n',
      [`${CG}/a/pids.max`]: '10000\n',
      [`${CG}/a/pids.current`]: '9900\n',
    });
    expect(limits.memoryBytes).toBe(800_000_000);
    expect(limits.threads).toEqual({ most: 10_000, used: 9_900 });
  });

  it('of version 1 do so, too', () => {
    const limits = limitsOf({
      '/proc/self/cgroup': '8:pids:/\n4:memory:/box\n1:name=systemd:/x\n0::/\n',
      [`${CG}/memory/box/memory.limit_in_bytes`]: '700000000\n',
      [`${CG}/memory/box/memory.usage_in_bytes`]: '200000000\n',
      [`${CG}/pids/pids.max`]: '300\n',
      [`${CG}/pids/pids.current`]: '7\n',
    });
    expect(limits.memoryBytes).toBe(500_000_000);
    expect(limits.threads).toEqual({ most: 300, used: 7 });
  });

  it('in the root of a container are its own', () => {
    const limits = limitsOf({
      '/proc/self/cgroup': '0::/\n',
      [`${CG}/pids.max`]: '100\n',
      [`${CG}/pids.current`]: '30\n',
    });
    expect(limits.threads).toEqual({ most: 100, used: 30 });
  });
});

it('this machine has limits of everything', () => {
  const { memoryBytes, threads, mounts, networkNamespaces, openFiles } = readLimits();
  for (const limit of [threads, mounts, networkNamespaces]) {
    expect(limit.used).toBeGreaterThan(0);
    expect(limit.most).toBeGreaterThan(limit.used);
  }
  expect(memoryBytes).toBeGreaterThan(1e6);
  expect(openFiles).toBeGreaterThan(20);
});
