/** What a result depends on of this machine. Nothing in it identifies the machine or its user. */
import { readFileSync } from 'node:fs';
import si from 'systeminformation';
import type { Ability, AbilityId } from '../../agent/linux/probe/ability.ts';

export interface HardwareFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Name of the hypervisor; null on bare metal. */
  readonly virtual: string | null;
  readonly distribution: string;
  readonly kernel: string;
}

let hardware: Promise<HardwareFacts> | undefined;

/** Asked once: it takes a dozen other programs, and a process that runs many experiments meets no other machine. */
export function hardwareFacts(): Promise<HardwareFacts> {
  hardware ??= readHardwareFacts().catch((error) => {
    hardware = undefined;
    throw error;
  });
  return hardware;
}

async function readHardwareFacts(): Promise<HardwareFacts> {
  const [os, cpu, system, memory] = await Promise.all([si.osInfo(), si.cpu(), si.system(), si.mem()]);
  return {
    cpu: `${cpu.manufacturer} ${cpu.brand}`.trim(),
    cores: cpu.cores,
    memoryGiB: Math.round(memory.total / 2 ** 30),
    virtual: system.virtual ? system.virtualHost || 'unknown' : null,
    distribution: `${os.distro} ${os.release}`.trim(),
    kernel: os.kernel,
  };
}

/** What of the kernel decides how it queues and sends. */
export interface KernelFacts {
  /** Of queues and what fills them, what it has: it was tried. Names as of `netfold doctor`. */
  readonly queueing: readonly AbilityId[];
  /** Names as of `sysctl`; of the machine's own namespace, with which those of endpoints begin. */
  readonly settings: Readonly<Record<string, string>>;
}

const QUEUEING: ReadonlySet<AbilityId> = new Set(['htb', 'netem', 'nfqueue', 'clsact', 'bpf-classifier']);

const SETTINGS = [
  'net.core.default_qdisc',
  'net.core.rmem_max',
  'net.core.wmem_max',
  'net.ipv4.tcp_congestion_control',
  'net.ipv4.tcp_available_congestion_control',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  'net.ipv4.tcp_limit_output_bytes',
] as const;

/** `abilities`: of this machine, as tried. Settings that the kernel does not have are left out. */
export function kernelFacts(abilities: readonly Ability[]): KernelFacts {
  const settings = SETTINGS.flatMap((name) => {
    const value = settingOf(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    queueing: abilities.flatMap(({ id, ok }) => (ok && QUEUEING.has(id) ? [id] : [])),
    settings: Object.fromEntries(settings),
  };
}

function settingOf(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8')
      .trim()
      .replace(/\s+/g, ' ');
  } catch {
    return undefined;
  }
}
