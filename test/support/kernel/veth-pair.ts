/** Two namespaces connected by a veth pair, as two machines by a cable: real interfaces for tests below the agent. */
import { execFileSync } from 'node:child_process';
import { createNamespaces, namespacePath, removeNamespace } from '../../../agent/kernel/netns/namespaces.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';

export interface Cable {
  readonly a: LocalEndpoint;
  readonly b: LocalEndpoint;
  remove(): void;
}

let counter = 0;

/** 10.9.0.1 and fd09::1 at `a`, 10.9.0.2 and fd09::2 at `b`; both interfaces are called `eth0`. */
export function layCable(): Cable {
  // Not one of netfold's names: cleanup must not remove these namespaces.
  const name = (end: string): string => `cable-${process.pid}-${counter}-${end}`;
  const names = [name('a'), name('b')] as const;
  counter++;
  createNamespaces(names);
  try {
    const lines = [
      `link add eth0 netns ${names[0]} index 2 type veth peer eth0 netns ${names[1]} index 2`,
      ...names.flatMap((namespace, index) => [
        `-n ${namespace} address add 10.9.0.${index + 1}/24 dev eth0`,
        `-n ${namespace} address add fd09::${index + 1}/64 dev eth0 nodad`,
        `-n ${namespace} link set lo up`,
        `-n ${namespace} link set eth0 up`,
      ]),
    ];
    for (const line of lines) execFileSync('ip', line.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    for (const namespace of names) removeNamespace(namespace);
    throw error;
  }
  const endpoint = (number: number): LocalEndpoint => ({
    number,
    name: `${'ab'[number]}.0`,
    namespace: namespacePath(names[number]!),
    ifname: 'eth0',
    ifindex: 2,
    addresses: [`10.9.0.${number + 1}`, `fd09::${number + 1}`],
  });
  return {
    a: endpoint(0),
    b: endpoint(1),
    remove: () => {
      for (const namespace of names) removeNamespace(namespace);
    },
  };
}
