/**
 * `trace: FILE` of a link, where the file is a capture → how much of one direction passed over time. What a capture of a link that
 * was always full has of its rate is the link's own.
 */
import { bitsPerSecond, micros, toMillis } from '../../../../proto/units.ts';
import { CaptureProblem, type Direction, framesOfCapture } from './captured-packets.ts';

/** What passes in so long is one rate. */
const WINDOW_MS = 100;
export const CAPTURE = /\.(?:pcap|pcapng|cap)$/i;

export interface CapturedRates {
  /** Milliseconds from the first packet of the direction, ascending from 0: where the rate is another. */
  readonly startMs: Float64Array;
  /** Of frames as bandwidth counts them, in bit/s; 0 where nothing passed. */
  readonly rateBps: Float64Array;
  readonly periodMs: number;
  readonly from: string;
  readonly to: string;
  /** Packets with a payload that are of other directions, and count for nothing. */
  readonly others: number;
}

/** `most`: how long it may be, and how many steps it may have. Throws `CaptureProblem`. */
export function ratesOfCapture(
  bytes: Uint8Array,
  wanted: Direction,
  most: { readonly ms: number; readonly steps: number },
): CapturedRates {
  const { at, size, ...direction } = framesOfCapture(bytes, wanted);
  const windowOf = (time: number): number => Math.floor(toMillis(micros(time)) / WINDOW_MS);
  const windows = windowOf(at.at(-1)!) + 1;
  if (windows * WINDOW_MS > most.ms) throw new CaptureProblem('the trace is longer than a day', 'cut it');
  if (windows === 1)
    throw new CaptureProblem(
      `all its packets from ${direction.from} to ${direction.to} are within ${WINDOW_MS} ms`,
      'capture for longer, or name another direction with from and to',
    );
  const [startMs, rateBps]: [number[], number[]] = [[], []];
  for (let window = 0, next = 0; window < windows; window++) {
    let passed = 0;
    for (; next < at.length && windowOf(at[next]!) === window; next++) passed += size[next]!;
    const rate = Math.round(bitsPerSecond(passed, WINDOW_MS));
    if (rateBps.at(-1) === rate) continue;
    startMs.push(window * WINDOW_MS);
    rateBps.push(rate);
    if (startMs.length > most.steps)
      throw new CaptureProblem(`the trace changes more than ${most.steps} times`, 'cut it');
  }
  const series = { startMs: Float64Array.from(startMs), rateBps: Float64Array.from(rateBps) };
  return { ...series, periodMs: windows * WINDOW_MS, ...direction };
}
