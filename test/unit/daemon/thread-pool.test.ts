/** libuv's pool can be had once in a process, so each case has a process of its own. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { poolThreads } from '../../../agent/health/thread-pool.ts';

const MODULE = pathToFileURL(resolve(import.meta.dirname, '../../../agent/health/thread-pool.ts')).href;
const SCRIPT = `
import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { beginThreadPool } from '${MODULE}';
await beginThreadPool(9);
await stat('/');
const threads = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim());
const size = process.env.UV_THREADPOOL_SIZE ?? 'none';
console.log(threads.filter((name) => name === 'libuv-worker').length, size);
`;

function poolOf(size: string | undefined): string {
  const { UV_THREADPOOL_SIZE: _, ...env } = process.env;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    env: size === undefined ? env : { ...env, UV_THREADPOOL_SIZE: size },
    encoding: 'utf8',
  });
  expect(child.stderr).toBe('');
  return child.stdout.trim();
}

test('grows with the endpoints, from what every process has', () => {
  expect([1, 160, 332, 2668].map(poolThreads)).toEqual([4, 4, 9, 64]);
});

test('has room for many waits, and applications do not see how', () => {
  expect(poolOf(undefined)).toBe('9 none');
});

test('has the size that the user has set', () => {
  expect(poolOf('3')).toBe('3 3');
});
