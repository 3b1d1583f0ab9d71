/**
 * Limits of this machine and of the containers around this process: memory, threads, mounts, namespaces, descriptors. Other
 * limits do not apply:
 *
 * - fs.file-max and RLIMIT_NPROC do not hold for root (`alloc_empty_file`, fs/file_table.c; `copy_process`, kernel/fork.c)
 * - net.*.neigh.default.gc_thresh3: permanent neighbours are not counted since Linux 5.0 (`neigh_alloc`,
 *   net/core/neighbour.c), and netfold's BPF needs 5.6; entries of the loopback interface may be evicted at any time
 * - nf_conntrack_max: a namespace tracks connections only if one of its rules asks for it, and netfold has no such rule
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { allNamespaces } from '../../kernel/netns/all-namespaces.ts';
import { openFilesLimit, setOpenFilesLimit } from '../../kernel/sys/open-files.ts';

/** `most`: the limit. `used`: how much of it is in use. */
export interface Limit {
  readonly most: number;
  readonly used: number;
}

export interface MachineLimits {
  /** Bytes available without swapping, within the process' control groups. */
  readonly memoryBytes: number;
  /** Of all processes: kernel.pid_max, kernel.threads-max, pids.max of the control groups; the tightest. */
  readonly threads: Limit;
  /** fs.mount-max, of this mount namespace. */
  readonly mounts: Limit;
  /** user.max_net_namespaces, of this user. */
  readonly networkNamespaces: Limit;
  /** user.max_mnt_namespaces; each command in an endpoint has one. */
  readonly mountNamespaces: Limit;
  /** Descriptors that one process may open, after raising its own limit as far as it may. */
  readonly openFiles: number;
}

/** Input of `limitsFrom`; tests pass their own. */
export interface LimitSources {
  /** The text of a file, or undefined where it can't be read. */
  readonly read: (path: string) => string | undefined;
  readonly networkNamespaces: number;
  readonly mountNamespaces: number;
  readonly hardOpenFiles: number;
}

/** CAP_SYS_RESOURCE of linux/capability.h */
const CAP_SYS_RESOURCE = 24n;

export function readLimits(): MachineLimits {
  return limitsFrom({
    read: readText,
    networkNamespaces: allNamespaces(() => false).length,
    mountNamespaces: countMountNamespaces(),
    hardOpenFiles: openFilesLimit().hard,
  });
}

/** A file that can't be read sets no limit. */
export function limitsFrom(sources: LimitSources): MachineLimits {
  const { read } = sources;
  const number = (path: string): number => toNumber(read(path));
  const status = read('/proc/self/status') ?? '';
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const mayRaise = ((capabilities >> CAP_SYS_RESOURCE) & 1n) === 1n;
  const available = /^MemAvailable:\s*(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1];
  const groups = controlGroups(read('/proc/self/cgroup') ?? '');
  const memoryGroups = groups.memory.map(({ folder, files: [most, used] }) => ({
    most: number(`${folder}/${most}`),
    used: usedOf(read(`${folder}/${used}`)),
  }));
  const threadGroups = groups.pids.map(({ folder, files: [most, used] }) => ({
    most: number(`${folder}/${most}`),
    used: usedOf(read(`${folder}/${used}`)),
  }));
  const threads = usedOf(/\/(\d+) /.exec(read('/proc/loadavg') ?? '')?.[1]);
  const mountLines = (read('/proc/self/mountinfo') ?? '').split('\n').length - 1;
  return {
    memoryBytes: Math.min(toNumber(available) * 1024, ...memoryGroups.map(({ most, used }) => most - used)),
    threads: tightest([
      { most: number('/proc/sys/kernel/pid_max'), used: threads },
      { most: number('/proc/sys/kernel/threads-max'), used: threads },
      ...threadGroups,
    ]),
    mounts: { most: number('/proc/sys/fs/mount-max'), used: Math.max(0, mountLines) },
    networkNamespaces: {
      most: number('/proc/sys/user/max_net_namespaces'),
      used: sources.networkNamespaces,
    },
    mountNamespaces: { most: number('/proc/sys/user/max_mnt_namespaces'), used: sources.mountNamespaces },
    openFiles: mayRaise ? number('/proc/sys/fs/nr_open') : sources.hardOpenFiles,
  };
}

/** Raises the limit of open descriptors of this process and of agents that it starts. It ends with the process. */
export function raiseOpenFiles(descriptors: number): void {
  const { soft, hard } = openFilesLimit();
  if (soft < descriptors) setOpenFilesLimit(Math.max(descriptors, hard));
}

interface GroupFiles {
  readonly folder: string;
  /** The names of the files with the limit and with its use. */
  readonly files: readonly [string, string];
}

/** Of both versions of cgroups, from the process' own group up to the root (cgroups(7)), at the conventional mount points. */
function controlGroups(text: string): { memory: GroupFiles[]; pids: GroupFiles[] } {
  const memory: GroupFiles[] = [];
  const pids: GroupFiles[] = [];
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const above of upwards(path)) {
      const v1 = (name: string): string => `/sys/fs/cgroup/${name}${above}`;
      if (controllers === '') {
        memory.push({ folder: `/sys/fs/cgroup${above}`, files: ['memory.max', 'memory.current'] });
        pids.push({ folder: `/sys/fs/cgroup${above}`, files: ['pids.max', 'pids.current'] });
      } else if (controllers === 'memory') {
        memory.push({ folder: v1('memory'), files: ['memory.limit_in_bytes', 'memory.usage_in_bytes'] });
      } else if (controllers === 'pids') {
        pids.push({ folder: v1('pids'), files: ['pids.max', 'pids.current'] });
      }
    }
  }
  return { memory, pids };
}

/** `/a/b` → `/a/b`, `/a`, and the root as the empty text. */
function upwards(path: string): string[] {
  const parts = path.split('/').filter(Boolean);
  return parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`).concat('');
}

function tightest(limits: readonly Limit[]): Limit {
  return limits.reduce((least, one) => (one.most - one.used < least.most - least.used ? one : least));
}

/** `max`, and a missing file, are no limit. */
function toNumber(text: string | undefined): number {
  return text !== undefined && /^\s*\d+/.test(text) ? Number.parseInt(text, 10) : Number.POSITIVE_INFINITY;
}

function usedOf(text: string | undefined): number {
  const used = toNumber(text);
  return Number.isFinite(used) ? used : 0;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function countMountNamespaces(): number {
  const found = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      found.add(readlinkSync(`/proc/${pid}/ns/mnt`));
    } catch {
      // The process has ended, or may not be read.
    }
  }
  return found.size;
}
