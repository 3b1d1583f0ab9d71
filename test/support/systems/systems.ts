/** Distributed systems as Debian packages them, for the examples that run them: unpacked, not installed. */
import { join } from 'node:path';
import { ROOT } from '../../../deploy/setup/processes.mjs';
import { unpackInto } from '../../../deploy/vm/unpacked-packages.ts';

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

function prepend(variable: string, ...folders: string[]): void {
  process.env[variable] = [...folders, process.env[variable]].filter(Boolean).join(':');
}
