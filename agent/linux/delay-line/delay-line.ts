/**
 * Delay, jitter and loss for kernels without netem. Packets that arrive at a destination endpoint go through a queue to a
 * thread of this agent, which holds them until they are due. They are held at the destination and not at the source, because
 * TCP limits the data that it has in local queues (TCP small queues), and would be throttled by packets that are held at the
 * source.
 *
 * An endpoint belongs to one thread. A thread serves thousands of endpoints; machines with many cores have several threads.
 */
import { availableParallelism } from 'node:os';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import {
  encodePacketImpairment,
  impairsPackets,
  type PacketImpairment,
  packetImpairment,
} from '../../../proto/impairment.ts';
import { nanosToMillis, ratio } from '../../../proto/units.ts';
import { UNIMPAIRED } from '../../enforce/path-class.ts';
import type {
  DelayBackend,
  DelayCounters,
  DelayDemand,
  DemandedPath,
  ImpairedPath,
} from '../../enforce/ports.ts';
import { kernelMonotonicNanos } from '../../kernel/bpf/kernel-clock.ts';
import { addressBytes } from '../../kernel/netlink/addresses.ts';
import { type ArrivalQueue, ArrivalQueues, unlessGone } from './arrival-queue.ts';
import { Attendance } from './attendance.ts';
import { doAll } from './do-all.ts';
import { COUNTER, type PairEntry } from './messages.ts';
import type { DelayEntry } from './path-table.ts';
import { DelayThread, type Notice } from './thread.ts';

/** On its own core, a thread delays 60,000 packets a second. The other cores are for the experiment. */
const CORES_PER_THREAD = 4;
const MAX_THREADS = 8;

/** The number of endpoints that are attached before other work of the agent gets its turn. */
const ATTACHED_AT_ONCE = 32;

/**
 * Up to this number of pairs, all have class and delay from the start; above, only those in use. A class takes the kernel
 * 0.1 ms or more (docs/limits.md); checking all pairs in a new epoch takes 2 ms.
 */
export const PAIRS_FROM_THE_START = 4096;

export class DelayLine implements DelayBackend {
  readonly name = 'delay-line';
  readonly pairs = { fromTheStart: PAIRS_FROM_THE_START, atMost: Number.POSITIVE_INFINITY };
  readonly inQueue = () => UNIMPAIRED;
  readonly #threads: readonly DelayThread[];
  readonly #queues = new Map<number, ArrivalQueue>();
  readonly #endpoints = new Map<number, LocalEndpoint>();
  /** Endpoints on which an earlier agent may have left a queue. */
  readonly #adopted = new Set<number>();
  /** Endpoint → fulfilled when its last `set` or `change` is in force. */
  readonly #setting = new Map<number, Promise<void>>();
  readonly #arrivals: ArrivalQueues;
  readonly #attendance: Attendance | undefined;
  #demand: DelayDemand | undefined;
  #stopped: Promise<void> | undefined;

  /**
   * `arrivalFd`: the BPF program that marks each packet with its arrival time. `attendedFd`: the map that tells it until when the
   * threads serve their queues; without it, packets wait for a stopped agent for ever. `spreadSeed`: as in `Spread`.
   */
  constructor({
    seed,
    arrivalFd,
    attendedFd,
    spreadSeed,
    cores = availableParallelism(),
  }: { seed: number; arrivalFd: number; attendedFd?: number; spreadSeed?: number; cores?: number }) {
    this.#arrivals = new ArrivalQueues(arrivalFd);
    this.#attendance = attendedFd === undefined ? undefined : new Attendance(attendedFd);
    const count = Math.min(Math.max(Math.floor(cores / CORES_PER_THREAD), 1), MAX_THREADS);
    this.#threads = Array.from(
      { length: count },
      (_, index) =>
        new DelayThread(
          {
            seed: seed + index,
            ...(attendedFd !== undefined && { attendedFd }),
            ...(spreadSeed !== undefined && { spreadSeed }),
          },
          (notice) => this.#answer(notice),
        ),
    );
  }

  /** Installs nothing yet: an endpoint whose paths neither delay nor lose packets never needs a queue. */
  async attach(endpoint: LocalEndpoint, isAdopted: boolean): Promise<void> {
    this.#endpoints.set(endpoint.number, endpoint);
    if (isAdopted) this.#adopted.add(endpoint.number);
  }

  set(endpoint: LocalEndpoint, paths: Iterable<ImpairedPath>): Promise<void> {
    const all = [...paths];
    return this.#inTurn(endpoint, () => this.#set(endpoint, all));
  }

  /** Runs the actions of an endpoint one after the other: its queue is installed once, and the last call decides. */
  #inTurn({ number }: LocalEndpoint, action: () => Promise<void>): Promise<void> {
    const before = this.#setting.get(number);
    // Without an earlier action, the thread has the message before this returns.
    const done = before ? before.then(action) : action();
    const settled: Promise<void> = done
      .catch(() => {})
      .finally(() => {
        if (this.#setting.get(number) === settled) this.#setting.delete(number);
      });
    this.#setting.set(number, settled);
    return done;
  }

  async #set(endpoint: LocalEndpoint, paths: readonly ImpairedPath[]): Promise<void> {
    if (!(await this.#isInstalledFor(endpoint, paths))) return;
    const entries = paths.map(delayEntry);
    await this.#thread(endpoint.number).command({ kind: 'set', queue: endpoint.number, entries });
  }

  /** Installs the queue if these paths are the first that need it. */
  async #isInstalledFor(endpoint: LocalEndpoint, paths: readonly PacketImpairment[]): Promise<boolean> {
    if (this.#queues.has(endpoint.number)) return true;
    const isNeeded = paths.some(impairsPackets);
    // Installing replaces the queue of an earlier agent.
    if (this.#adopted.delete(endpoint.number) && !isNeeded) this.#arrivals.removeLeft(endpoint);
    if (isNeeded) await this.#install([endpoint]);
    return isNeeded;
  }

  /** Gives every attached endpoint a queue, since its paths are not known yet. */
  async onDemand(demand: DelayDemand): Promise<void> {
    this.#demand = demand;
    const { idleMs } = demand;
    const endpoints = demand.endpoints.map(
      ({ number, addresses }) => [number, addresses.map(addressBytes)] as const,
    );
    await Promise.all(
      this.#threads.map((thread) => thread.command({ kind: 'on-demand', endpoints, idleMs })),
    );
    const missing = [...this.#endpoints.values()].filter(({ number }) => !this.#queues.has(number));
    for (let start = 0; start < missing.length; start += ATTACHED_AT_ONCE)
      await this.#install(missing.slice(start, start + ATTACHED_AT_ONCE));
  }

  /**
   * Without an earlier action on an endpoint, the threads have the message before this returns. Packets of other paths pass.
   */
  async change(paths: Iterable<DemandedPath>): Promise<void> {
    const isBeingMade = ({ destination }: DemandedPath): boolean =>
      this.#setting.has(destination) || !this.#queues.has(destination);
    const [ready, others] = [[], []] as [DemandedPath[], DemandedPath[]];
    for (const path of paths) (isBeingMade(path) ? others : ready).push(path);
    const later = [...Map.groupBy(others, ({ destination }) => destination)].map(([number, own]) => {
      const endpoint = this.#endpoints.get(number);
      return endpoint && this.#inTurn(endpoint, () => this.#changeAt(endpoint, own));
    });
    await Promise.all([this.#sendPaths(ready), ...later]);
  }

  async #changeAt(endpoint: LocalEndpoint, paths: readonly DemandedPath[]): Promise<void> {
    if (await this.#isInstalledFor(endpoint, paths.map(impairmentsOf))) await this.#sendPaths(paths);
  }

  async #sendPaths(paths: readonly DemandedPath[]): Promise<void> {
    const pairs = paths.map((one) => pairEntry(one));
    await Promise.all(
      this.#threads.map((thread) => {
        const own = pairs.filter(({ queue }) => this.#thread(queue) === thread);
        return own.length === 0 ? undefined : thread.command({ kind: 'paths', pairs: own });
      }),
    );
  }

  /** After earlier actions on the endpoint. */
  detach(endpoint: LocalEndpoint): Promise<void> {
    this.#endpoints.delete(endpoint.number);
    return this.#inTurn(endpoint, () => this.#detach(endpoint));
  }

  async #detach(endpoint: LocalEndpoint): Promise<void> {
    // The queue of an earlier agent has no reader.
    if (this.#adopted.delete(endpoint.number)) unlessGone(() => this.#arrivals.removeLeft(endpoint));
    const queue = this.#queues.get(endpoint.number);
    if (!queue) return;
    this.#queues.delete(endpoint.number);
    try {
      queue.close();
    } finally {
      await this.#thread(endpoint.number)
        .command({ kind: 'detach', queue: endpoint.number })
        .finally(() =>
          doAll([() => queue.remove(), () => queue.release(), () => this.#arrivals.free(endpoint.number)]),
        );
    }
  }

  repair(endpoint: LocalEndpoint): string[] {
    const { number } = endpoint;
    const queue = this.#queues.get(number);
    if (!queue || this.#setting.has(number)) return [];
    const missing = queue.missing();
    // The thread has its queue still: only what leads to it is made again.
    if (missing.length > 0) this.#queues.set(number, this.#arrivals.install(endpoint));
    return missing;
  }

  get failure(): string | undefined {
    const failure = this.#threads.map((thread) => thread.failure).find((one) => one !== undefined);
    return failure && `nothing is delayed or lost any more: ${failure.message}`;
  }

  get changedAt(): number {
    const latest = Math.max(...this.#threads.map(({ counters }) => counters[COUNTER.changedMs]!));
    const monotonicMs = nanosToMillis(Number(kernelMonotonicNanos()));
    return performance.now() - (monotonicMs - latest);
  }

  counters(): DelayCounters {
    const read = (index: number): number[] => this.#threads.map(({ counters }) => counters[index] ?? 0);
    const sum = (index: number): number => read(index).reduce((all, one) => all + one, 0);
    return {
      packets: sum(COUNTER.packets),
      lost: sum(COUNTER.lost),
      held: sum(COUNTER.held),
      overflowed: sum(COUNTER.overflowed),
      unattended: this.#attendance?.passed ?? 0,
      latestMs: Math.max(...read(COUNTER.latestMs)),
      work: {
        turns: sum(COUNTER.turns),
        receiveMs: sum(COUNTER.receiveMs),
        passMs: sum(COUNTER.passMs),
        released: sum(COUNTER.released),
        lateMs: sum(COUNTER.lateMs),
        lateMs2: sum(COUNTER.lateMs2),
      },
    };
  }

  /** Ends the threads. They release their packets at once, in order. */
  stop(isRemoved = false): Promise<void> {
    // A second call would close descriptors that may belong to others by then.
    this.#stopped ??= this.#stop(isRemoved);
    return this.#stopped;
  }

  async #stop(isRemoved: boolean): Promise<void> {
    const left = [...this.#queues].filter(
      ([number]) => !isRemoved || this.#endpoints.get(number)?.outlivesAgent === true,
    );
    const queues = left.map(([, queue]) => queue);
    this.#queues.clear();
    try {
      doAll(queues.map((queue) => () => queue.close()));
    } finally {
      await Promise.all(this.#threads.map((thread) => thread.stop()));
      doAll([
        ...queues.map((queue) => () => queue.remove()),
        ...queues.map((queue) => () => queue.release()),
      ]);
    }
  }

  #thread(queue: number): DelayThread {
    return this.#threads[queue % this.#threads.length]!;
  }

  async #install(endpoints: readonly LocalEndpoint[]): Promise<void> {
    const attached = endpoints.map((endpoint) => {
      const { number, namespace, addresses } = endpoint;
      return this.#thread(number).command({
        kind: 'attach',
        queue: number,
        kernelQueue: this.#arrivals.reserve(endpoint),
        namespace,
        addresses: addresses.map(addressBytes),
      });
    });
    const results = await Promise.allSettled(attached);
    const failures: unknown[] = [];
    for (const [index, endpoint] of endpoints.entries()) {
      const result = results[index]!;
      try {
        if (result.status === 'rejected') throw result.reason;
        this.#queues.set(endpoint.number, this.#arrivals.install(endpoint));
      } catch (error) {
        failures.push(error);
        // The thread ignores this for a queue that it could not bind.
        await this.#thread(endpoint.number)
          .command({ kind: 'detach', queue: endpoint.number })
          .catch(() => {});
        this.#arrivals.free(endpoint.number);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #answer({ kind, pairs }: Notice): void {
    const demand = this.#demand;
    if (!demand) return;
    const answers: DemandedPath[] = [];
    for (let at = 0; at < pairs.length; at += 2) {
      const [destination, source] = [pairs[at]!, pairs[at + 1]!];
      if (kind === 'forgotten') demand.forget(destination, source);
      else answers.push(demand.ask(destination, source));
    }
    // The failure of a thread is in `failure`.
    if (answers.length > 0) this.change(answers).catch(() => {});
  }
}

function delayEntry(path: Omit<ImpairedPath, 'destination'>): DelayEntry {
  const { lane = 0 } = path;
  return {
    sources: path.source.map(addressBytes),
    ...encodePacketImpairment(path),
    ...(lane > 0 && { lane }),
  };
}

/** Without a path, every packet is lost. */
const NO_PATH = packetImpairment({ loss: ratio(1) });

function impairmentsOf({ path }: DemandedPath): PacketImpairment {
  return path ?? NO_PATH;
}

function pairEntry(pair: DemandedPath): PairEntry {
  const { destination, source, addresses, lane = 0, path } = pair;
  const entry = delayEntry({ ...impairmentsOf(pair), source: addresses, ...(lane > 0 && { lane }) });
  return { queue: destination, source, entry: path ? entry : { ...entry, isAbsent: true } };
}
