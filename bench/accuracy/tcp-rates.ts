/** Rates from 128 kb/s to 4 Gb/s, by the goodput of a TCP connection. */

import { tcpGoodput, tcpSeconds } from '../../controller/verify/goodput.ts';
import { GOODPUT } from '../../controller/verify/judge.ts';
import { formatBps } from '../../proto/units.ts';
import type { Lab } from '../lab.ts';
import { shapeByHand } from '../measure/plain-tc.ts';
import { median, range } from '../measure/statistics.ts';
import { beyond, judge, type Target, tried } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import type { Context, Unshaped } from './context.ts';

const SLOW_BPS = [128e3, 256e3, 512e3];
const FAST_BPS = [128e6, 256e6, 512e6, 1e9, 2e9, 4e9];
/** The part of the unshaped throughput that a shaped flow can surely use. */
const USABLE = 0.5;
/** Of a rate. */
const BOUND = 0.01;
/** Each way. */
const LATENCY_MS = 1;

export async function tcpRates(context: Context): Promise<Table> {
  const rates = [...SLOW_BPS, ...FAST_BPS];
  const text = `services: { ${rates.map((_, i) => `a${i}: {}, b${i}: {}`).join(', ')} }
links:
${rates.map((bps, i) => `  - { from: a${i}, to: b${i}, latency: ${LATENCY_MS}ms, bandwidth: ${bps}bps }`).join('\n')}
`;
  const measured = await context.withLab(text, async (lab) => {
    context.say(`TCP at ${SLOW_BPS.map(formatBps).join(', ')} in parallel`);
    const slow = SLOW_BPS.map((bps, i) => tried(() => slowRow(lab, bps, i, context)));
    const all = await Promise.all(slow);
    for (const [i, bps] of FAST_BPS.entries()) {
      if (bps <= USABLE * context.unshaped.goodputBps) context.say(`TCP at ${formatBps(bps)}`);
      all.push(await tried(() => fastRow(lab, bps, SLOW_BPS.length + i, context)));
    }
    return all;
  });
  const rows: Row[] = [];
  for (const row of measured) rows.push(row.verdict === 'outside' ? await besidePlainTc(row, context) : row);
  return {
    id: 'tcp-rates',
    title: 'TCP goodput',
    backend: context.backend,
    source: 'Kollaps 2.0 (Amaro, IST Lisbon, 2021), table 5.3',
    method: `One cubic connection over a path of ${LATENCY_MS} ms each way; the target is the rate × 1448/1514. Judged by the mean below 1 Mb/s, by the median of the seconds above. Unshaped, the machine makes ${formatBps(context.unshaped.goodputBps)}; rates above half of it are not measured. A rate that is missed is measured with HTB and netem set by hand as well, without netfold: what they miss by as much needs a faster machine.`,
    sampled: 'seconds that count',
    rows,
  };
}

export function targetOf(bps: number): Target {
  const bound = { kind: 'relative', value: BOUND } as const;
  return { what: formatBps(bps), unit: 'bit/s', target: bps * GOODPUT, bound };
}

async function slowRow({ place }: Lab, bps: number, pair: number, { effort }: Context): Promise<Row> {
  const flow = { from: place(`a${pair}`), to: place(`b${pair}`) };
  const measured = await tcpGoodput(flow, { ...effort.slowTcp, rateBps: bps });
  // A second contains only a few frames, so the spread of seconds would be that of counting.
  return judge(targetOf(bps), { measured, spread: null, samples: effort.slowTcp.seconds });
}

async function fastRow(
  { place }: Lab,
  bps: number,
  pair: number,
  { effort, unshaped }: Context,
): Promise<Row> {
  if (isTooFast(bps, unshaped)) return beyond(targetOf(bps), 'above half of the unshaped throughput');
  const flow = { from: place(`a${pair}`), to: place(`b${pair}`) };
  const secondsBps = await tcpSeconds(flow, { ...effort.fastTcp, rateBps: bps });
  const measured = median(secondsBps);
  return judge(targetOf(bps), { measured, spread: range(secondsBps), samples: secondsBps.length });
}

/**
 * Finds the cause of a missed rate: if the kernel's own shaping misses it as well, the row needs a faster machine.
 */
async function besidePlainTc(row: Row, { backend, effort, withBareLab, say }: Context): Promise<Row> {
  const bps = row.target! / GOODPUT;
  if (!FAST_BPS.includes(Math.round(bps))) return row;
  say(`TCP at ${row.what}, with tc by hand`);
  const plainBps = await withBareLab(['a.0', 'b.0'], async ([from, to]) => {
    const flow = { from: from!, to: to! };
    await shapeByHand(flow, Math.round(bps), backend === 'netem' ? LATENCY_MS : 0);
    return median(await tcpSeconds(flow, { ...effort.fastTcp, rateBps: bps }));
  });
  return besidePlain(row, plainBps);
}

/** The verdict on a rate that was missed, from the value of tc set by hand. */
export function besidePlain(row: Row, plainBps: number): Row {
  const note = `tc by hand makes ${formatBps(Math.round(plainBps))}`;
  const least = (1 - BOUND) * row.target!;
  const isMachines = plainBps < least && row.measured! >= (1 - BOUND) * plainBps;
  return { ...row, note, verdict: isMachines ? 'beyond' : row.verdict };
}

export function isTooFast(bps: number, { goodputBps }: Unshaped): boolean {
  return bps > USABLE * goodputBps;
}
