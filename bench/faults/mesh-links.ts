/**
 * Damages the network between agents, and repairs it. nftables drops the packets of cut links. netfold's own delay
 * line delays and drops the rest, since kernels without netem have nothing else. Packets of endpoints have other
 * addresses and are not affected.
 */

import { spawnSync } from 'node:child_process';
import { namespacePath } from '../../agent/kernel/netns/namespace-files.ts';
import { DelayLine } from '../../agent/linux/delay-line/delay-line.ts';
import { loadPrograms, type Programs } from '../../agent/linux/programs/programs.ts';
import { inNamespace } from '../../controller/names.ts';
import { FABRIC_INTERFACE } from '../../controller/platform/lab/lab-plan.ts';
import type { PlannedHost } from '../../controller/platform/port/plan.ts';
import { packetImpairment } from '../../proto/impairment.ts';
import { fromMillis, ratio } from '../../proto/units.ts';
import { BenchError } from '../errors.ts';
import type { Direction } from './plan.ts';

const BAD = packetImpairment({ latency: fromMillis(100), loss: ratio(0.2) });

interface Trouble {
  readonly what: 'cut' | 'bad';
  readonly directions: readonly Direction[];
}

export class MeshLinks {
  readonly #hosts: readonly PlannedHost[];
  readonly #programs: Programs;
  readonly #line: DelayLine;
  readonly #troubles = new Set<Trouble>();

  constructor(hosts: readonly PlannedHost[], seed: number) {
    this.#hosts = hosts;
    this.#programs = loadPrograms(1);
    this.#line = new DelayLine({ seed, arrivalFd: this.#programs.arrivalFd });
  }

  /** Several troubles add up. Resolves when it is in force. Throws `BenchError`. */
  async begin(trouble: Trouble): Promise<void> {
    this.#troubles.add(trouble);
    await this.#apply(trouble);
  }

  async end(trouble: Trouble): Promise<void> {
    this.#troubles.delete(trouble);
    await this.#apply(trouble);
  }

  async stop(): Promise<void> {
    await this.#line.stop();
    await this.#programs.close();
  }

  async #apply({ what, directions }: Trouble): Promise<void> {
    for (const host of new Set(directions.map(({ to }) => to)))
      if (what === 'cut') this.#drop(host);
      else await this.#delay(host);
  }

  /** Addresses of the hosts whose packets to `host` have this trouble. */
  #sources(what: Trouble['what'], host: number): string[] {
    const found = [...this.#troubles]
      .filter((one) => one.what === what)
      .flatMap(({ directions }) => directions);
    const from = new Set(found.filter(({ to }) => to === host).map((direction) => direction.from));
    return [...from].map((index) => this.#hosts[index]!.address);
  }

  #drop(host: number): void {
    const { namespace } = this.#hosts[host]!;
    const rules = this.#sources('cut', host).map((address) => `ip saddr ${address} drop;`);
    const chain = `chain input { type filter hook input priority 0; ${rules.join(' ')} }`;
    const input = `table inet faults\ndelete table inet faults\ntable inet faults {\n${chain}\n}\n`;
    const [program, ...args] = inNamespace(namespace, ['nft', '-f', '-']);
    const { status, stderr } = spawnSync(program!, args, { input, encoding: 'utf8' });
    if (status !== 0) throw new BenchError('FAULT_FAILED', `nft in ${namespace}: ${stderr.trim()}`);
  }

  async #delay(host: number): Promise<void> {
    const { namespace, address } = this.#hosts[host]!;
    const { name: ifname, index: ifindex } = FABRIC_INTERFACE;
    const place = { number: host, name: namespace, namespace: namespacePath(namespace), ifname, ifindex };
    const sources = this.#sources('bad', host);
    const paths = sources.map((source) => ({ source: [source], destination: [address], ...BAD }));
    await this.#line.set({ ...place, addresses: [address] }, paths);
  }
}
