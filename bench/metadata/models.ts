/**
 * What other emulators would have sent for the same traffic. Pure. If something is not published, the assumption is
 * the one that sends less; docs/benchmarks.md lists them.
 */
import { bitsPerSecond, millisToSeconds } from '../../proto/units.ts';
import type { PairRecord, TrafficRecord } from './record.ts';

/** Ethernet, IPv4, and TCP with time stamps. Acknowledgements are not counted. */
export const HEADER_BYTES = 14 + 20 + 32;

/** What a container sends in every period, whatever it contains. */
export const PERIODIC_BYTES = 256;

export interface Sent {
  /** Of all hosts. A message to two hosts counts as two. */
  readonly messagesPerSecond: number;
  /** On the wire, with headers. */
  readonly bytesPerSecond: number;
}

/** Each container sends its rates to every other host, every 50 ms. */
export function periodic({ endpoints, windowsMs }: TrafficRecord, hosts: number): Sent {
  const messages = endpoints.length * windowsMs.length * (hosts - 1);
  return perSecond(messages, messages * (PERIODIC_BYTES + HEADER_BYTES), windowsMs);
}

/** From the code that Kollaps 2.0 publishes: emulationcore/src/graph.rs, `process_usage`, and communication.rs. */
export const REACTIVE = {
  /** A rate that differs by more from its last announcement is announced. */
  threshold: 0.05,
  /** Up to this part of the path's bandwidth nothing is announced, except for the end of a flow. */
  negligible: 0.01,
  /** The count of flows; then for each its rate, the count of its links, and their numbers of one byte. */
  headBytes: 1,
  flowBytes: 4 + 1,
  /** The code sends blocks of this size, however few of their bytes it uses. */
  blockBytes: 512,
} as const;

export interface PathFacts {
  readonly bandwidthBps: number;
  readonly links: number;
}

/** `used`: as if only the bytes that carry information were sent; `blocks`: as the code does. */
export type ReactiveSize = 'used' | 'blocks';

/** Each container sends the flows that have changed to every other host, in windows of 50 ms. */
export function reactive(
  { pairs, windowsMs }: TrafficRecord,
  hosts: number,
  pathOf: (from: string, to: string) => PathFacts,
  size: ReactiveSize,
): Sent {
  const bySource = Map.groupBy(pairs, ({ from }) => from);
  let messages = 0;
  let payload = 0;
  for (const own of bySource.values()) {
    const announced = own.map((pair) => {
      const path = pathOf(pair.from, pair.to);
      return { bytes: REACTIVE.flowBytes + path.links, changed: changes(pair, windowsMs, path) };
    });
    for (const window of windowsMs.keys()) {
      const due = announced.filter(({ changed }) => changed[window]);
      if (due.length === 0) continue;
      messages++;
      payload +=
        size === 'blocks'
          ? REACTIVE.blockBytes
          : REACTIVE.headBytes + due.reduce((sum, { bytes }) => sum + bytes, 0);
    }
  }
  const copies = hosts - 1;
  return perSecond(messages * copies, (payload + messages * HEADER_BYTES) * copies, windowsMs);
}

/** In which windows a flow is announced. The rate of the first window counts as known. */
function changes(
  { bytes }: PairRecord,
  windowsMs: readonly number[],
  { bandwidthBps }: PathFacts,
): boolean[] {
  let last: number | undefined;
  return bytes.map((count, window) => {
    const rate = bitsPerSecond(count, windowsMs[window]!);
    if (rate > 0 && rate <= REACTIVE.negligible * bandwidthBps) return false;
    if (last === undefined) {
      last = rate;
      return false;
    }
    const isNews = last === 0 ? rate > 0 : Math.abs(rate - last) > REACTIVE.threshold * last;
    if (isNews) last = rate;
    return isNews;
  });
}

function perSecond(messages: number, bytes: number, windowsMs: readonly number[]): Sent {
  const seconds = millisToSeconds(windowsMs.reduce((sum, ms) => sum + ms, 0));
  return { messagesPerSecond: messages / seconds, bytesPerSecond: bytes / seconds };
}
