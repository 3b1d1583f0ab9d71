/** How many endpoints fit, with limits that are made up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MachineLimits } from '../../../agent/linux/probe/limits.ts';
import { capacityOf, type Load, openFilesOf, requireCapacity } from '../../../controller/machine/capacity.ts';
import { judgeCapacity } from '../../../controller/machine/environment.ts';

/** Far more of everything than 5,000 endpoints with commands need. */
const AMPLE: MachineLimits = {
  memoryBytes: 1e12,
  threads: { most: 4_000_000, used: 500 },
  mounts: { most: 900_000, used: 40 },
  networkNamespaces: { most: 800_000, used: 7 },
  mountNamespaces: { most: 700_000, used: 3 },
  openFiles: 1_000_000,
};
const QUIET: Load = { endpoints: 2668, hosts: 2, applications: 0 };
const BUSY: Load = { ...QUIET, applications: 1334 };

describe('each limit bounds the endpoints, is named, and says what would let more fit', () => {
  const bounds: [string, Partial<MachineLimits>, Load, number, RegExp, RegExp][] = [
    // 0.9 × 1 GB − 2 agents of 200 MB, at 0.5 MB each
    ['memory', { memoryBytes: 1e9 }, QUIET, 1000, /^memory \(1,000 MB/, /free 927 MB/],
    // 700 − 64 − 2 agents with 20 threads, and 8 for their sockets, each
    [
      'threads',
      { threads: { most: 1_200, used: 500 } },
      BUSY,
      580,
      /^threads \(500 of 1,200/,
      /3,340 of them/,
    ],
    [
      'mounts',
      { mounts: { most: 1_043, used: 40 } },
      QUIET,
      1000,
      /^mounts \(40 of 1,043.*fs\.mount-max/,
      /sysctl -w fs\.mount-max=2711/,
    ],
    [
      'network namespaces',
      { networkNamespaces: { most: 1_010, used: 7 } },
      QUIET,
      1000,
      /^network namespaces/,
      /user\.max_net_namespaces=2678/,
    ],
    [
      'mount namespaces',
      { mountNamespaces: { most: 503, used: 3 } },
      BUSY,
      1000,
      /^mount namespaces/,
      /user\.max_mnt_namespaces=1337/,
    ],
    // Two agents, each with half of the endpoints.
    [
      'open files',
      { openFiles: 4_756 },
      QUIET,
      1000,
      /^open files of an agent \(4,756/,
      /allow 12,262 of them/,
    ],
  ];
  it.each(bounds)('%s', (_, tight, load, endpoints, boundedBy, remedy) => {
    const capacity = capacityOf({ ...AMPLE, ...tight }, load);
    expect(capacity.endpoints).toBe(endpoints);
    expect(capacity.boundedBy).toMatch(boundedBy);
    expect(capacity.remedy).toMatch(remedy);
    expect(() => requireCapacity({ ...AMPLE, ...tight }, load)).toThrow(
      expect.objectContaining({ code: 'LAB_LIMIT', blame: 'machine' }),
    );
  });

  it('addresses', () => {
    const load = { endpoints: 130_001, hosts: 2, applications: 0 };
    expect(capacityOf(AMPLE, load)).toMatchObject({
      endpoints: 130_000,
      remedy: expect.stringContaining('--hosts'),
    });
  });
});

describe('commands', () => {
  it('take memory for each mount, so that twice the endpoints take four times of it', () => {
    const bytesFor = (endpoints: number): number => {
      let bytes = 1e9;
      const load = { endpoints, hosts: 1, applications: endpoints };
      while (capacityOf({ ...AMPLE, memoryBytes: bytes }, load).endpoints < endpoints) bytes *= 1.01;
      return bytes;
    };
    expect(bytesFor(20_000) / bytesFor(10_000)).toBeGreaterThan(3);
  });

  it('bound nothing where there are none', () => {
    const none = { threads: { most: 700, used: 500 }, mountNamespaces: { most: 3, used: 3 } };
    expect(() => requireCapacity({ ...AMPLE, ...none }, QUIET)).not.toThrow();
  });
});

it('agents need threads, also without commands', () => {
  const limits = { ...AMPLE, threads: { most: 600, used: 500 } };
  expect(capacityOf(limits, QUIET)).toMatchObject({
    endpoints: 0,
    boundedBy: expect.stringMatching(/^threads/),
  });
});

it('refuses with both numbers, and the remedy', () => {
  expect(() => requireCapacity({ ...AMPLE, mounts: { most: 1_043, used: 40 } }, QUIET)).toThrow(
    expect.objectContaining({
      message:
        "2,668 endpoints don't fit this machine: 1,000 do, bounded by mounts (40 of 1,043 are in use; fs.mount-max)",
      remedy: 'use at most 1,000 endpoints, or sysctl -w fs.mount-max=2711',
    }),
  );
});

it('what the remedy asks for is enough, and one less is not', () => {
  expect(() => requireCapacity({ ...AMPLE, mounts: { most: 2_711, used: 40 } }, QUIET)).not.toThrow();
  expect(() => requireCapacity({ ...AMPLE, mounts: { most: 2_710, used: 40 } }, QUIET)).toThrow(/2,667 do/);
});

it('lets everything pass where nothing is limited', () => {
  const none = { most: Number.POSITIVE_INFINITY, used: 0 };
  const limits: MachineLimits = {
    memoryBytes: Number.POSITIVE_INFINITY,
    threads: none,
    mounts: none,
    networkNamespaces: none,
    mountNamespaces: none,
    openFiles: Number.POSITIVE_INFINITY,
  };
  expect(capacityOf(limits, BUSY)).toMatchObject({ endpoints: 130_000 });
});

it('what fits passes, and one more is refused, whatever the limits', () => {
  const limit = fc.record({ most: fc.nat(40_000), used: fc.nat(4_000) });
  const limits = fc.record({
    memoryBytes: fc.nat(2_000_000_000),
    threads: limit,
    mounts: limit,
    networkNamespaces: limit,
    mountNamespaces: limit,
    openFiles: fc.nat(40_000),
  });
  fc.assert(
    fc.property(limits, fc.integer({ min: 1, max: 9 }), fc.boolean(), (made, hosts, all) => {
      const load = (endpoints: number): Load => ({ endpoints, hosts, applications: all ? endpoints : 0 });
      const { endpoints } = capacityOf(made, load(1));
      if (endpoints > 0) expect(() => requireCapacity(made, load(endpoints))).not.toThrow();
      expect(() => requireCapacity(made, load(endpoints + 1))).toThrow(/fit this machine/);
    }),
    { seed: 23, numRuns: 200 },
  );
});

it('an agent opens more for more endpoints, and fewer where there are more hosts', () => {
  expect(openFilesOf({ endpoints: 2668, hosts: 1 })).toBe(256 + 9 * 2668);
  expect(openFilesOf({ endpoints: 2668, hosts: 3 })).toBe(256 + 9 * 890);
});

describe("doctor's line", () => {
  it('says how many, and what bounds them', () => {
    expect(judgeCapacity({ ...AMPLE, mounts: { most: 1_042, used: 40 } })).toEqual({
      found: '1,000 with a command in each, bounded by mounts (40 of 1,042 are in use; fs.mount-max)',
    });
  });
  it('says that none fit', () => {
    expect(judgeCapacity({ ...AMPLE, openFiles: 200 })).toEqual({
      reason: expect.stringMatching(/^none, bounded by open files/),
    });
  });
});
