// @ts-check
/** The system's packages that netfold needs: what each is for, what it brings, and its name in each distribution. */

/** @typedef {import('./machine.mjs').PackageManager} PackageManager */
/** @typedef {'start' | 'test' | 'browser' | 'metrics' | 'kubernetes'} Purpose */

/**
 * What a package brings. A command may exist as a lesser one (busybox has an `ip`), so `says` is looked for in what
 * `args` make it print.
 * @typedef {{ command: string, args?: string[], says?: string } | { library: string } | { file: string }} Probe
 */

/**
 * @typedef {object} Need
 * @property {Purpose} purpose `start`: always; `test`: for tests only; `browser`, `metrics`, `kubernetes`: for `npm run test:browser` and so on alone
 * @property {string} why
 * @property {Probe[]} probes
 * @property {Readonly<Record<PackageManager, string>>} packages the name in each distribution
 */

/** @type {readonly Need[]} */
export const NEEDS = [
  {
    purpose: 'start',
    why: 'ip and tc make namespaces and shape packets',
    probes: [
      { command: 'ip', args: ['-V'], says: 'iproute2' },
      { command: 'tc', args: ['-V'], says: 'iproute2' },
    ],
    packages: { apt: 'iproute2', dnf: 'iproute iproute-tc', apk: 'iproute2', pacman: 'iproute2' },
  },
  {
    purpose: 'start',
    why: 'loads the program that counts bytes',
    probes: [{ library: 'libbpf.so.1' }],
    packages: { apt: 'libbpf1', dnf: 'libbpf', apk: 'libbpf', pacman: 'libbpf' },
  },
  {
    purpose: 'start',
    why: 'measures bandwidth',
    probes: [{ command: 'iperf3' }],
    packages: { apt: 'iperf3', dnf: 'iperf3', apk: 'iperf3', pacman: 'iperf3' },
  },
  {
    purpose: 'start',
    why: 'measures round trips and loss',
    probes: [{ command: 'ping', args: ['-V'], says: 'iputils' }],
    packages: { apt: 'iputils-ping', dnf: 'iputils', apk: 'iputils-ping', pacman: 'iputils' },
  },
  {
    purpose: 'test',
    why: 'shows what rules there are, besides netfold',
    probes: [{ command: 'nft' }],
    packages: { apt: 'nftables', dnf: 'nftables', apk: 'nftables', pacman: 'nftables' },
  },
  {
    purpose: 'test',
    why: 'compiles the eBPF program from source',
    probes: [{ command: 'clang' }],
    packages: { apt: 'clang', dnf: 'clang', apk: 'clang', pacman: 'clang' },
  },
  {
    purpose: 'test',
    why: 'takes debug information out of the eBPF object, and compiles filters of packets',
    probes: [{ command: 'llvm-strip' }, { command: 'tcpdump' }],
    packages: { apt: 'llvm tcpdump', dnf: 'llvm tcpdump', apk: 'llvm tcpdump', pacman: 'llvm tcpdump' },
  },
  {
    purpose: 'test',
    why: 'headers of eBPF programs',
    probes: [{ file: '/usr/include/bpf/bpf_helpers.h' }],
    packages: { apt: 'libbpf-dev', dnf: 'libbpf-devel', apk: 'libbpf-dev', pacman: 'libbpf' },
  },
  {
    purpose: 'test',
    why: "the kernel's headers for programs",
    probes: [{ file: '/usr/include/linux/bpf.h' }],
    packages: {
      apt: 'linux-libc-dev',
      dnf: 'kernel-headers',
      apk: 'linux-headers',
      pacman: 'linux-api-headers',
    },
  },
  {
    purpose: 'test',
    why: "emulates a machine with the distribution's own kernel",
    probes: [{ command: 'qemu-system-x86_64' }],
    packages: {
      apt: 'qemu-system-x86',
      dnf: 'qemu-system-x86-core',
      apk: 'qemu-system-x86_64',
      pacman: 'qemu-system-x86',
    },
  },
  {
    purpose: 'test',
    why: 'starts that machine',
    // Another package brings a dynamically linked one, which finds no libraries there.
    probes: [{ command: 'busybox' }, { command: 'ldd', args: ['/bin/busybox'], says: 'not a dynamic' }],
    packages: { apt: 'busybox-static', dnf: 'busybox', apk: 'busybox-static', pacman: 'busybox' },
  },
  {
    purpose: 'test',
    why: "finds and loads that machine's kernel modules",
    probes: [
      { command: 'modprobe', args: ['--version'], says: 'kmod' },
      { command: 'depmod', args: ['--version'], says: 'kmod' },
    ],
    packages: { apt: 'kmod', dnf: 'kmod', apk: 'kmod', pacman: 'kmod' },
  },
  {
    purpose: 'test',
    why: 'drives an experiment through the API, with its standard library',
    probes: [{ command: 'python3' }],
    packages: { apt: 'python3', dnf: 'python3', apk: 'python3', pacman: 'python' },
  },
  {
    purpose: 'test',
    why: 'checks the unit of services',
    probes: [{ command: 'systemd-analyze' }],
    packages: { apt: 'systemd', dnf: 'systemd', apk: 'systemd', pacman: 'systemd' },
  },
  {
    purpose: 'test',
    why: 'builds and reads Debian packages',
    probes: [{ command: 'dpkg-deb' }],
    packages: { apt: 'dpkg', dnf: 'dpkg', apk: 'dpkg', pacman: 'dpkg' },
  },
  {
    purpose: 'test',
    why: 'is what hosts are reached by, in tests with namespaces as hosts',
    probes: [{ command: 'sshd' }, { command: 'ssh' }, { command: 'ssh-keygen' }],
    packages: {
      apt: 'openssh-server openssh-client',
      dnf: 'openssh-server openssh-clients',
      apk: 'openssh',
      pacman: 'openssh',
    },
  },
  {
    purpose: 'test',
    why: 'gives users root’s rights, in tests with namespaces as hosts',
    probes: [{ command: 'sudo' }],
    packages: { apt: 'sudo', dnf: 'sudo', apk: 'sudo', pacman: 'sudo' },
  },
  {
    purpose: 'test',
    why: 'runs containers, in an engine of the tests',
    probes: [{ command: 'dockerd' }, { command: 'docker' }],
    packages: { apt: 'docker.io', dnf: 'moby-engine', apk: 'docker', pacman: 'docker' },
  },
  {
    purpose: 'browser',
    why: 'opens the dashboard as a user does',
    probes: [{ command: 'chromium' }],
    packages: { apt: 'chromium', dnf: 'chromium', apk: 'chromium', pacman: 'chromium' },
  },
  {
    purpose: 'test',
    why: 'makes the networks of pods, in a container runtime of the tests',
    probes: [{ file: '/usr/lib/cni/bridge' }, { file: '/usr/lib/cni/loopback' }],
    packages: {
      apt: 'containernetworking-plugins',
      dnf: 'containernetworking-plugins',
      apk: 'cni-plugins',
      pacman: 'cni-plugins',
    },
  },
  {
    purpose: 'metrics',
    why: 'reads the metrics of a lab',
    probes: [{ command: 'prometheus' }, { command: 'promtool' }],
    packages: {
      apt: 'prometheus',
      dnf: 'golang-github-prometheus',
      apk: 'prometheus',
      pacman: 'prometheus',
    },
  },
  {
    purpose: 'kubernetes',
    why: 'unpacks the source of Kubernetes',
    probes: [{ command: 'dpkg-source' }, { command: 'patch' }],
    packages: { apt: 'dpkg-dev patch', dnf: 'dpkg-dev patch', apk: 'dpkg-dev patch', pacman: 'dpkg patch' },
  },
];

/** @type {Readonly<Record<Purpose, readonly Purpose[]>>} */
const INCLUDED = {
  start: ['start'],
  test: ['start', 'test'],
  browser: ['start', 'test', 'browser'],
  metrics: ['start', 'test', 'metrics'],
  kubernetes: ['start', 'test', 'kubernetes'],
};

/**
 * @param {Purpose} purpose
 * @returns {readonly Need[]}
 */
export function needsFor(purpose) {
  return NEEDS.filter((need) => INCLUDED[purpose].includes(need.purpose));
}
