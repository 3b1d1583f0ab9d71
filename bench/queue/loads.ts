/** TCP and UDP that fill a queue, with pings beside them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startIperfServer } from '../../controller/verify/goodput.ts';
import { type Flow, MORE_HEADER6, output, ping, type RoundTrips } from '../../controller/verify/traffic.ts';
import { FULL_FRAME_BYTES } from '../../proto/queue.ts';
import { byteTime, fromMillis, secondsToMillis, timeToTransmit, toSeconds } from '../../proto/units.ts';
import type { LinkSettings } from './router.ts';

/** Payload of a UDP datagram in a full frame. */
const DATAGRAM_BYTES = 1472;
const FIRST_PORT = 5201;
const SECOND_PORT = 5202;
/** What is offered, of the rate, if nothing else is asked for. */
const OVERLOAD = 5 / 3;
const PINGS_MS = 100;
const FLOOD_SECONDS = 4;
/** Cubic's sawtooth (RFC 9438): from the fall to 0.7 of its window, back to it, it takes this many seconds. */
const cubicSeconds = (packets: number): number => Math.cbrt((packets * (1 - 0.7)) / 0.4);
const CYCLES = 3;

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
  return toSeconds(timeToTransmit(packets * FULL_FRAME_BYTES, byteTime(rateBps)));
}

/** TCP's congestion control. */
export type Control = 'cubic' | 'bbr';

/** Whether this kernel has it, or has loaded it now. */
export function hasControl(control: Control): boolean {
  spawnSync('modprobe', [`tcp_${control}`]);
  const all = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8');
  return all.trim().split(' ').includes(control);
}

const tcpSchema = z.object({
  end: z.object({
    sum_sent: z.object({ retransmits: z.number() }),
    sum_received: z.object({ bits_per_second: z.number() }),
  }),
});

/** One flow. Pings begin when it has had time to fill the queue. */
export async function fill(flow: Flow, link: LinkSettings, control: Control = 'cubic'): Promise<Filled> {
  const { result, roundTripMs } = await besidePings(flow, fillingOf(link), ['-C', control]);
  const { sum_sent, sum_received } = tcpSchema.parse(result).end;
  return {
    goodputBps: sum_received.bits_per_second,
    retransmissions: sum_sent.retransmits,
    roundTripMs,
  };
}

const udpSchema = z.object({ end: z.object({ sum: z.object({ lost_percent: z.number() }) }) });

/** Datagrams that fill frames, more than there is room for. `overload`: what is offered, of the rate. */
export async function flood(flow: Flow, link: LinkSettings, overload = OVERLOAD): Promise<Flooded> {
  // It fills at the difference of the two rates.
  const settle = 1 + fullSeconds(link) / (overload - 1);
  const how = datagrams(flow, overload * link.rateBps);
  const { result, roundTripMs } = await besidePings(flow, { settle, pinging: FLOOD_SECONDS }, how);
  return { lost: udpSchema.parse(result).end.sum.lost_percent / 100, roundTripMs };
}

/** Options of iperf3 for datagrams of full frames, whose payloads have this rate. */
function datagrams({ to }: Flow, bitsPerSecond: number): string[] {
  const bytes = isIPv6(to.address) ? DATAGRAM_BYTES - MORE_HEADER6 : DATAGRAM_BYTES;
  return ['-u', '-b', String(Math.round(bitsPerSecond)), '-l', String(bytes)];
}

/** One flow of cubic, whose queue is shared by datagrams of half the rate. */
export async function mix(flow: Flow, link: LinkSettings): Promise<Filled & Pick<Flooded, 'lost'>> {
  const [filled, { lost }] = await Promise.all([fill(flow, link), seep(flow, link)]);
  return { ...filled, lost };
}

/** Datagrams of half the rate, for as long as `fill` takes. */
async function seep(flow: Flow, link: LinkSettings): Promise<Pick<Flooded, 'lost'>> {
  const how = datagrams(flow, link.rateBps / 2);
  const result = await measured(flow, secondsOf(fillingOf(link)), how, SECOND_PORT);
  return { lost: udpSchema.parse(result).end.sum.lost_percent / 100 };
}

/** One flow of cubic to another destination, while datagrams overload the link to the first. */
export async function besideFlood(flooded: Flow, link: LinkSettings, other: Flow): Promise<number> {
  const [filled] = await Promise.all([fill(other, link), flood(flooded, link)]);
  return filled.goodputBps;
}

async function besidePings(
  flow: Flow,
  times: Times,
  how: readonly string[],
): Promise<{ result: unknown; roundTripMs: number }> {
  // The queue is full when they begin: the first answer comes when it has been sent.
  const patienceMs = secondsToMillis(1 + times.settle);
  const count = Math.ceil(times.pinging / toSeconds(fromMillis(PINGS_MS)));
  const pings = (): Promise<RoundTrips> => ping(flow.from, flow.to, count, PINGS_MS, patienceMs);
  const [result, { medianMs }] = await Promise.all([
    measured(flow, secondsOf(times), how),
    sleep(times.settle * 1000).then(pings),
  ]);
  return { result, roundTripMs: medianMs };
}

/** Seconds before pings begin, and during which they last. */
interface Times {
  readonly settle: number;
  readonly pinging: number;
}

function fillingOf(link: LinkSettings): Times {
  const cycles = CYCLES * (cubicSeconds(link.packets) + fullSeconds(link));
  return { settle: 2 + 3 * fullSeconds(link), pinging: Math.max(FLOOD_SECONDS, cycles) };
}

const secondsOf = ({ settle, pinging }: Times): number => Math.ceil(settle + pinging + 0.5);

/** What iperf3 says. */
async function measured(
  { from, to }: Flow,
  seconds: number,
  how: readonly string[],
  port = FIRST_PORT,
): Promise<unknown> {
  const server = await startIperfServer(to, port);
  try {
    const where = ['-c', to.address, '-p', String(port), '-t', String(seconds)];
    return JSON.parse(await output(from, ['iperf3', '-J', ...where, ...how]));
  } finally {
    server.child.kill('SIGKILL');
  }
}
