/** Very many pings in parallel, each a process of its own in its endpoint's namespace. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { namespacePath, within } from '../../../agent/kernel/netns/namespaces.ts';
import { type Place, TrafficError } from '../../../controller/verify/traffic.ts';
import { millisToSeconds } from '../../../proto/units.ts';
import { BenchError } from '../../errors.ts';
import { sum } from '../statistics.ts';

export interface PingPair {
  readonly from: Place;
  readonly to: Place;
  /** The expected round-trip time. */
  readonly targetMs: number;
}

export interface CrowdPlan {
  /** Echo requests of each. */
  readonly count: number;
  readonly intervalMs: number;
  /**
   * From one start to the next: a process takes some milliseconds to start, and starts should not affect the
   * measurement.
   */
  readonly staggerMs: number;
}

/** The round-trip times of one ping, exact to 1 µs. */
export interface RoundTripSummary {
  readonly sent: number;
  readonly received: number;
  /** NaN of nothing. */
  readonly meanMs: number;
  /** Mean of the squares of the differences from the mean. */
  readonly varianceMs2: number;
}

/**
 * `-U`: until ping has read the answer. Otherwise ping uses the kernel's arrival time if there is one. Packets of the
 * delay line have none, so their round-trip times would include the waking of ping, and others would not.
 */
const OPTIONS = ['-n', '-q', '-U'];
/** How long ping waits for the last answer. */
const LAST_SECONDS = 2;
const SOME_LOST = 1;

/** The pings of all pairs. `started` resolves when the last one has started, `ended` when all have ended. */
export class PingCrowd {
  readonly #children: ChildProcess[] = [];
  readonly #summaries: Promise<RoundTripSummary>[] = [];
  readonly started: Promise<void>;

  constructor(pairs: readonly PingPair[], plan: CrowdPlan) {
    this.started = this.#start(pairs, plan);
    // The rejection is handled when the promise is awaited later.
    this.started.catch(() => {});
  }

  get pids(): number[] {
    return this.#children.flatMap(({ pid, exitCode }) =>
      pid === undefined || exitCode !== null ? [] : [pid],
    );
  }

  /** In the order of the pairs. Throws `TRAFFIC_FAILED` or `OUTPUT_UNREADABLE`. */
  async ended(): Promise<RoundTripSummary[]> {
    await this.started;
    return Promise.all(this.#summaries);
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async #start(pairs: readonly PingPair[], { count, intervalMs, staggerMs }: CrowdPlan): Promise<void> {
    const pace = ['-c', `${count}`, '-i', `${millisToSeconds(intervalMs)}`, '-W', `${LAST_SECONDS}`];
    const began = performance.now();
    for (const [index, { from, to }] of pairs.entries()) {
      await sleep(Math.max(0, began + index * staggerMs - performance.now()));
      const summary = this.#ping(from, [...OPTIONS, ...pace, to.address]);
      summary.catch(() => {});
      this.#summaries.push(summary);
    }
  }

  /**
   * fork() gives the child the namespace of the calling thread; `ip netns exec` would copy all mounts for each
   * process.
   */
  async #ping({ name, namespace }: Place, args: readonly string[]): Promise<RoundTripSummary> {
    const child = within(namespacePath(namespace), () =>
      spawn('ping', args, { stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    this.#children.push(child);
    let said = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (text: Buffer) => {
        said += text.toString();
      });
    }
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exit) => resolve(exit ?? -1));
    });
    if (code !== 0 && code !== SOME_LOST)
      throw new TrafficError(`ping ${args.join(' ')}`, `exit ${code} in ${name}: ${said.trim().slice(-200)}`);
    return parseRoundTrips(said);
  }
}

/**
 * The summary of `ping -q`. It rounds single round-trip times, but neither the mean nor the deviation, which is that
 * of a whole population (iputils, ping_common.c, `finish`). Throws `OUTPUT_UNREADABLE`.
 */
export function parseRoundTrips(text: string): RoundTripSummary {
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(text);
  if (!counts) throw new BenchError('OUTPUT_UNREADABLE', `can't read what ping printed: ${text.slice(-200)}`);
  const times = /= [\d.]+\/([\d.]+)\/[\d.]+\/([\d.]+) ms/.exec(text);
  return {
    sent: Number(counts[1]),
    received: Number(counts[2]),
    meanMs: Number(times?.[1] ?? Number.NaN),
    varianceMs2: Number(times?.[2] ?? Number.NaN) ** 2,
  };
}

/** The differences of round-trip times from their targets. */
export interface CrowdError {
  readonly sent: number;
  readonly received: number;
  /** Over all round trips of all pairs: mean of the squares of their differences from the targets. */
  readonly meanSquaredMs2: number;
  /** The same for each pair that received an answer. */
  readonly pairsMs2: readonly number[];
  /** The mean difference of round-trip times from their targets, pair by pair. */
  readonly excessMs: readonly number[];
}

export function crowdError(targetsMs: readonly number[], summaries: readonly RoundTripSummary[]): CrowdError {
  const answered = summaries.flatMap((one, index) =>
    one.received > 0 ? [{ ...one, excess: one.meanMs - targetsMs[index]! }] : [],
  );
  const pairsMs2 = answered.map(({ excess, varianceMs2 }) => excess ** 2 + varianceMs2);
  const received = sum(answered.map((one) => one.received));
  return {
    sent: sum(summaries.map(({ sent }) => sent)),
    received,
    meanSquaredMs2: sum(answered.map((one, index) => one.received * pairsMs2[index]!)) / received,
    pairsMs2,
    excessMs: answered.map(({ excess }) => excess),
  };
}
