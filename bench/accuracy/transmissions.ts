/** The time that frames take at slow links, by the round trips of single small and full frames. */
import { bps, byteTime, formatBps, timeToTransmit, toMillis } from '../../proto/units.ts';
import type { Lab } from '../lab.ts';
import { pingExactly } from '../measure/traffic/pings.ts';
import { tried } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import type { Context } from './context.ts';
import { baselineFor, CHECK_SUM_BYTES, delayed, delayTarget, FRAMES } from './delays.ts';

const RATES_BPS = [64e3, 1e6, 10e6, 100e6];
const DELAY_MS = 10;
/** Each frame finds the link free, and the next one comes after a silence. */
const FREE_MS = 20;
/** There is no more to learn from hundreds of pings that take half a second each. */
const MAX_GROUPS = 30;

export async function transmissions(context: Context): Promise<Table> {
  const text = `services: { a: {}, b: {}, ${RATES_BPS.map((_, i) => `a${i}: {}, b${i}: {}`).join(', ')} }
links:
  - { from: a, to: b }
${RATES_BPS.map((rate, i) => `  - { from: a${i}, to: b${i}, latency: ${DELAY_MS}ms, bandwidth: ${rate}bps }`).join('\n')}
`;
  const rows = await context.withLab(text, async (lab) => {
    const all: Row[] = [];
    for (const frameBytes of FRAMES) {
      for (const pair of RATES_BPS.keys())
        all.push(await tried(() => transmissionRow(lab, pair, frameBytes, context)));
    }
    return all;
  });
  return {
    id: 'transmissions',
    title: 'transmission',
    backend: context.backend,
    source: 'store and forward: every packet takes its size divided by the bandwidth, also the first one',
    method:
      'ICMP echoes in frames of 64 and 1518 bytes, which tc counts as 60 and 1514, over 10 ms each way. The target is twice the delay and the time of the frame at the rate, and what the same pings take beyond that over an ideal link, as for delays. Each frame finds the link free; judged by the median. The spread is the middle 99 %.',
    sampled: 'round trips',
    rows,
  };
}

const groupsOf = ({ effort }: Context): number => Math.min(MAX_GROUPS, effort.pings.groups);

async function transmissionRow(
  { place }: Lab,
  pair: number,
  frameBytes: number,
  context: Context,
): Promise<Row> {
  const rate = bps(RATES_BPS[pair]!);
  const sendingMs = toMillis(timeToTransmit(frameBytes - CHECK_SUM_BYTES, byteTime(rate)));
  const plan = { groups: groupsOf(context), intervalMs: Math.ceil(FREE_MS + 2 * sendingMs), frameBytes };
  context.say(`pings of ${frameBytes} bytes at ${formatBps(rate)}`);
  const path = { ms: DELAY_MS, frameBytes, rateBps: rate };
  const baseline = await baselineFor(place('b'), path, context, () =>
    pingExactly(place('a'), place('b'), plan),
  );
  const target = delayTarget(path, baseline, context.unshaped);
  const pings = await pingExactly(place(`a${pair}`), place(`b${pair}`), plan);
  return delayed({ ...target, what: `${formatBps(rate)}, ${frameBytes} bytes` }, baseline, pings);
}
