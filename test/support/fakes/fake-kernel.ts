/** The kernel's part in an agent, in memory: fake tc and delays, and traffic under a test's control. */

import type { Kernel } from '../../../agent/daemon/ports.ts';
import { readLaneAddress } from '../../../agent/enforce/lanes.ts';
import type { ChangeWatch } from '../../../agent/enforce/ports.ts';
import { addressBytes, addressKey } from '../../../agent/kernel/netlink/addresses.ts';
import type { UsageRows } from '../../../agent/usage/reader.ts';
import type { Exemption, LocalEndpoint } from '../../../proto/bootstrap.ts';
import type { Lanes } from '../../../proto/lanes.ts';
import { FakeDelay } from './fake-delay.ts';
import { FakeTc } from './fake-tc.ts';

/** What an endpoint sends: bytes per second, by addresses. */
export interface Stream {
  readonly from: string;
  readonly to: string;
  bytesPerSecond: number;
}

export class FakeChanges implements ChangeWatch {
  readonly attached = new Set<number>();
  /** Endpoints at which something is changed, until they are taken. */
  readonly changed = new Set<number>();
  readonly problems: string[] = [];

  attach({ number }: LocalEndpoint): void {
    this.attached.add(number);
  }

  detach({ number }: Pick<LocalEndpoint, 'number'>): void {
    this.attached.delete(number);
  }

  take(): Set<number> {
    const taken = new Set(this.changed);
    this.changed.clear();
    return taken;
  }

  close(): void {
    this.attached.clear();
  }
}

export class FakeKernel implements Kernel {
  readonly tc = new FakeTc();
  readonly delay = new FakeDelay();
  readonly changes = new FakeChanges();
  readonly counted = new Map<number, LocalEndpoint>();
  readonly streams = new Set<Stream>();
  isClosed = false;
  uncounted = 0;
  leaseMs: number | undefined;
  exempted: readonly Exemption[] = [];
  #numbers: ReadonlyMap<string, number> = new Map();
  #readMs: number;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.#readMs = now();
  }

  /** Only traffic of counted endpoints is seen, as with the socket filter. */
  readonly usage = {
    read: (): UsageRows => {
      const seconds = (this.#now() - this.#readMs) / 1000;
      this.#readMs = this.#now();
      const local = new Set([...this.counted.values()].flatMap(({ addresses }) => addresses));
      const rows = [...this.streams].filter(({ from }) => local.has(from));
      return {
        count: rows.length,
        source: Int32Array.from(rows, ({ from }) => this.#numberOf(from)),
        destination: Int32Array.from(rows, ({ to }) => this.#numberOf(to)),
        bytes: Float64Array.from(rows, ({ bytesPerSecond }) => bytesPerSecond * seconds),
        frames: Float64Array.from(rows, ({ bytesPerSecond }) => Math.ceil((bytesPerSecond * seconds) / 1514)),
      };
    },
    setEndpoints: (numbers: ReadonlyMap<string, number>): void => {
      this.#numbers = numbers;
    },
    uncounted: (): number => this.uncounted,
    unlisted: 0,
  };

  /** A test sets it where pairs have several paths; streams then go to addresses with a lane, as targets do. */
  lanes: Lanes | undefined;

  #numberOf(text: string): number {
    const { address, lane } = readLaneAddress(text);
    const number = this.#numbers.get(addressKey(addressBytes(address), 0)) ?? -1;
    return number === -1 ? -1 : (this.lanes?.number(number, lane) ?? number);
  }

  renewLease(milliseconds: number): void {
    this.leaseMs = milliseconds;
  }

  exempt(traffic: readonly Exemption[]): void {
    this.exempted = traffic;
  }

  countTraffic(endpoint: LocalEndpoint): void {
    if (this.counted.has(endpoint.number)) throw new Error(`${endpoint.name} is counted already`);
    this.counted.set(endpoint.number, endpoint);
  }

  readonly strayed = new Map<number, number>();

  strays(): ReadonlyMap<number, number> {
    return this.strayed;
  }

  resumeCounting(): boolean {
    return false;
  }

  async stopCounting({ number }: LocalEndpoint): Promise<void> {
    this.counted.delete(number);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
