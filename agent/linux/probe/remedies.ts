/**
 * What brings a missing ability, for each platform. Where it comes from:
 *
 * - Debian: every flavour of the kernel has all modules, the cloud flavour too (contents of linux-image-6.1.0-56-cloud-amd64)
 * - Ubuntu: cloud flavours keep seldom used modules in linux-modules-extra; some flavours have no such package
 * - Fedora, RHEL: netem is in kernel-modules-extra, the others in kernel-modules-core ("Available qdiscs in RHEL", Red Hat);
 *   what kernel-modules-extra brings has to be loaded by name
 * - Alpine: linux-lts and linux-virt have all of them as modules (main/linux-lts/virt.x86_64.config, aports)
 * - WSL2: 5.15 has neither HTB nor netem, 6.6 has all as modules (arch/x86/configs/config-wsl, WSL2-Linux-Kernel and forks)
 * - minikube's ISO: for x86-64 netem since 1.6 (issue 6033), HTB since 1.17 (pull request 10048), nftables since August 2026
 *   (pull request 23518); for arm64 neither HTB, netem nor cls_bpf (board/minikube/aarch64/linux_aarch64_defconfig)
 */
import type { Remedy } from './ability.ts';

/** Nodes that are containers use the kernel of the machine that they run on. */
const MINIKUBE_ON_HOST_KERNEL = 'minikube start --profile netfold --driver=docker';

export interface KernelPart {
  readonly modules: readonly string[];
  /** Names of options, without CONFIG_. */
  readonly options: readonly string[];
  readonly minikubeNote?: string;
}

/** For an ability that needs kernel modules. */
export function kernelRemedies({ modules, options, minikubeNote }: KernelPart): Remedy[] {
  const load = `modprobe -a ${modules.join(' ')}`;
  return [
    {
      platform: 'debian',
      command: `${load} || apt-get install -y linux-image-$(dpkg --print-architecture)`,
      note: 'reboot if it had to be installed',
    },
    {
      platform: 'ubuntu',
      command: `${load} || { apt-get install -y linux-modules-extra-$(uname -r) && ${load}; }`,
      note: 'where there is no such package: apt-get install -y linux-generic, and reboot',
    },
    {
      platform: 'fedora',
      command: `${load} || { dnf install -y kernel-modules-extra-$(uname -r) && ${load}; }`,
      note: 'where it is not found any more: dnf upgrade -y kernel kernel-modules-extra, and reboot',
    },
    {
      platform: 'alpine',
      command: load,
      note: 'linux-lts and linux-virt both have it; if it is not found, the kernel was upgraded since it was booted: reboot',
    },
    {
      platform: 'arch',
      command: load,
      note: 'if it is not found, the kernel was upgraded since it was booted: reboot',
    },
    {
      platform: 'wsl2',
      command: `${load} || wsl.exe --update`,
      note: 'kernels from 6.6 on have it; after an update: wsl.exe --shutdown',
    },
    {
      platform: 'minikube',
      command: MINIKUBE_ON_HOST_KERNEL,
      note: `on the host: nodes of this profile use its kernel${minikubeNote === undefined ? '' : `; ${minikubeNote}`}`,
    },
    {
      platform: 'own-kernel',
      command: `scripts/config ${options.map((option) => `-e ${option}`).join(' ')} && make olddefconfig && make`,
      note: "in the kernel's source tree; or boot the kernel of a distribution",
    },
  ];
}

type PackageManager = 'apt' | 'dnf' | 'apk' | 'pacman';

const INSTALL: Readonly<Record<PackageManager, string>> = {
  apt: 'apt-get install -y',
  dnf: 'dnf install -y',
  apk: 'apk add',
  pacman: 'pacman -S --needed --noconfirm',
};

interface PackageOptions {
  /** Further commands, e.g. to start a service. */
  readonly afterwards?: Partial<Readonly<Record<PackageManager, string>>>;
  readonly aptNote?: string;
}

/** For an ability that needs a package. */
export function packageRemedies(
  packages: Readonly<Record<PackageManager, string>>,
  { afterwards = {}, aptNote }: PackageOptions = {},
): Remedy[] {
  const install = (manager: PackageManager): string => {
    const more = afterwards[manager];
    return `${INSTALL[manager]} ${packages[manager]}${more === undefined ? '' : ` && ${more}`}`;
  };
  return [
    { platform: 'debian', command: install('apt'), ...(aptNote && { note: aptNote }) },
    { platform: 'ubuntu', command: install('apt'), ...(aptNote && { note: aptNote }) },
    { platform: 'fedora', command: install('dnf') },
    { platform: 'alpine', command: install('apk') },
    { platform: 'arch', command: install('pacman') },
    { platform: 'wsl2', command: install('apt'), note: 'in its Debian or Ubuntu' },
    {
      platform: 'minikube',
      command: MINIKUBE_ON_HOST_KERNEL,
      note: 'on the host: the ISO has no package manager, nodes of this profile have apt-get',
    },
  ];
}

/** The same on all platforms. */
export function everywhere(remedy: Omit<Remedy, 'platform'>): Remedy[] {
  return [{ platform: 'any', ...remedy }];
}
