/** Finds out by trying what this machine can do. Changes nothing on the machine. */
import { spawnSync } from 'node:child_process';
import type { Ability } from './ability.ts';
import { kernelProbes } from './kernel-probes.ts';
import type { Machine } from './platform.ts';
import { type Probe, runProbes } from './probe-list.ts';
import { readMachine } from './read-machine.ts';
import { everywhere, packageRemedies } from './remedies.ts';

export { type Ability, blockers, type DelayBackendName, delayBackends } from './ability.ts';
export { readMachine } from './read-machine.ts';

/** Tries everything that a local lab needs, in the order of dependencies. */
export function probeMachine(machine: Machine = readMachine()): Ability[] {
  const { probes, close } = kernelProbes();
  try {
    return runProbes([platform, root, iproute2, ...probes, utilLinux], machine);
  } finally {
    close();
  }
}

const platform: Probe = {
  id: 'platform',
  name: 'Linux on a 64-bit little-endian machine',
  neededFor: 'everything',
  need: 'lab',
  from: 'packages',
  remedies: everywhere({
    command: '',
    note: 'run netfold on Linux (x86-64 or ARM64), in a virtual machine if need be',
  }),
  attempt: () => {
    const supported = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
    if (!supported) throw new Error(`this is ${process.platform} on ${process.arch}`);
    return undefined;
  },
};

const root: Probe = {
  id: 'root',
  name: 'root',
  neededFor: 'namespaces, tc and BPF',
  need: 'lab',
  from: 'packages',
  remedies: everywhere({
    command: 'sudo netfold doctor',
    note: 'and so with every command that runs a lab; if sudo finds no netfold: sudo "$(command -v netfold)" doctor',
  }),
  attempt: () => {
    if (process.getuid?.() !== 0) throw new Error(`the user id is ${process.getuid?.()}`);
    return undefined;
  },
};

const iproute2: Probe = {
  id: 'iproute2',
  name: 'iproute2',
  neededFor: 'commands in endpoints',
  need: 'lab',
  from: 'packages',
  remedies: packageRemedies({
    apt: 'iproute2',
    dnf: 'iproute iproute-tc',
    apk: 'iproute2',
    pacman: 'iproute2',
  }),
  attempt: () => {
    const { error, stdout, stderr } = spawnSync('ip', ['-V'], { encoding: 'utf8', timeout: 2000 });
    if (error) throw new Error(`ip can't be run: ${(error as NodeJS.ErrnoException).code ?? error.message}`);
    const says = `${stdout}${stderr}`.trim();
    const version = /iproute2-(\S+?),?(\s|$)/.exec(says)?.[1];
    // The `ip` of busybox has no namespaces.
    if (version === undefined) throw new Error(`ip is not iproute2's; it says "${says.split('\n')[0]}"`);
    return version;
  },
};

/** `unshare` of busybox does as well; its `setpriv` has no bounding set, and its `mount` makes paths of what it is given. */
const ENDPOINT_COMMANDS: readonly (readonly [does: string, command: readonly string[], says?: string])[] = [
  ['unshare --uts', ['unshare', '--uts', 'true']],
  ['setpriv --bounding-set', ['setpriv', '--inh-caps', '-all', '--bounding-set', '-all,+chown', 'true']],
  ['mount --version', ['mount', '--version'], 'util-linux'],
];

const utilLinux: Probe = {
  id: 'util-linux',
  name: 'util-linux',
  needs: ['root', 'network-namespaces'],
  neededFor: 'hostnames of endpoints, and what their applications may do',
  need: 'lab',
  from: 'packages',
  remedies: packageRemedies({
    apt: 'util-linux',
    dnf: 'util-linux',
    apk: 'util-linux setpriv mount',
    pacman: 'util-linux',
  }),
  attempt: () => {
    for (const [does, [program, ...args], says = ''] of ENDPOINT_COMMANDS) {
      const { error, status, stdout, stderr } = spawnSync(program!, args, {
        encoding: 'utf8',
        timeout: 2000,
      });
      if (error)
        throw new Error(`${program} can't be run: ${(error as NodeJS.ErrnoException).code ?? error.message}`);
      if (status !== 0) throw new Error(`${does} fails: ${stderr.trim().split('\n')[0]}`);
      if (!stdout.includes(says)) throw new Error(`${program} is not that of ${says}`);
    }
    return undefined;
  },
};
