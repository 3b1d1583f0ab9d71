/** Round-trip times by ping, read from its output in two ways. */
import { setTimeout as sleep } from 'node:timers/promises';
import { output, type Place } from '../../../controller/verify/traffic.ts';
import { millisToSeconds } from '../../../proto/units.ts';
import { BenchError } from '../../errors.ts';
import { sum } from '../statistics.ts';

/** Ethernet header and check sum, IPv4 header, ICMP header. */
const ETHERNET_BYTES = 18;
const IP_AND_ICMP_BYTES = 28;
/** ping's sending time travels in the payload, in a `struct timeval`. */
const MIN_PAYLOAD_BYTES = 16;

/** Of an echo request whose Ethernet frame, check sum included, has `frameBytes`. */
export function echoPayloadBytes(frameBytes: number): number {
  return Math.max(MIN_PAYLOAD_BYTES, frameBytes - ETHERNET_BYTES - IP_AND_ICMP_BYTES);
}

const SOME_LOST = 1;

async function ping(
  from: Place,
  to: Place,
  count: number,
  intervalMs: number,
  frameBytes: number,
): Promise<string> {
  const pace = ['-c', `${count}`, '-i', `${millisToSeconds(intervalMs)}`, '-W', '2'];
  const command = ['ping', '-n', ...pace, '-s', `${echoPayloadBytes(frameBytes)}`, to.address];
  return output(from, command, [0, SOME_LOST]);
}

export interface ExactPlan {
  readonly groups: number;
  readonly intervalMs: number;
  readonly frameBytes: number;
}

export interface Pings {
  readonly sent: number;
  /** Milliseconds. */
  readonly roundTripsMs: readonly number[];
}

/** For up to three pings, least, mean and greatest determine every value. */
export const GROUP_SIZE = 3;

/**
 * Single round-trip times, exact to 3 µs. ping rounds those of 100 ms or more to whole milliseconds, but not its
 * summary. Therefore pings are sent in groups of three, for which the summary determines all values. A group starts
 * while the last echoes of the previous one are under way, so that the pace is even.
 */
export async function pingExactly(from: Place, to: Place, plan: ExactPlan): Promise<Pings> {
  const { groups, intervalMs, frameBytes } = plan;
  const texts: Promise<string>[] = [];
  for (let group = 0; group < groups; group++) {
    texts.push(ping(from, to, GROUP_SIZE, intervalMs, frameBytes));
    await Promise.race([sleep(GROUP_SIZE * intervalMs), texts.at(-1)]);
  }
  const found = (await Promise.all(texts)).map(parseSummary);
  return {
    sent: sum(found.map(({ sent }) => sent)),
    roundTripsMs: found.flatMap(({ roundTripsMs }) => roundTripsMs),
  };
}

/** The round trips of at most three pings, in ascending order. Throws `OUTPUT_UNREADABLE`. */
export function parseSummary(text: string): Pings {
  const counts = /^(\d+) packets transmitted, (\d+) received/m.exec(text);
  if (!counts) throw unreadable(text);
  const [sent, received] = [Number(counts[1]), Number(counts[2])];
  if (received === 0) return { sent, roundTripsMs: [] };
  const times = /= ([\d.]+)\/([\d.]+)\/([\d.]+)\/[\d.]+ ms/.exec(text);
  if (!times || received > GROUP_SIZE) throw unreadable(text);
  const [least, mean, greatest] = [Number(times[1]), Number(times[2]), Number(times[3])];
  if (received === 1) return { sent, roundTripsMs: [mean] };
  if (received === 2) return { sent, roundTripsMs: [least, greatest] };
  return { sent, roundTripsMs: [least, 3 * mean - least - greatest, greatest] };
}

export interface EachPlan {
  readonly count: number;
  readonly intervalMs: number;
  readonly frameBytes: number;
}

/** Each round trip in milliseconds, as exact as ping prints it: below 100 ms to 0.1 ms. */
export async function pingEach(from: Place, to: Place, plan: EachPlan): Promise<number[]> {
  return parseEach(await ping(from, to, plan.count, plan.intervalMs, plan.frameBytes));
}

/** Throws `OUTPUT_UNREADABLE`. */
export function parseEach(text: string): number[] {
  if (!/^\d+ packets transmitted/m.test(text)) throw unreadable(text);
  // A duplicate is no second sample.
  const lines = text.split('\n').filter((line) => !line.includes('DUP!'));
  return lines.flatMap((line) => / time=([\d.]+) ms/.exec(line)?.[1] ?? []).map(Number);
}

function unreadable(text: string): BenchError {
  return new BenchError('OUTPUT_UNREADABLE', `can't read what ping printed: ${text.trim().slice(-200)}`);
}
