/**
 * Bursts, queues and GSO sizes that follow from rate and delay. All are per path and never constant: a queue of 1,000
 * packets is 12 ms at 1 Gb/s and 95 s at 128 kb/s.
 */
import { FULL_FRAME_BYTES } from '../../proto/queue.ts';
import { amountIn, type Micros, toSeconds } from '../../proto/units.ts';
import type { FifoQueue } from './interface-state.ts';

const FRAME_BYTES = FULL_FRAME_BYTES;

/**
 * How late the kernel's timer may wake HTB without a loss of throughput. A larger burst lets more than the rate
 * through after a pause; 2 ms kept 1 Gb/s exact on two busy cores, and is one frame below 6 Mb/s.
 */
const TIMER_SLACK_SECONDS = 0.002;

/** tc carries a burst as a time: 32 bits of 64 ns. Below 44 b/s a frame takes longer. */
const MAX_BURST_SECONDS = 274;

/**
 * The same where netem lets no packets leave closer together than the slowest link does. What HTB is late by beyond its burst it
 * never makes up for, while the classifier's buffer goes on taking packets at the full rate: each such delay would make the queue of
 * a busy path longer, for as long as it is busy. On an emulated processor, a queue of 100 ms became one of 112 ms in some seconds.
 * A path that has all of its slowest link makes no burst by this; one with a share of it does after silence, at that link's rate.
 */
const PACED_SLACK_SECONDS = { alone: 0.1, sharing: 0.01 } as const;

/** `pace`: bytes per second of the slowest link, where netem keeps it, or 0. */
export function burstBytes(bytesPerSecond: number, pace = 0): number {
  const { alone, sharing } = PACED_SLACK_SECONDS;
  const slack = pace === 0 ? TIMER_SLACK_SECONDS : bytesPerSecond >= pace - 1 ? alone : sharing;
  const burst = Math.max(FRAME_BYTES, Math.ceil(bytesPerSecond * slack));
  return Math.min(burst, Math.floor(bytesPerSecond * MAX_BURST_SECONDS));
}

/**
 * A queue holds the bandwidth-delay product, which keeps a loss-based TCP at full rate (Villamizar and Song, "High
 * performance TCP in ANSNET", 1994), plus the bursts that hosts make at any round-trip time.
 */
const HOST_BURST_SECONDS = 0.01;
/** TCP starts with ten segments (RFC 6928); fewer places would lose them on a slow link. */
const MIN_QUEUE_FRAMES = 16;
/**
 * The largest IP packet is 45 fragments, which arrive at once and would never all get through a smaller queue. But a queue
 * that takes longer than this keeps TCP from anything else for seconds when it overflows.
 */
const LARGEST_PACKET = { frames: 48, mostSeconds: 0.6 } as const;

/** tc's limits are 32 bits, and signed in places. */
const MAX_LIMIT = 0x7fffffff;

/** The room in front of a path, in bytes, from bandwidth and round trip. */
export function bufferBytes(bytesPerSecond: number, rttMicros: Micros, gsoSegments: number): number {
  const product = bytesPerSecond * (toSeconds(rttMicros) + HOST_BURST_SECONDS);
  const largest = Math.min(LARGEST_PACKET.frames * FRAME_BYTES, LARGEST_PACKET.mostSeconds * bytesPerSecond);
  const limit = Math.max(product, largest, MIN_QUEUE_FRAMES * FRAME_BYTES, 2 * gsoSegments * FRAME_BYTES);
  return Math.min(Math.ceil(limit), MAX_LIMIT);
}

/** The queue of a path that is delayed elsewhere: the user's number of packets, or the derived buffer. */
export function fifoQueue(derivedBytes: number, packets?: number): FifoQueue {
  return packets === undefined ? { kind: 'bfifo', limit: derivedBytes } : { kind: 'pfifo', limit: packets };
}

/** The smallest Ethernet frame without its check sum. */
const SMALLEST_FRAME_BYTES = 60;
/** If neither rate nor buffer bounds the packets under way: 10 ms of small packets, or 1.5 GB of full frames. */
const MAX_UNDER_WAY = 1_000_000;

/**
 * How many packets netem may have to hold: all that the buffer lets through at the rate, if they are the smallest.
 */
export function netemLimit(bytesPerSecond: number, latencyMicros: Micros, buffer: number): number {
  const bytes = amountIn(latencyMicros, bytesPerSecond) + buffer;
  const packets = Math.ceil(bytes / SMALLEST_FRAME_BYTES);
  return Math.min(Math.max(packets, MIN_QUEUE_FRAMES), buffer > 0 ? MAX_LIMIT : MAX_UNDER_WAY);
}

/**
 * A GSO packet passes HTB as one packet. If it is longer than this at the slowest path's rate, competing flows
 * stutter.
 */
const GSO_SECONDS = 0.001;
/** 64 KB, the kernel's default. */
export const MAX_GSO_SEGMENTS = 44;

/** How many frames one packet may have on an interface whose slowest path has this rate. */
export function gsoSegments(slowestBytesPerSecond: number): number {
  const segments = Math.floor((slowestBytesPerSecond * GSO_SECONDS) / FRAME_BYTES);
  return Math.min(Math.max(segments, 1), MAX_GSO_SEGMENTS);
}
