/**
 * Facts of this machine on which remedies depend: the distribution of its packages, the origin of its kernel, and whether it
 * is a container, which has the kernel of its host. Pure: texts in, platform out.
 */
import { parseEnv } from 'node:util';

export const PLATFORM_NAMES = {
  any: 'everywhere',
  debian: 'Debian',
  ubuntu: 'Ubuntu',
  fedora: 'Fedora, RHEL',
  alpine: 'Alpine',
  arch: 'Arch',
  wsl2: 'WSL2',
  minikube: 'minikube',
  'own-kernel': 'a kernel of your own',
} as const;

export type Platform = keyof typeof PLATFORM_NAMES;

export interface MachineFacts {
  /** The text of os-release(5); empty where there is none. */
  readonly osRelease: string;
  /** As `uname -r` prints it. */
  readonly kernelRelease: string;
  /** /.dockerenv or /run/.containerenv exists. Container images that were booted as machines keep these files. */
  readonly containerMark: boolean;
  /** The text of /proc/self/cgroup. */
  readonly cgroup: string;
  /** This process sees the process ids of the whole machine, and has the same root file system as process 1. */
  readonly isWholeMachine: boolean;
}

export interface Machine {
  /** The distribution's own name. */
  readonly name: string;
  readonly kernelRelease: string;
  /** The family of its packages; undefined where remedies don't know the distribution. */
  readonly distribution: Platform | undefined;
  /** The origin of the kernel. In a container, that is the host's distribution. */
  readonly kernel: Platform;
  readonly container: boolean;
}

/** ID and ID_LIKE of os-release(5). minikube's ISO is an unmarked Buildroot (kubernetes/minikube issue 5105). */
const DISTRIBUTIONS: Readonly<Record<string, Platform>> = {
  debian: 'debian',
  ubuntu: 'ubuntu',
  fedora: 'fedora',
  rhel: 'fedora',
  centos: 'fedora',
  alpine: 'alpine',
  arch: 'arch',
  buildroot: 'minikube',
};

/** Patterns of kernel names, the first match counts. */
const KERNELS: readonly (readonly [RegExp, Platform])[] = [
  [/microsoft/i, 'wsl2'],
  [/\.(fc|el|amzn)\d/, 'fedora'],
  [/-(amd64|arm64)(-16k)?$/, 'debian'],
  [/-arch\d/, 'arch'],
  [/^[\d.]+-\d+-(lts|virt|stable|edge|rpi)$/, 'alpine'],
  [/^[\d.]+-\d+-(generic|lowlatency|realtime|aws|azure|gcp|gke|ibm|kvm|nvidia|oem|oracle|raspi)/, 'ubuntu'],
];

const CONTAINER_CGROUP = /docker|kubepods|containerd|libpod|crio|\/lxc/;

export function detectMachine(facts: MachineFacts): Machine {
  const { osRelease, kernelRelease, containerMark, cgroup, isWholeMachine } = facts;
  const release = parseEnv(osRelease);
  const distribution = [release.ID ?? '', ...(release.ID_LIKE ?? '').split(/\s+/)]
    .map((id) => (Object.hasOwn(DISTRIBUTIONS, id) ? DISTRIBUTIONS[id] : undefined))
    .find((platform) => platform !== undefined);
  const container = CONTAINER_CGROUP.test(cgroup) || (containerMark && !isWholeMachine);
  return {
    name: release.PRETTY_NAME ?? release.NAME ?? 'an unknown Linux',
    kernelRelease,
    distribution,
    kernel: kernelPlatform(kernelRelease, container ? undefined : distribution),
    container,
  };
}

function kernelPlatform(release: string, distribution: Platform | undefined): Platform {
  // minikube's kernel has an ordinary name, and Arch names one of its kernels as Alpine does.
  if (distribution === 'minikube') return 'minikube';
  const named = KERNELS.find(([pattern]) => pattern.test(release))?.[1] ?? 'own-kernel';
  return named === 'alpine' && distribution === 'arch' ? 'arch' : named;
}
