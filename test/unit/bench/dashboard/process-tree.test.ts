import { describe, expect, it } from 'vitest';
import {
  below,
  parentIn,
  parsePss,
  processTree,
  secondsBetween,
  secondsOf,
  sharedMemoryBytes,
} from '../../../../bench/measure/cpu/process-tree.ts';

describe('a program of many processes', () => {
  it('is everything below a process, but not what is left out with all below it', () => {
    const all = [
      ...[
        [1, 0],
        [10, 1],
        [11, 10],
        [12, 11],
        [20, 10],
        [21, 20],
        [30, 1],
      ].map(([pid, parent]) => ({
        pid: pid!,
        parent: parent!,
      })),
    ];
    expect(below(10, all)).toEqual([11, 12, 20, 21]);
    expect(below(10, all, [20])).toEqual([11, 12]);
    expect(below(30, all)).toEqual([]);
  });

  it('has used what its processes have, also those that began meanwhile', () => {
    const before = new Map([
      [1, 5],
      [2, 3],
    ]);
    expect(
      secondsBetween(
        before,
        new Map([
          [1, 6],
          [3, 0.5],
        ]),
      ),
    ).toBe(1.5);
    expect(secondsBetween(before, before)).toBe(0);
  });

  it('is read from /proc', () => {
    expect(parentIn('12 (a ) R 9) S 34 12 12 0')).toBe(34);
    expect(
      parsePss('55d0-7ffc ---p 0 00:00 0 [rollup]\nRss:  900 kB\nPss:   512 kB\nPss_Dirty: 5 kB\n'),
    ).toBe(512 * 1024);
    expect(parsePss('')).toBe(0);
    expect(processTree()).toContainEqual({ pid: process.pid, parent: process.ppid });
    expect(secondsOf([process.pid]).get(process.pid)).toBeGreaterThan(0);
    expect(sharedMemoryBytes([process.pid])).toBeGreaterThan(1e6);
    // No process has this number (/proc/sys/kernel/pid_max is at most 4,194,304).
    expect(secondsOf([2 ** 30]).size).toBe(0);
    expect(sharedMemoryBytes([2 ** 30])).toBe(0);
  });
});
