/** One-way delays from 0 to 300 ms, by the round trips of small and of full frames. */
import type { Place } from '../../controller/verify/traffic.ts';
import { formatMicros, fromMillis } from '../../proto/units.ts';
import type { Lab } from '../lab.ts';
import { type Interval, interval99, median } from '../measure/statistics.ts';
import { type Pings, pingExactly } from '../measure/traffic/pings.ts';
import { judge, type Target, tried } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { type Context, isSlow, type Unshaped } from './context.ts';

const DELAYS_MS = [0, 5, 10, 50, 300];
/** Of Ethernet frames with their check sum. */
export const FRAMES = [64, 1518] as const;
const BOUND_MS = 0.15;

export interface Baseline {
  readonly medianMs: number;
  readonly spread: Interval;
}

export async function delays(context: Context): Promise<Table> {
  const text = `services: { a: {}, b: {}, ${DELAYS_MS.map((ms) => `a${ms}: {}, b${ms}: {}`).join(', ')} }
links:
  - { from: a, to: b }
${DELAYS_MS.map((ms) => `  - { from: a${ms}, to: b${ms}, latency: ${ms}ms, bandwidth: 10Gbps }`).join('\n')}
`;
  const rows = await context.withLab(text, async (lab) => {
    const all: Row[] = [];
    for (const frameBytes of FRAMES) {
      context.say(`unshaped pings of ${frameBytes} bytes`);
      const unshaped = await measure(lab.place('a'), lab.place('b'), frameBytes, context);
      const baseline = {
        medianMs: median(unshaped.roundTripsMs),
        spread: interval99(unshaped.roundTripsMs),
      };
      for (const ms of DELAYS_MS) {
        context.say(`pings of ${frameBytes} bytes over ${ms} ms each way`);
        all.push(await tried(() => delayRow(lab, ms, frameBytes, baseline, context)));
      }
    }
    return all;
  });
  return {
    id: 'delays',
    title: 'delay',
    backend: context.backend,
    source: 'Netbed (White et al., OSDI 2002), table 1',
    method:
      'ICMP echoes in frames of 64 and 1518 bytes: IP packets of 46 and 1500 bytes, which tc counts as 60 and 1514, without the check sum. The target is twice the delay and the median of the same pings over an unshaped path of the same lab; judged by the median. The spread is the middle 99 %.',
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

async function delayRow(
  { place }: Lab,
  ms: number,
  frameBytes: number,
  baseline: Baseline,
  context: Context,
): Promise<Row> {
  const { sent, roundTripsMs } = await measure(place(`a${ms}`), place(`b${ms}`), frameBytes, context);
  const lost = sent - roundTripsMs.length;
  return judge(delayTarget(ms, frameBytes, baseline, context.unshaped), {
    measured: median(roundTripsMs),
    spread: interval99(roundTripsMs),
    samples: roundTripsMs.length,
    note: `unshaped ${baseline.medianMs.toFixed(3)} ms${lost === 0 ? '' : `; ${lost} lost`}`,
  });
}

/** On a slow machine, a faithful median lies within the spread of the unshaped machine. */
export function delayTarget(ms: number, frameBytes: number, baseline: Baseline, unshaped: Unshaped): Target {
  const { low, high } = baseline.spread;
  const value = isSlow(unshaped) ? Math.max(BOUND_MS, high - low) : BOUND_MS;
  return {
    what: `${formatMicros(fromMillis(ms))}, ${frameBytes} bytes`,
    unit: 'ms',
    target: 2 * ms + baseline.medianMs,
    bound: { kind: 'absolute', value },
  };
}
