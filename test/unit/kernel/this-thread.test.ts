import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { changeProcessor, currentProcessor } from '../../../agent/kernel/sys/this-thread.ts';

function allowedProcessors(): string {
  return /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/thread-self/status', 'utf8'))![1]!;
}

test('goes to another processor, where there is one, and may use all of them afterwards', () => {
  const allowed = allowedProcessors();
  // The scheduler may take it back at once.
  const hasMoved = [1, 2, 3, 4, 5].some(() => {
    const before = currentProcessor();
    return changeProcessor() && currentProcessor() !== before;
  });
  expect(hasMoved).toBe(availableParallelism() > 1);
  expect(allowedProcessors()).toBe(allowed);
});
