/** Distributed systems as Debian packages them, for the examples that run them: unpacked, not installed. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { median } from '../../../bench/measure/statistics.ts';
import type { Place } from '../../../controller/verify/traffic.ts';
import { ROOT } from '../../../deploy/setup/processes.mjs';
import { unpackInto } from '../../../deploy/vm/unpacked-packages.ts';
import { runIn } from '../lab/lab.ts';

const FOLDER = join(ROOT, 'node_modules', '.cache', 'netfold-systems');

/** With the libraries that a plain Debian does not have. */
const PACKAGES = {
  etcd: ['etcd-server', 'etcd-client'],
  redis: [
    ...['redis-server', 'redis-tools', 'libjemalloc2', 'liblua5.1-0', 'liblzf1'],
    ...['lua-bitop', 'lua-cjson'],
  ],
  nats: ['nats-server'],
} as const;

/** Puts a system's programs on this process's path, and so on those of labs that it starts. */
export async function provide(system: keyof typeof PACKAGES): Promise<void> {
  const folder = join(FOLDER, system);
  await unpackInto(folder, PACKAGES[system]);
  prepend('PATH', join(folder, 'usr/bin'), join(folder, 'usr/sbin'));
  prepend('LD_LIBRARY_PATH', join(folder, 'usr/lib/x86_64-linux-gnu'));
}

/** Milliseconds of writes from a place, as write-times.mjs does them. */
export async function writeTimes(from: Place, ...words: string[]): Promise<number[]> {
  const script = join(import.meta.dirname, 'write-times.mjs');
  const { out, err } = await runIn(from, process.execPath, script, ...words);
  expect(err).toBe('');
  return JSON.parse(out) as number[];
}

/** Not faster than the round trips that they need, and not much slower, by the median; milliseconds. */
export function expectRoundTrips(times: readonly number[], expectedMs: number): void {
  const measured = median(times);
  expect(measured).toBeGreaterThanOrEqual(expectedMs);
  expect(measured).toBeLessThanOrEqual(expectedMs * 1.1 + 4);
}

function prepend(variable: string, ...folders: string[]): void {
  process.env[variable] = [...folders, process.env[variable]].filter(Boolean).join(':');
}
