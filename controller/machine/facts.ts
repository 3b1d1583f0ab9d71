/** What a result depends on of this machine. Nothing in it identifies the machine or its user. */
import si from 'systeminformation';

export interface HardwareFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Name of the hypervisor; null on bare metal. */
  readonly virtual: string | null;
  readonly distribution: string;
  readonly kernel: string;
}

export async function readHardwareFacts(): Promise<HardwareFacts> {
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
