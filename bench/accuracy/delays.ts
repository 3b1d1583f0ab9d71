/** One-way delays from 0 to 300 ms, by the round trips of small and of full frames. */
import type { Place } from '../../controller/verify/traffic.ts';
import {
  bps,
  byteTime,
  formatMicros,
  fromMillis,
  micros,
  timeToTransmit,
  toMillis,
} from '../../proto/units.ts';
import type { Lab } from '../lab.ts';
import { type Interval, interval99, median } from '../measure/statistics.ts';
import { beyondIdealLink } from '../measure/traffic/ideal-link.ts';
import { type Pings, pingEach, pingExactly } from '../measure/traffic/pings.ts';
import { judge, type Target, tried } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { type Context, isSlow, type Unshaped } from './context.ts';

const DELAYS_MS = [0, 5, 10, 50, 300];
const RATE_BPS = 10e9;
/** Of Ethernet frames with their check sum. */
export const FRAMES = [64, 1518] as const;
export const CHECK_SUM_BYTES = 4;
const BOUND_MS = 0.15;

/**
 * Pings at other paces. A processor that has slept for a second wakes later than after 5 ms. Each round trip counts here,
 * so the delay is one for which ping prints them to 0.01 ms.
 */
const PACES_MS = [5, 1000];
const PACED_DELAY_MS = 4;

export interface Baseline {
  readonly medianMs: number;
  readonly spread: Interval;
}

export const baselineOf = (roundTripsMs: readonly number[]): Baseline => ({
  medianMs: median(roundTripsMs),
  spread: interval99(roundTripsMs),
});

export async function delays(context: Context): Promise<Table> {
  const paths = [...DELAYS_MS, PACED_DELAY_MS];
  const text = `services: { a: {}, b: {}, ${paths.map((ms) => `a${ms}: {}, b${ms}: {}`).join(', ')} }
links:
  - { from: a, to: b }
${paths.map((ms) => `  - { from: a${ms}, to: b${ms}, latency: ${ms}ms, bandwidth: ${RATE_BPS}bps }`).join('\n')}
`;
  const rows = await context.withLab(text, async (lab) => {
    const all: Row[] = [];
    for (const frameBytes of FRAMES) {
      for (const ms of DELAYS_MS) {
        context.say(`pings of ${frameBytes} bytes over ${ms} ms each way`);
        all.push(await tried(() => delayRow(lab, { ms, frameBytes, rateBps: RATE_BPS }, context)));
      }
    }
    for (const intervalMs of PACES_MS)
      for (const frameBytes of FRAMES)
        all.push(await tried(() => pacedRow(lab, { frameBytes, intervalMs }, context)));
    return all;
  });
  return {
    id: 'delays',
    title: 'delay',
    backend: context.backend,
    source: 'Netbed (White et al., OSDI 2002), table 1',
    method:
      'ICMP echoes in frames of 64 and 1518 bytes: IP packets of 46 and 1500 bytes, which tc counts as 60 and 1514, without the check sum. The target is twice the delay, the time that the frame takes at the rate of the path, 10 Gb/s, and what the same pings take beyond that over an ideal link: an unshaped path of the same lab, at whose other end a program that never sleeps answers each ping when it is due (at 0 ms, the kernel answers). Judged by the median. The spread is the middle 99 %. The last rows have another pace than 20 ms.',
    sampled: 'round trips',
    rows,
  };
}

/** On a slow machine, starting ping takes longer than the interval of a fast one: fewer pings, further apart. */
const SLOWER = 4;

async function measure(
  from: Place,
  to: Place,
  frameBytes: number,
  { effort, unshaped }: Context,
): Promise<Pings> {
  const { groups, intervalMs } = effort.pings;
  const slower = isSlow(unshaped) ? SLOWER : 1;
  const plan = { groups: Math.ceil(groups / slower), intervalMs: intervalMs * slower, frameBytes };
  return pingExactly(from, to, plan);
}

async function delayRow(lab: Lab, path: DelayedPath, context: Context): Promise<Row> {
  const { ms, frameBytes } = path;
  const measureTo = (from: string, to: string): Promise<Pings> =>
    measure(lab.place(from), lab.place(to), frameBytes, context);
  const baseline = await baselineFor(lab.place('b'), path, context, () => measureTo('a', 'b'));
  const target = delayTarget(path, baseline, context.unshaped);
  return delayed(target, baseline, await measureTo(`a${ms}`, `b${ms}`));
}

/**
 * What pings take beyond the path's delay, whoever delays them: see `beyondIdealLink`. A slow machine has no processor to spare
 * for a program that never sleeps; there, and without delay, it is what they take over an unshaped path.
 */
export async function baselineFor(
  to: Place,
  path: DelayedPath,
  { unshaped }: Context,
  pings: () => Promise<Pings>,
): Promise<Baseline> {
  const isPlain = isSlow(unshaped) || path.ms === 0;
  const { roundTripsMs } = await (isPlain ? pings() : beyondIdealLink(to, holdMs(path), pings));
  return baselineOf(roundTripsMs);
}

async function pacedRow(
  { place }: Lab,
  { frameBytes, intervalMs }: { readonly frameBytes: number; readonly intervalMs: number },
  context: Context,
): Promise<Row> {
  const path = { ms: PACED_DELAY_MS, frameBytes, rateBps: RATE_BPS };
  const pace = formatMicros(fromMillis(intervalMs));
  context.say(`pings of ${frameBytes} bytes over ${path.ms} ms each way, one every ${pace}`);
  const plan = { count: context.effort.pacedPings(intervalMs), intervalMs, frameBytes };
  const measureTo = async (from: string, to: string): Promise<Pings> => ({
    sent: plan.count,
    roundTripsMs: await pingEach(place(from), place(to), plan),
  });
  const baseline = await baselineFor(place('b'), path, context, () => measureTo('a', 'b'));
  const target = delayTarget(path, baseline, context.unshaped);
  const what = `${target.what}, one every ${pace}`;
  return delayed({ ...target, what }, baseline, await measureTo(`a${path.ms}`, `b${path.ms}`));
}

export function delayed(target: Target, baseline: Baseline, { sent, roundTripsMs }: Pings): Row {
  const lost = sent - roundTripsMs.length;
  return judge(target, {
    measured: median(roundTripsMs),
    spread: interval99(roundTripsMs),
    samples: roundTripsMs.length,
    note: `ping itself ${baseline.medianMs.toFixed(3)} ms${lost === 0 ? '' : `; ${lost} lost`}`,
  });
}

export interface DelayedPath {
  /** One way. */
  readonly ms: number;
  readonly rateBps: number;
  readonly frameBytes: number;
}

/** Twice the delay and the time that a frame takes at the path's rate, in milliseconds. */
function holdMs({ ms, frameBytes, rateBps }: DelayedPath): number {
  const sending = timeToTransmit(frameBytes - CHECK_SUM_BYTES, byteTime(bps(rateBps)));
  return 2 * toMillis(micros(fromMillis(ms) + sending));
}

/** On a slow machine, a faithful median lies within the spread of the unshaped machine. */
export function delayTarget(path: DelayedPath, baseline: Baseline, unshaped: Unshaped): Target {
  const { low, high } = baseline.spread;
  const value = isSlow(unshaped) ? Math.max(BOUND_MS, high - low) : BOUND_MS;
  const { ms, frameBytes } = path;
  return {
    what: `${formatMicros(fromMillis(ms))}, ${frameBytes} bytes`,
    unit: 'ms',
    target: holdMs(path) + baseline.medianMs,
    bound: { kind: 'absolute', value },
  };
}
