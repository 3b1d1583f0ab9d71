/** Network namespaces on one switch, as machines of one network: each has its own interface, address and netfold. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createNamespaces, removeNamespace } from '../../../agent/kernel/netns/namespaces.ts';
import type { Place } from '../../../controller/verify/traffic.ts';
import { type Finished, run } from './lab.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');

export interface Machine extends Place {
  /** Runs the command line there. */
  netfold(...args: string[]): Promise<Finished>;
  /** Starts it in the background; `output` grows. */
  start(...args: string[]): { readonly child: ChildProcess; readonly output: () => string };
}

let counter = 0;

/** Machine `i` has 10.9.0.(i + 1) on `eth0`. `remove` leaves nothing of them. */
export function connectMachines(count: number): { machines: Machine[]; remove: () => void } {
  // Not names of netfold's: cleanup must leave these namespaces to their test.
  const prefix = `machine-${process.pid}-${counter++}`;
  const hub = `${prefix}-switch`;
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  createNamespaces([hub, ...names]);
  const ip = (line: string): void => {
    execFileSync('ip', line.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const remove = (): void => {
    for (const name of [...names, hub]) removeNamespace(name);
  };
  try {
    ip(`-n ${hub} link add bridge0 type bridge`);
    ip(`-n ${hub} link set bridge0 up`);
    for (const [index, name] of names.entries()) {
      ip(`link add eth0 netns ${name} type veth peer port${index} netns ${hub}`);
      ip(`-n ${hub} link set port${index} master bridge0 up`);
      ip(`-n ${name} address add 10.9.0.${index + 1}/24 dev eth0`);
      ip(`-n ${name} link set lo up`);
      ip(`-n ${name} link set eth0 up`);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { machines: names.map((name, index) => machine(name, `10.9.0.${index + 1}`)), remove };
}

function machine(namespace: string, address: string): Machine {
  const words = (args: readonly string[]): string[] => ['netns', 'exec', namespace, NETFOLD, ...args];
  return {
    ...{ name: namespace, namespace, address },
    netfold: (...args) => run('ip', words(args)),
    start: (...args) => {
      const child = spawn('ip', words(args), { stdio: ['ignore', 'pipe', 'pipe'] });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (part: Buffer) => {
          text += part.toString();
        });
      }
      return { child, output: () => text };
    },
  };
}
