/**
 * Delay, jitter and loss by netem. It is part of the class queues that the enforcer installs
 * (agent/enforce/path-class.ts), so this backend only counts packets.
 */
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { packetImpairment, transmissionOf } from '../../../proto/impairment.ts';
import { nanosPerByte } from '../../../proto/units.ts';
import type { InQueue } from '../../enforce/path-class.ts';
import type { DelayBackend, DelayCounters, DelayDemand, TcPort } from '../../enforce/ports.ts';
import { tooManyPairs } from '../../enforce/too-many-pairs.ts';
import { removeArrivalQueue } from '../delay-line/arrival-queue.ts';

/** All are made from the start: a class costs the kernel 0.1 ms and more (docs/limits.md). */
const MOST_PAIRS = 32_768;

const slowestOnly: InQueue = (path) => {
  const { transmission, spacing = nanosPerByte(0), overhead, overheadTime, cellTime } = path;
  if (transmission === path.spacing && overheadTime === undefined && cellTime === undefined) return path;
  return packetImpairment({ ...path, ...transmissionOf(spacing, overhead) });
};

export class Netem implements DelayBackend {
  readonly name = 'netem';
  readonly pairs = { fromTheStart: MOST_PAIRS, atMost: MOST_PAIRS };
  readonly failure = undefined;
  /** The queues of the classes do all of it. */
  readonly inQueue: InQueue;
  readonly #tc: TcPort;
  readonly #endpoints = new Map<number, LocalEndpoint>();

  /** `canFollow`: netem can be within netem, so that packets take the transmission times of all links, not of the slowest alone. */
  constructor(tc: TcPort, canFollow: boolean) {
    this.#tc = tc;
    this.inQueue = canFollow ? (path) => path : slowestOnly;
  }

  async attach(endpoint: LocalEndpoint, isAdopted: boolean): Promise<void> {
    // The earlier agent may have used the delay line.
    if (isAdopted) removeArrivalQueue(endpoint);
    this.#endpoints.set(endpoint.number, endpoint);
  }

  async detach(endpoint: LocalEndpoint): Promise<void> {
    this.#endpoints.delete(endpoint.number);
  }

  async set(): Promise<void> {}

  async change(): Promise<void> {}

  /** A pair's queue must exist before its first packet. */
  async onDemand({ endpoints }: DelayDemand): Promise<void> {
    throw tooManyPairs(this.#endpoints.size * (endpoints.length - 1), this);
  }

  counters(): DelayCounters {
    const sum = { packets: 0, lost: 0, held: 0 };
    for (const endpoint of this.#endpoints.values()) {
      const { passed, lost, held } = this.#tc.stats(endpoint);
      sum.packets += passed + lost;
      sum.lost += lost;
      sum.held += held;
    }
    return { ...sum, latestMs: 0 };
  }

  async stop(): Promise<void> {
    this.#endpoints.clear();
  }
}
