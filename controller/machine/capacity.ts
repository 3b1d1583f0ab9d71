/** How many endpoints fit on a machine, and what bounds them. Pure: limits in, number out. */

import { poolThreads } from '../../agent/health/thread-pool.ts';
import type { Limit, MachineLimits } from '../../agent/linux/probe/limits.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { megabytes } from '../../proto/units.ts';

/** As many addresses as a host has for its endpoints (10.H.x.y, controller/platform/lab/lab-plan.ts). */
export const MAX_ENDPOINTS_PER_HOST = 65_000;

/** What an experiment needs of a machine. */
export interface Load {
  readonly endpoints: number;
  /** Emulated ones, each with an agent. */
  readonly hosts: number;
  /** Endpoints that run a command. */
  readonly applications: number;
}

export interface Capacity {
  /** How many fit on the same hosts, with commands in the same part of them. */
  readonly endpoints: number;
  /** The resource that is too small for one more. */
  readonly boundedBy: string;
  /** What would make all of them fit. */
  readonly remedy: string;
}

/** Namespace, veth pair, addresses and routes, measured with 2,668 endpoints on Linux 6.18 (docs/limits.md). */
const ENDPOINT_BYTES = 350e3;
/** Memory of an agent per endpoint (measured 62 kB without traffic), and without any. */
const AGENT_ENDPOINT_BYTES = 150e3;
const AGENT_BYTES = 200e6;
/** A shell and a small program. */
const APPLICATION_BYTES = 1e6;
/**
 * `ip netns exec` gives each command a mount namespace, with a copy of every mount; each endpoint's name is one. Measured
 * with 300 commands among 2,691 mounts.
 */
const MOUNT_BYTES = 410;
const APPLICATION_THREADS = 2;
/** Node's own and the delay line's, measured 8; plus libuv's pool. */
const AGENT_THREADS = 20;
/** For `netfold exec`, and other work of the user. */
const SPARE_THREADS = 64;
/**
 * In an agent: packet socket, netlink socket, queue, two or four sockets of the name server, one of the segments, and room for a
 * log. Plus sockets of the mesh, and maps.
 */
const ENDPOINT_FILES = 9;
const AGENT_FILES = 256;
/** A machine with completely full memory is of no use. */
const USABLE_MEMORY = 0.9;
/** More than any limit allows. */
const MOST = 2 ** 24;

interface Need {
  /** The name of the resource, and its amount. */
  readonly what: string;
  readonly left: number;
  /** How much so many endpoints need; grows with them. */
  readonly takes: (endpoints: number) => number;
  /** `missing`: how much more is needed. */
  readonly remedy: (missing: number) => string;
}

/** How many endpoints fit, with the wanted hosts, and commands in the same part of the endpoints. */
export function capacityOf(limits: MachineLimits, wanted: Load): Capacity {
  const bounds = needsOf(limits, wanted).map((need) => ({ need, endpoints: mostThatFit(need) }));
  const { need, endpoints } = bounds.reduce((least, one) => (one.endpoints < least.endpoints ? one : least));
  const missing = Math.max(0, Math.ceil(need.takes(wanted.endpoints) - need.left));
  return { endpoints, boundedBy: need.what, remedy: need.remedy(missing) };
}

function mostThatFit({ takes, left }: Need): number {
  let fits = 0;
  let tooMany = MOST;
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (takes(middle) <= left) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

function needsOf(limits: MachineLimits, { endpoints, hosts, applications }: Load): Need[] {
  const { memoryBytes, mounts, openFiles } = limits;
  const share = endpoints > 0 ? applications / endpoints : 0;
  /** The fabric, hosts, endpoints. */
  const namespaces = (count: number): number => 1 + hosts + count;
  const applicationBytes = (count: number): number =>
    APPLICATION_BYTES + MOUNT_BYTES * (mounts.used + namespaces(count));
  return [
    {
      what: `addresses (${number(MAX_ENDPOINTS_PER_HOST)} for each host)`,
      left: MAX_ENDPOINTS_PER_HOST * hosts,
      takes: (count) => count,
      remedy: () => 'use more hosts (--hosts)',
    },
    {
      what: `memory (${formatMegabytes(memoryBytes)} available)`,
      left: memoryBytes * USABLE_MEMORY,
      takes: (count) =>
        AGENT_BYTES * hosts +
        (ENDPOINT_BYTES + AGENT_ENDPOINT_BYTES) * count +
        share * count * applicationBytes(count),
      remedy: (missing) => `free ${formatMegabytes(missing / USABLE_MEMORY)} of memory`,
    },
    {
      ...ofLimit('threads', limits.threads, 'kernel.pid_max, kernel.threads-max, pids.max'),
      takes: (count) =>
        SPARE_THREADS +
        (AGENT_THREADS + poolThreads(count / hosts)) * hosts +
        APPLICATION_THREADS * share * count,
      remedy: (missing) =>
        `allow ${number(limits.threads.most + missing)} of them (kernel.pid_max, kernel.threads-max, pids.max of the control group)`,
    },
    { ...ofLimit('mounts', mounts, 'fs.mount-max'), takes: namespaces },
    {
      ...ofLimit('network namespaces', limits.networkNamespaces, 'user.max_net_namespaces'),
      takes: namespaces,
    },
    {
      ...ofLimit('mount namespaces', limits.mountNamespaces, 'user.max_mnt_namespaces'),
      takes: (count) => share * count,
    },
    {
      what: `open files of an agent (${number(openFiles)}, as far as they may be raised)`,
      left: openFiles,
      takes: (count) => openFilesOf({ endpoints: count, hosts }),
      remedy: (missing) => `allow ${number(openFiles + missing)} of them (ulimit -Hn, fs.nr_open)`,
    },
  ];
}

function ofLimit(name: string, { most, used }: Limit, setting: string): Omit<Need, 'takes'> {
  return {
    what: `${name} (${number(used)} of ${number(most)} are in use; ${setting})`,
    left: most - used,
    remedy: (missing) => `sysctl -w ${setting}=${most + missing}`,
  };
}

/** Descriptors that the busiest agent of such an experiment has open at most. */
export function openFilesOf({ endpoints, hosts }: Pick<Load, 'endpoints' | 'hosts'>): number {
  return AGENT_FILES + ENDPOINT_FILES * Math.ceil(endpoints / hosts);
}

const number = (value: number): string => value.toLocaleString('en');
const formatMegabytes = (bytes: number): string => `${number(Math.ceil(megabytes(bytes)))} MB`;

/** Throws if more endpoints are wanted than fit, with the number that would. */
export function requireCapacity(limits: MachineLimits, wanted: Load): void {
  const { endpoints, boundedBy, remedy } = capacityOf(limits, wanted);
  if (wanted.endpoints <= endpoints) return;
  throw new NetfoldError({
    code: 'LAB_LIMIT',
    blame: 'machine',
    message: `${number(wanted.endpoints)} endpoints don't fit this machine: ${number(endpoints)} do, bounded by ${boundedBy}`,
    remedy: `use at most ${number(endpoints)} endpoints, or ${remedy}`,
  });
}
