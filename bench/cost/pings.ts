/** Thousands of endpoints that ping each other. */
import { millisToSeconds } from '../../proto/units.ts';
import { INTERVAL_MS, type PingEffort, pingOnce, pingSteadily } from '../measure/traffic/steady-pings.ts';
import { unshapedPairs } from '../scale/ring.ts';
import type { Populated } from './labs.ts';
import type { Cost } from './model.ts';

/** Echo request and answer. */
const PACKETS_EACH = 2;

export function pingPackets(endpoints: number): number {
  return (PACKETS_EACH * endpoints) / millisToSeconds(INTERVAL_MS);
}

/** Round-trip times are the business of the scale bench. Here it counts how many came back. */
export async function pingCost(
  seed: number,
  effort: PingEffort,
  { endpoints, agents }: Populated,
): Promise<Cost> {
  const pairs = unshapedPairs(endpoints, seed);
  // What the first packet of a pair makes is no steady cost.
  await pingOnce(pairs, effort.staggerMs);
  const { error, use } = await pingSteadily(pairs, agents, effort);
  return { use, packetsPerSecond: pingPackets(endpoints.length) * (error.received / error.sent) };
}
