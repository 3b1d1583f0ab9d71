/** TCP at a steady pace over a dumbbell: every way carries the same frames. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedEndpoint } from '../../controller/platform/port/plan.ts';
import { bytesOf, millisToSeconds, secondsToMillis } from '../../proto/units.ts';
import { FLOW_BPS } from '../cpu/model.ts';
import { watchCpu } from '../measure/cpu/cpu-watch.ts';
import { sum } from '../measure/statistics.ts';
import { segmentsSent } from '../measure/traffic/tcp-segments.ts';
import { TcpStreams } from '../measure/traffic/tcp-streams.ts';
import type { Populated } from './labs.ts';
import type { Cost } from './model.ts';

/** Payload of a full frame: what a paced socket counts. */
const SEGMENT_BYTES = 1448;
/** Below each flow's share, so that it is the application that limits, also where nothing is shaped. */
const PACE_BPS = 0.9 * FLOW_BPS;

export function dumbbellPackets(clients: number): number {
  return (clients * bytesOf(PACE_BPS)) / SEGMENT_BYTES;
}

export interface Timing {
  /** From the start of the last flow. */
  readonly settleSeconds: number;
  readonly seconds: number;
}

/** Frames are the segments of the clients, whose acknowledgements are few: servers send nothing. */
export async function dumbbellCost(
  clients: number,
  { settleSeconds, seconds }: Timing,
  { endpoints, agents }: Populated,
): Promise<Cost> {
  const named = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));
  const all = (service: string): PlannedEndpoint[] =>
    Array.from({ length: clients }, (_, index) => named.get(`${service}.${index}`)!);
  const [from, to] = [all('client'), all('server')];
  const streams = new TcpStreams();
  try {
    await streams.start(
      from.map((client, index) => ({ from: client, to: to[index]! })),
      PACE_BPS,
    );
    await sleep(secondsToMillis(settleSeconds));
    const before = count(from);
    const use = await watchCpu({ agents, traffic: streams.pids, seconds });
    const after = count(from);
    streams.check();
    const elapsed = millisToSeconds(after.atMs - before.atMs);
    return { use, packetsPerSecond: (after.segments - before.segments) / elapsed };
  } finally {
    streams.stop();
  }
}

function count(clients: readonly PlannedEndpoint[]): { segments: number; atMs: number } {
  const segments = sum(clients.map(segmentsSent));
  return { segments, atMs: performance.now() };
}
