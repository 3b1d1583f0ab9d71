/** The command line of a test machine's QEMU. Pure. */

/** One end of a cable between two machines: each sends frames to the other's socket. */
export interface CableEnd {
  /** Path of the datagram socket that this machine's QEMU makes. */
  readonly socket: string;
  /** The other machine's. It may come later or go earlier: frames are lost meanwhile, as on a cable. */
  readonly peerSocket: string;
  /** Of the interface, which is `eth0` inside. */
  readonly mac: string;
}

export interface QemuOptions {
  readonly image: string;
  readonly initramfs: string;
  readonly memoryMb: number;
  readonly hostname: string;
  /** The folder of the host that is writable inside, at /results. */
  readonly results: string;
  /** A folder of the host for what Node compiled, at /compiled inside and writable there. */
  readonly compiled: string;
  /** Where the kernel's messages go. */
  readonly console: string;
  readonly cable: CableEnd | undefined;
}

/**
 * tsc: the emulated HPET would cost a trip out of the machine for every look at the clock; QEMU's TSC is the host's.
 * mitigations, watchdogs: cost much in emulation and guard nothing here. panic: a machine that can't go on ends.
 */
const KERNEL_SETTINGS = [
  'console=ttyS0',
  'quiet',
  'panic=-1',
  'tsc=reliable',
  'clocksource=tsc',
  'mitigations=off',
  'nowatchdog',
  'rcupdate.rcu_cpu_stall_suppress=1',
];

/**
 * No ERMS: kernels that see it copy with `rep movsb`, which TCG carries out byte by byte (TCP through a veth pair then
 * makes a quarter and less). AES and SSE4 are what libp2p's noise, iperf3 and Node profit from.
 */
const CPU = 'qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+pclmulqdq';

/**
 * A machine by itself has a clock that counts its instructions, 2 ns each. On a slow or busy host it gets the same work
 * done in the same time of its own, so that it measures the emulated network and not the host; an idle machine waits in
 * the host's time. Machines on a cable share the host's clock, for each would count its own.
 */
function clock(cable: CableEnd | undefined): string[] {
  return cable === undefined
    ? ['-accel', 'tcg,thread=single', '-icount', 'shift=1,sleep=on']
    : ['-accel', 'tcg,thread=multi'];
}

/** The port for commands is QEMU's standard input and output. */
export function qemuArguments(options: QemuOptions): string[] {
  const kernelSettings = [...KERNEL_SETTINGS, `netfold.hostname=${options.hostname}`];
  return [
    ...['-nodefaults', '-no-user-config', '-nographic', '-no-reboot'],
    // One processor: with two and a counting clock the kernel was seen to wait for itself for ever.
    ...['-machine', 'q35', '-cpu', CPU, '-smp', '1', '-m', `${options.memoryMb}M`],
    ...clock(options.cable),
    ...['-kernel', options.image, '-initrd', options.initramfs, '-append', kernelSettings.join(' ')],
    ...['-serial', `file:${escapeCommas(options.console)}`],
    ...['-device', 'virtio-serial-pci', '-chardev', 'stdio,id=commands,signal=off'],
    ...['-device', 'virtserialport,chardev=commands,name=commands'],
    ...share('root', '/', ',readonly=on'),
    ...share('results', options.results, ''),
    ...share('compiled', options.compiled, ''),
    ...(options.cable ? network(options.cable) : []),
  ];
}

/** The checkout may lie on another file system than the root: remap keeps their inodes apart. */
function share(tag: string, path: string, more: string): string[] {
  const file = `local,id=${tag},path=${escapeCommas(path)},security_model=none,multidevs=remap${more}`;
  return ['-fsdev', file, '-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`];
}

function network({ socket, peerSocket, mac }: CableEnd): string[] {
  const local = `local.type=unix,local.path=${escapeCommas(socket)}`;
  const remote = `remote.type=unix,remote.path=${escapeCommas(peerSocket)}`;
  const device = `virtio-net-pci,netdev=cable,mac=${mac},romfile=`;
  return ['-netdev', `dgram,id=cable,${local},${remote}`, '-device', device];
}

/** A comma within a value is written twice. */
const escapeCommas = (value: string): string => value.replaceAll(',', ',,');
