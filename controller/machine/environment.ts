/** Abilities outside of the kernel: processors, memory, and the needs of platforms other than the local lab. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { mem } from 'systeminformation';
import { type FoundHierarchy, findHierarchy } from '../../agent/kernel/groups/task-groups.ts';
import { type ClockDiscipline, readClockDiscipline } from '../../agent/kernel/sys/clock-discipline.ts';
import { type Ability, judge, type Outcome, type Subject } from '../../agent/linux/probe/ability.ts';
import { type MachineLimits, readLimits } from '../../agent/linux/probe/limits.ts';
import type { Machine } from '../../agent/linux/probe/platform.ts';
import { everywhere, packageRemedies } from '../../agent/linux/probe/remedies.ts';
import { gigabytes, megabytes, micros, toMillis } from '../../proto/units.ts';
import { capacityOf } from './capacity.ts';

/** The agent and its delay line's thread on one, applications on the other: with a single one, packets leave late. */
const CPUS_NEEDED = 2;
/** One agent's resident memory, measured. */
const MEMORY_NEEDED = 200e6;
/** A daemon that does not answer must not delay the report. */
const COMMAND_TIMEOUT_MS = 1500;

const SUBJECTS = {
  cpus: {
    id: 'cpus',
    name: 'processors',
    neededFor: 'delays that are on time',
    need: 'advice',
    from: 'packages',
    remedies: everywhere({ command: '', note: `give the machine ${CPUS_NEEDED} processors` }),
  },
  memory: {
    id: 'memory',
    name: 'memory',
    neededFor: 'one agent for each host',
    need: 'advice',
    from: 'packages',
    remedies: everywhere({
      command: '',
      note: `an agent takes ${megabytes(MEMORY_NEEDED)} MB, an endpoint 0.3 MB`,
    }),
  },
  capacity: {
    id: 'capacity',
    name: 'endpoints that fit',
    neededFor: 'a local lab',
    need: 'advice',
    from: 'packages',
    remedies: everywhere({ command: '', note: 'raise what bounds them, or end what takes it' }),
  },
  pids: {
    id: 'pids',
    name: 'bound of processes',
    neededFor: 'applications that fork for ever',
    need: 'optional',
    from: 'kernel',
    remedies: everywhere({
      command: 'echo +pids > /sys/fs/cgroup/cgroup.subtree_control',
      note: 'control groups with the controller pids have to be mounted at /sys/fs/cgroup (CONFIG_CGROUP_PIDS)',
    }),
  },
  docker: {
    id: 'docker',
    name: 'Docker',
    neededFor: 'running in containers',
    need: 'optional',
    from: 'packages',
    remedies: packageRemedies(
      { apt: 'docker.io', dnf: 'moby-engine', apk: 'docker', pacman: 'docker' },
      {
        afterwards: {
          apt: 'service docker start',
          dnf: 'systemctl enable --now docker',
          apk: 'rc-update add docker && service docker start',
          pacman: 'systemctl enable --now docker',
        },
      },
    ),
  },
  ssh: {
    id: 'ssh',
    name: 'SSH',
    neededFor: 'running on other machines',
    need: 'optional',
    from: 'packages',
    remedies: packageRemedies({
      apt: 'openssh-client',
      dnf: 'openssh-clients',
      apk: 'openssh-client',
      pacman: 'openssh',
    }),
  },
  clock: {
    id: 'clock',
    name: 'clock synchronised',
    neededFor: 'events at the same time on several machines',
    need: 'optional',
    from: 'packages',
    remedies: packageRemedies(
      { apt: 'chrony', dnf: 'chrony', apk: 'chrony', pacman: 'chrony' },
      {
        afterwards: {
          apt: 'service chrony start',
          dnf: 'systemctl enable --now chronyd',
          apk: 'rc-update add chronyd && service chronyd start',
          pacman: 'systemctl enable --now chronyd',
        },
      },
    ),
  },
} as const satisfies Readonly<Record<string, Subject>>;

/** How a command ended. */
export interface CommandResult {
  /** The exit code, or the reason why there is none, e.g. `ENOENT`. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export async function probeEnvironment(machine: Machine): Promise<Ability[]> {
  const [docker, ssh, memory] = await Promise.all([
    run('docker', ['version', '--format', '{{.Server.Version}}']),
    run('ssh', ['-V']),
    mem(),
  ]);
  return [
    judge(SUBJECTS.cpus, judgeCpus(availableParallelism()), machine),
    judge(SUBJECTS.memory, judgeMemory(memory.available, memory.total), machine),
    judge(SUBJECTS.capacity, judgeCapacity(readLimits()), machine),
    judge(SUBJECTS.pids, judgeHierarchy(findHierarchy()), machine),
    judge(SUBJECTS.docker, judgeDocker(docker), machine),
    judge(SUBJECTS.ssh, judgeSsh(ssh), machine),
    judge(SUBJECTS.clock, judgeClock(readClockDiscipline()), machine),
  ];
}

function run(command: string, args: readonly string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { timeout: COMMAND_TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const late = error?.killed ? 'no answer' : undefined;
      resolve({ code: late ?? error?.code ?? 0, stdout, stderr });
    });
  });
}

export function judgeCpus(count: number): Outcome {
  return count >= CPUS_NEEDED ? { found: String(count) } : { reason: `there is ${count}` };
}

/** Both in bytes. */
export function judgeMemory(available: number, total: number): Outcome {
  const what = `${formatBytes(available)} of ${formatBytes(total)} available`;
  return available >= MEMORY_NEEDED ? { found: what } : { reason: what };
}

/** On one host, with a command in each: the most that a topology can need. */
export function judgeCapacity(limits: MachineLimits): Outcome {
  const { endpoints, boundedBy } = capacityOf(limits, { endpoints: 1, hosts: 1, applications: 1 });
  if (endpoints === 0) return { reason: `none, bounded by ${boundedBy}` };
  return { found: `${endpoints.toLocaleString('en')} with a command in each, bounded by ${boundedBy}` };
}

function formatBytes(bytes: number): string {
  return bytes >= 1e9 ? `${gigabytes(bytes).toFixed(1)} GB` : `${Math.floor(megabytes(bytes))} MB`;
}

export function judgeHierarchy(found: FoundHierarchy): Outcome {
  return 'reason' in found ? found : { found: `control groups of version ${found.version}` };
}

export function judgeDocker({ code, stdout, stderr }: CommandResult): Outcome {
  if (code === 0 && stdout.trim() !== '') return { found: stdout.trim() };
  if (code === 'ENOENT') return { reason: 'there is no command docker' };
  // Warnings come before the reason.
  return { reason: stderr.trim().split('\n').at(-1) || `docker version: ${code}` };
}

export function judgeSsh({ code, stderr }: CommandResult): Outcome {
  if (code === 'ENOENT') return { reason: 'there is no command ssh' };
  const version = /^(OpenSSH\S+)/.exec(stderr)?.[1]?.replace(/,$/, '');
  if (version !== undefined) return { found: version };
  return { reason: `ssh is not OpenSSH; it says "${stderr.trim().split('\n')[0]}"` };
}

export function judgeClock({ synchronised, maxErrorMicros }: ClockDiscipline): Outcome {
  if (!synchronised) return { reason: 'nothing keeps the clock of the kernel right (adjtimex: TIME_ERROR)' };
  return { found: `within ${toMillis(micros(maxErrorMicros)).toFixed(1)} ms` };
}
