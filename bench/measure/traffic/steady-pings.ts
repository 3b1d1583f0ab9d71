/** Crowds of pings at a steady pace, and the use of the processors meanwhile. */
import { secondsToMillis } from '../../../proto/units.ts';
import { type CpuUse, watchCpu } from '../cpu/cpu-watch.ts';
import { type CrowdError, type CrowdPlan, crowdError, PingCrowd, type PingPair } from './ping-crowd.ts';

/** From one echo request of an endpoint to the next. */
export const INTERVAL_MS = 1000;

export interface PingEffort {
  /** While all endpoints ping. */
  readonly seconds: number;
  readonly staggerMs: number;
}

export interface Steady {
  readonly error: CrowdError;
  /** While all endpoints ping. */
  readonly use: CpuUse;
}

/** One echo request of each pair. */
export async function pingOnce(pairs: readonly PingPair[], staggerMs: number): Promise<CrowdError> {
  const { summaries } = await withCrowd(pairs, { count: 1, intervalMs: INTERVAL_MS, staggerMs });
  return crowdError(targetsOf(pairs), summaries);
}

/** `ask` is called before and after the time in which all ping, which is watched. */
export async function pingSteadily(
  pairs: readonly PingPair[],
  agents: readonly number[],
  { seconds, staggerMs }: PingEffort,
  ask: () => Promise<void> = async () => {},
): Promise<Steady> {
  // The first ping ends when all have pinged for so long.
  const count =
    Math.ceil((pairs.length * staggerMs) / INTERVAL_MS) + secondsToMillis(seconds) / INTERVAL_MS + 2;
  const plan = { count, intervalMs: INTERVAL_MS, staggerMs };
  const { summaries, watched } = await withCrowd(pairs, plan, async (crowd) => {
    await ask();
    const use = await watchCpu({ agents, traffic: crowd.pids, seconds });
    await ask();
    return use;
  });
  return { error: crowdError(targetsOf(pairs), summaries), use: watched! };
}

async function withCrowd<T>(
  pairs: readonly PingPair[],
  plan: CrowdPlan,
  whenAllPing?: (crowd: PingCrowd) => Promise<T>,
) {
  const crowd = new PingCrowd(pairs, plan);
  try {
    await crowd.started;
    const watched = await whenAllPing?.(crowd);
    return { summaries: await crowd.ended(), watched };
  } finally {
    crowd.stop();
  }
}

const targetsOf = (pairs: readonly PingPair[]): number[] => pairs.map(({ targetMs }) => targetMs);
