import { expect, test } from 'vitest';
import { memoryProblem, memoryUses } from '../../../agent/health/memory-room.ts';

const MEBIBYTE = 2 ** 20;

test('a bound is named when four fifths of it are in use', () => {
  const use = (usedBytes: number) => [{ of: 'its heap', usedBytes, limitBytes: 1000 * MEBIBYTE }];
  expect(memoryProblem(use(800 * MEBIBYTE))).toBeUndefined();
  expect(memoryProblem(use(801 * MEBIBYTE))).toMatch(
    /^this agent uses 801 of the 1000 MiB that its heap may have/,
  );
});

test('this process is far from its bounds, which are known', () => {
  const [heap] = memoryUses();
  expect(heap!.usedBytes).toBeGreaterThan(MEBIBYTE);
  expect(heap!.limitBytes).toBeGreaterThan(heap!.usedBytes);
});
