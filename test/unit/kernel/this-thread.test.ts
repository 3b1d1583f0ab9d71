import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import koffi from 'koffi';
import { expect, test } from 'vitest';
import { changeProcessor, currentProcessor } from '../../../agent/kernel/sys/this-thread.ts';
import { inChild } from '../../support/kernel/in-child.ts';

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

test('stays where there is no other processor', () => {
  const libc = koffi.load('libc.so.6');
  const get = libc.func('int sched_getaffinity(int pid, size_t size, _Out_ uint8_t *mask)');
  const set = libc.func('int sched_setaffinity(int pid, size_t size, void *mask)');
  const before = new Uint8Array(1024);
  get(0, before.length, before);
  const only = new Uint8Array(before.length);
  const here = currentProcessor();
  only[here >> 3] = 1 << (here & 7);
  try {
    expect(set(0, only.length, only)).toBe(0);
    expect(changeProcessor()).toBe(false);
    expect(allowedProcessors()).toBe(String(here));
  } finally {
    set(0, before.length, before);
  }
});

test('makes do without privileges, and says so', () => {
  const preference = inChild(
    {
      'agent/kernel/sys/this-thread.ts': ['preferThisThread'],
    },
    `if (process.getuid() === 0) process.setuid(65534);
    answer(preferThisThread());`,
  );
  expect(preference).toEqual({ isPunctual: true, scheduling: 'ordinary' });
});
