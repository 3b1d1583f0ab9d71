/** How many endpoints fit a machine, and what bounds them. Pure: limits in, number out. */
import type { MachineLimits } from '../../agent/kernel/limits.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { MAX_ENDPOINTS_PER_HOST } from '../lab/lab-plan.ts';

/** What an experiment wants of a machine. */
export interface Load {
  readonly endpoints: number;
  /** Emulated ones, each with an agent of its own. */
  readonly hosts: number;
  /** Endpoints that run a command. */
  readonly applications: number;
}

export interface Capacity {
  /** How many fit on the same hosts, with commands in the same part of them. */
  readonly endpoints: number;
  /** What there is not enough of for one more. */
  readonly boundedBy: string;
  /** What lets more fit; `wanted`: how many endpoints. */
  readonly remedy: (wanted: number) => string;
}

/**
 * Measured on Linux 6.18 with 2,668 endpoints (docs/limits.md): namespace, veth pair, addresses and routes are 0.34 MB,
 * of which 0.31 MB are slabs that can't be given back. An agent's part is what `AGENT_ENDPOINT_BYTES` says.
 */
const ENDPOINT_BYTES = 350e3;
const AGENT_ENDPOINT_BYTES = 150e3;
const AGENT_BYTES = 200e6;
/** A shell and what it starts, of which only what the kernel and libc need is known. */
const APPLICATION_BYTES = 1e6;
const APPLICATION_THREADS = 2;
/** Node's own, libuv's, the delay line's; measured 13. */
const AGENT_THREADS = 24;
/** In an agent: packet socket, netlink socket, queue, and room for a log. Beside them sockets of the mesh and maps. */
const ENDPOINT_FILES = 4;
const AGENT_FILES = 256;
/** A machine whose memory is full to the last byte is no use. */
const USABLE_MEMORY = 0.9;

interface Need {
  readonly what: string;
  readonly left: number;
  readonly perHost: number;
  readonly perEndpoint: number;
  readonly perApplication?: number;
  /** `total`: of the resource, all that is used included. */
  readonly remedy: (total: number) => string;
}

/** `wanted.endpoints` decides only how many commands there are for each endpoint. */
export function capacityOf(limits: MachineLimits, wanted: Load): Capacity {
  const { hosts } = wanted;
  const share = wanted.endpoints > 0 ? wanted.applications / wanted.endpoints : 0;
  const bounds = needs(limits, hosts).map(
    ({ what, left, perHost, perEndpoint, perApplication = 0, remedy }) => {
      const each = perEndpoint + perApplication * share;
      const endpoints = Math.max(0, Math.floor((left - perHost * hosts) / each));
      return {
        endpoints,
        boundedBy: what,
        remedy: (count: number) => remedy(Math.ceil(perHost * hosts + each * count)),
      };
    },
  );
  return bounds.reduce((least, bound) => (bound.endpoints < least.endpoints ? bound : least));
}

function needs(limits: MachineLimits, hosts: number): Need[] {
  const { memoryBytes, threads, mounts, networkNamespaces, mountNamespaces, openFiles } = limits;
  const sysctl = (name: string, used: number) => (total: number) => `sysctl -w ${name}=${used + total}`;
  return [
    {
      what: `addresses (${MAX_ENDPOINTS_PER_HOST.toLocaleString('en')} for each host)`,
      left: MAX_ENDPOINTS_PER_HOST * hosts,
      perHost: 0,
      perEndpoint: 1,
      remedy: () => 'use more hosts (--hosts)',
    },
    {
      what: `memory (${megabytes(memoryBytes)} available)`,
      left: memoryBytes * USABLE_MEMORY,
      perHost: AGENT_BYTES,
      perEndpoint: ENDPOINT_BYTES + AGENT_ENDPOINT_BYTES,
      perApplication: APPLICATION_BYTES,
      remedy: (bytes) => `free memory until ${megabytes(bytes / USABLE_MEMORY)} are available`,
    },
    {
      what: `processes (${left(threads)}: kernel.pid_max, kernel.threads-max, pids.max of the control group)`,
      left: threads.most - threads.used,
      perHost: AGENT_THREADS,
      // Always some, for `netfold exec` and what the user does.
      perEndpoint: 0.01,
      perApplication: APPLICATION_THREADS,
      remedy: sysctl('kernel.pid_max', threads.used),
    },
    {
      what: `mounts (${left(mounts)}: fs.mount-max)`,
      left: mounts.most - mounts.used - 1,
      perHost: 1,
      perEndpoint: 1,
      remedy: sysctl('fs.mount-max', mounts.used + 1),
    },
    {
      what: `network namespaces (${left(networkNamespaces)}: user.max_net_namespaces)`,
      left: networkNamespaces.most - networkNamespaces.used - 1,
      perHost: 1,
      perEndpoint: 1,
      remedy: sysctl('user.max_net_namespaces', networkNamespaces.used + 1),
    },
    {
      what: `mount namespaces (${left(mountNamespaces)}: user.max_mnt_namespaces)`,
      left: mountNamespaces.most - mountNamespaces.used,
      perHost: 0,
      perEndpoint: 0.001,
      perApplication: 1,
      remedy: sysctl('user.max_mnt_namespaces', mountNamespaces.used),
    },
    {
      what: `open files of an agent (${openFiles}: fs.nr_open, or the hard limit without CAP_SYS_RESOURCE)`,
      left: openFiles * hosts,
      perHost: AGENT_FILES,
      perEndpoint: ENDPOINT_FILES,
      remedy: (total) => `ulimit -Hn ${Math.ceil(total / hosts)}, or use more hosts (--hosts)`,
    },
  ];
}

/** Descriptors that the busiest agent of such an experiment has open at most. */
export function openFilesOf({ endpoints, hosts }: Load): number {
  return AGENT_FILES + ENDPOINT_FILES * Math.ceil(endpoints / hosts);
}

const left = ({ most, used }: { most: number; used: number }): string =>
  `${used.toLocaleString('en')} of ${most.toLocaleString('en')} used`;
const megabytes = (bytes: number): string => `${Math.floor(bytes / 1e6).toLocaleString('en')} MB`;

/** Throws where more endpoints are wanted than fit, with the number that would. */
export function requireCapacity(limits: MachineLimits, wanted: Load): void {
  const { endpoints, boundedBy, remedy } = capacityOf(limits, wanted);
  if (wanted.endpoints <= endpoints) return;
  const number = (value: number): string => value.toLocaleString('en');
  throw new NetfoldError({
    code: 'LAB_LIMIT',
    blame: 'machine',
    message: `${number(wanted.endpoints)} endpoints don't fit this machine: ${number(endpoints)} do, bounded by ${boundedBy}`,
    remedy: `use at most ${number(endpoints)} endpoints, or ${remedy(wanted.endpoints)}`,
  });
}
