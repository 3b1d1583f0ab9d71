/** Network namespaces on one switch, as machines of one network: each has its own interface, address and netfold. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { createNamespaces, removeNamespace } from '../../../agent/kernel/netns/namespaces.ts';
import { processesIn } from '../../../controller/machine/processes.ts';
import type { Place } from '../../../controller/verify/traffic.ts';
import { killIfThere } from '../kernel/kill.ts';
import { type Finished, run } from './lab.ts';

const NETFOLD = join(import.meta.dirname, '../../../bin/netfold');

export interface Machine extends Place {
  /** Runs the command line there. */
  netfold(...args: string[]): Promise<Finished>;
  /** Starts it in the background; `output` grows. */
  start(...args: string[]): { readonly child: ChildProcess; readonly output: () => string };
}

let counter = 0;

export interface Machines {
  readonly machines: Machine[];
  /** Removes the machine and adds another in its place: with a namespace of its own, at another address. */
  replace(index: number, address: string): Machine;
  /** Connects a machine to the switch by a further interface. */
  addInterface(index: number, ifname: string, address: string): void;
  /** Removes all of them. */
  remove(): void;
}

/** Machine `i` has 10.9.0.(i + 1) on `eth0`; of family 6, fd00:9::(i + 1) and no IPv4. */
export function connectMachines(count: number, family: 4 | 6 = 4): Machines {
  const addressOf = (index: number): string => `${family === 4 ? '10.9.0.' : 'fd00:9::'}${index + 1}`;
  // Not netfold's names: cleanup must not remove these namespaces.
  const prefix = `machine-${process.pid}-${counter++}`;
  const hub = `${prefix}-switch`;
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  let made = 0;
  createNamespaces([hub, ...names]);
  const ip = (line: string): void => {
    execFileSync('ip', line.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const remove = (): void => {
    // An experiment that ends without one of them leaves messengers behind.
    for (const pid of processesIn([...names, hub])) killIfThere(pid);
    for (const name of [...names, hub]) removeNamespace(name);
  };
  const connect = (name: string, address: string, ifname = 'eth0'): void => {
    const port = `port${made++}`;
    ip(`link add ${ifname} netns ${name} type veth peer ${port} netns ${hub}`);
    ip(`-n ${hub} link set ${port} master bridge0 up`);
    // Duplicate address detection takes a second or two.
    ip(
      `-n ${name} address add ${address}/${isIPv4(address) ? '24' : '64'} dev ${ifname}${isIPv4(address) ? '' : ' nodad'}`,
    );
    ip(`-n ${name} link set lo up`);
    ip(`-n ${name} link set ${ifname} up`);
  };
  const replace = (index: number, address: string): Machine => {
    const name = `${prefix}-${index}-${made}`;
    removeNamespace(names[index]!);
    createNamespaces([name]);
    names[index] = name;
    connect(name, address);
    return machine(name, address);
  };
  try {
    ip(`-n ${hub} link add bridge0 type bridge`);
    ip(`-n ${hub} link set bridge0 up`);
    for (const [index, name] of names.entries()) connect(name, addressOf(index));
  } catch (error) {
    remove();
    throw error;
  }
  const machines = names.map((name, index) => machine(name, addressOf(index)));
  const addInterface = (index: number, ifname: string, address: string): void =>
    connect(names[index]!, address, ifname);
  return { machines, replace, addInterface, remove };
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
