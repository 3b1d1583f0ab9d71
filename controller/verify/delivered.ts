/**
 * Goodput of a slow TCP connection by the segments that have arrived, as its sender knows from acknowledgements. What its
 * receiver can read stands still while a lost segment is missing: a whole round trip, which is half a second where a slow
 * link has a full queue, so that it would have to be counted for minutes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bitsPerSecond, secondsToMillis } from '../../proto/units.ts';
import { type Flow, output, TrafficError } from './traffic.ts';

/** Of the connection to a port that has delivered most: iperf3 has one more, for control. */
export interface Delivered {
  readonly segments: number;
  readonly segmentBytes: number;
}

/** Payload bits per second during `seconds`, from `settleSeconds` from now on. The connection must exist by then. */
export async function deliveredGoodput(
  { from }: Flow,
  port: number,
  { seconds, settleSeconds }: { readonly seconds: number; readonly settleSeconds: number },
): Promise<number> {
  const look = async (): Promise<{ bytes: number; atMs: number }> => {
    const atMs = performance.now();
    const text = await output(from, ['ss', '-tinH', 'state', 'established', `( dport = :${port} )`]);
    const found = parseDelivered(text);
    if (!found) throw new TrafficError('ss', `shows no TCP connection to port ${port} of ${from.name}`);
    return { bytes: found.segments * found.segmentBytes, atMs };
  };
  await sleep(secondsToMillis(settleSeconds));
  const first = await look();
  await sleep(secondsToMillis(seconds));
  const last = await look();
  return bitsPerSecond(last.bytes - first.bytes, last.atMs - first.atMs);
}

/** What `ss -tinH` prints: two lines for each connection, the second one with `mss:1448` and `delivered:77`. */
export function parseDelivered(text: string): Delivered | undefined {
  const all = text.split('\n').flatMap((line): Delivered[] => {
    const segments = /\bdelivered:(\d+)/.exec(line)?.[1];
    const segmentBytes = /\bmss:(\d+)/.exec(line)?.[1];
    return segments === undefined || segmentBytes === undefined
      ? []
      : [{ segments: Number(segments), segmentBytes: Number(segmentBytes) }];
  });
  return all.sort((a, b) => b.segments - a.segments)[0];
}
