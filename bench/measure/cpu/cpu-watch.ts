/** Which processes use the processors during a time, slice by slice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { micros, millisToSeconds, secondsToMillis, toSeconds } from '../../../proto/units.ts';
import { machineTime, processSeconds, smallProcessSeconds, threadSeconds } from './cpu-times.ts';

/** The resolution of 10 ms is 0.2 % of a core in this time. */
const SLICE_SECONDS = 5;

export interface CpuPlan {
  /** Each is measured separately. */
  readonly agents: readonly number[];
  /** Processes that make the load; only their sum is measured. Those that end within a slice are left out of it. */
  readonly traffic: readonly number[];
  readonly seconds: number;
}

/** In cores: seconds of processor time per second of time. One value per slice. */
export interface CpuUse {
  readonly agents: readonly (readonly number[])[];
  readonly traffic: readonly number[];
  /** The bench itself. */
  readonly bench: readonly number[];
  /** The use of the whole machine. */
  readonly machine: readonly number[];
  readonly softirq: readonly number[];
  readonly stolen: readonly number[];
  /** All agents' threads by name, over the whole time. */
  readonly threads: ReadonlyMap<string, number>;
  readonly seconds: number;
}

interface Reading {
  readonly atMs: number;
  readonly agents: readonly number[];
  readonly traffic: readonly (number | undefined)[];
  readonly bench: number;
  readonly machine: ReturnType<typeof machineTime>;
}

export async function watchCpu({ agents, traffic, seconds }: CpuPlan): Promise<CpuUse> {
  const slices = Math.max(1, Math.round(seconds / SLICE_SECONDS));
  const threadsBefore = agents.map(threadSeconds);
  const moments = [look(agents, traffic)];
  for (let slice = 1; slice <= slices; slice++) {
    const due = moments[0]!.atMs + secondsToMillis(slice * seconds) / slices;
    await sleep(Math.max(0, due - performance.now()));
    moments.push(look(agents, traffic));
  }
  const spans = moments.slice(1).map((after, index) => ({ before: moments[index]!, after }));
  const watched = millisToSeconds(moments.at(-1)!.atMs - moments[0]!.atMs);
  const of = (grown: (before: Reading, after: Reading) => number): number[] =>
    spans.map(({ before, after }) => grown(before, after) / millisToSeconds(after.atMs - before.atMs));
  return {
    agents: agents.map((_, index) => of((before, after) => after.agents[index]! - before.agents[index]!)),
    traffic: of((before, after) => growth(before.traffic, after.traffic)),
    bench: of((before, after) => after.bench - before.bench),
    machine: of((before, after) => after.machine.busy - before.machine.busy),
    softirq: of((before, after) => after.machine.softirq - before.machine.softirq),
    stolen: of((before, after) => after.machine.stolen - before.machine.stolen),
    threads: threadsUse(threadsBefore, agents.map(threadSeconds), watched),
    seconds: watched,
  };
}

function look(agents: readonly number[], traffic: readonly number[]): Reading {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    agents: agents.map((pid) => processSeconds(pid) ?? Number.NaN),
    traffic: traffic.map(smallProcessSeconds),
    bench: toSeconds(micros(user + system)),
    machine: machineTime(),
  };
}

/** Of the keys that both have. */
export function growth(
  before: readonly (number | undefined)[],
  after: readonly (number | undefined)[],
): number {
  return before.reduce<number>((sum, seconds, index) => {
    const then = after[index];
    return seconds === undefined || then === undefined ? sum : sum + then - seconds;
  }, 0);
}

/** Cores by the name of the thread, all agents together, greatest first. */
export function threadsUse(
  before: readonly ReadonlyMap<string, number>[],
  after: readonly ReadonlyMap<string, number>[],
  seconds: number,
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [index, threads] of after.entries()) {
    for (const [name, now] of threads) {
      const grown = now - (before[index]?.get(name) ?? 0);
      sums.set(name, (sums.get(name) ?? 0) + grown / seconds);
    }
  }
  return new Map([...sums].sort(([, a], [, b]) => b - a));
}
