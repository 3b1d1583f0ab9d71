/** TCP and UDP that fill a queue, with pings beside them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startIperfServer } from '../../controller/verify/goodput.ts';
import { type Flow, output, ping } from '../../controller/verify/traffic.ts';
import { fromMillis, toSeconds } from '../../proto/units.ts';
import type { LinkSettings } from './router.ts';

const FRAME_BITS = 1514 * 8;
/** Payload of a UDP datagram in a full frame. */
const DATAGRAM_BYTES = 1472;
/** What is offered, of the rate. */
const OVERLOAD = 5 / 3;
const PINGS = { count: 40, intervalMs: 100 };

export interface Filled {
  /** Bits of TCP's payload per second at the receiver. */
  readonly goodputBps: number;
  readonly retransmissions: number;
  /** Median of pings beside it. */
  readonly roundTripMs: number;
}

export interface Flooded {
  /** Part of the datagrams that was lost. */
  readonly lost: number;
  readonly roundTripMs: number;
}

/** How long a full queue takes to be sent. */
export function fullSeconds({ rateBps, packets }: LinkSettings): number {
  return (packets * FRAME_BITS) / rateBps;
}

const tcpSchema = z.object({
  end: z.object({
    sum_sent: z.object({ retransmits: z.number() }),
    sum_received: z.object({ bits_per_second: z.number() }),
  }),
});

/** One flow of cubic. Pings begin when it has had time to fill the queue. */
export async function fill(flow: Flow, link: LinkSettings): Promise<Filled> {
  const settle = 2 + 3 * fullSeconds(link);
  const { result, roundTripMs } = await besidePings(flow, settle, ['-C', 'cubic']);
  const { sum_sent, sum_received } = tcpSchema.parse(result).end;
  return {
    goodputBps: sum_received.bits_per_second,
    retransmissions: sum_sent.retransmits,
    roundTripMs,
  };
}

const udpSchema = z.object({ end: z.object({ sum: z.object({ lost_percent: z.number() }) }) });

/** Datagrams that fill frames, more than there is room for. */
export async function flood(flow: Flow, link: LinkSettings): Promise<Flooded> {
  const offered = Math.round(OVERLOAD * link.rateBps);
  // It fills at the difference of the two rates.
  const settle = 1 + fullSeconds(link) / (OVERLOAD - 1);
  const { result, roundTripMs } = await besidePings(flow, settle, [
    '-u',
    '-b',
    String(offered),
    '-l',
    String(DATAGRAM_BYTES),
  ]);
  return { lost: udpSchema.parse(result).end.sum.lost_percent / 100, roundTripMs };
}

async function besidePings(
  { from, to }: Flow,
  settleSeconds: number,
  how: readonly string[],
): Promise<{ result: unknown; roundTripMs: number }> {
  const server = await startIperfServer(to);
  try {
    const pinging = toSeconds(fromMillis(PINGS.count * PINGS.intervalMs));
    const seconds = Math.ceil(settleSeconds + pinging + 0.5);
    const client = output(from, ['iperf3', '-J', '-c', to.address, '-t', String(seconds), ...how]);
    const pings = sleep(settleSeconds * 1000).then(() => ping(from, to, PINGS.count, PINGS.intervalMs));
    const [text, { medianMs }] = await Promise.all([client, pings]);
    return { result: JSON.parse(text), roundTripMs: medianMs };
  } finally {
    server.child.kill('SIGKILL');
  }
}
