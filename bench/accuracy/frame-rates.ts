/**
 * Rates of access lines, 56 kb/s to 45 Mb/s, by counting small and full frames behind a sender that exceeds the rate.
 */
import { bitsOf, bytesOf, formatBps } from '../../proto/units.ts';
import type { Lab } from '../lab.ts';
import { median, range } from '../measure/statistics.ts';
import { frameRates, type Windows } from '../measure/traffic/frame-rate.ts';
import { UdpStream } from '../measure/traffic/udp-traffic.ts';
import { beyond, judge, type Target, tried } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import type { Context } from './context.ts';
import { CHECK_SUM_BYTES, FRAMES } from './delays.ts';

const RATES_BPS = [56e3, 384e3, 1544e3, 10e6, 45e6];
/** Ethernet, IPv4 and UDP headers. */
const HEADER_BYTES = 14 + 20 + 8;
/** How much more than fits is offered, and how much of that must be for the path to be the bottleneck. */
const OFFERED = 1.25;
const SATURATING = 1.02;
/** A path with so many frames per second can be measured in parallel with others on two cores. */
const FEW_FRAMES = 5000;

interface Case {
  readonly bps: number;
  readonly frameBytes: number;
  /** The number of its pair of endpoints. */
  readonly pair: number;
}

const CASES: readonly Case[] = FRAMES.flatMap((frameBytes, size) =>
  RATES_BPS.map((bps, i) => ({ bps, frameBytes, pair: size * RATES_BPS.length + i })),
);

/** How many bytes of a frame tc counts. */
function countedBytes({ frameBytes }: Pick<Case, 'frameBytes'>): number {
  return frameBytes - CHECK_SUM_BYTES;
}

export function framesPerSecond(one: Pick<Case, 'bps' | 'frameBytes'>): number {
  return bytesOf(one.bps) / countedBytes(one);
}

export async function frameRateTable(context: Context): Promise<Table> {
  const text = `services: { ${CASES.map(({ pair }) => `a${pair}: {}, b${pair}: {}`).join(', ')} }
links:
${CASES.map(({ bps, pair }) => `  - { from: a${pair}, to: b${pair}, bandwidth: ${bps}bps }`).join('\n')}
`;
  const rows = await context.withLab(text, (lab) => measureCases(lab, context));
  return {
    id: 'frame-rates',
    title: 'bandwidth',
    backend: context.backend,
    source: 'Netbed (White et al., OSDI 2002), table 2',
    method:
      'UDP in frames of 64 and 1518 bytes, which tc counts as 60 and 1514, without the check sum, offered at 1.25 times the rate over a path without delay. Frames that arrive are counted by the kernel, from one arrival to another; judged by the median of the windows.',
    sampled: 'windows',
    rows,
  };
}

/** Cases with few frames in parallel, those with many one after the other. Rows are in the order of the cases. */
async function measureCases(lab: Lab, { effort, say }: Context): Promise<Row[]> {
  const isFew = (one: Case): boolean => framesPerSecond(one) < FEW_FRAMES;
  say(`UDP below ${FEW_FRAMES} frames/s in parallel`);
  const few = CASES.filter(isFew);
  const rows = await Promise.all(few.map((one) => tried(() => caseRow(lab, one, effort.slowFrames))));
  const found = new Map(few.map((one, i) => [one, rows[i]!]));
  for (const one of CASES.filter((each) => !isFew(each))) {
    say(`UDP at ${targetOf(one).what}`);
    found.set(one, await tried(() => caseRow(lab, one, effort.fastFrames)));
  }
  return CASES.map((one) => found.get(one)!);
}

function targetOf({ bps, frameBytes }: Case): Target {
  const bound = { kind: 'relative', value: 0.005 } as const;
  return { what: `${formatBps(bps)}, ${frameBytes} bytes`, unit: 'bit/s', target: bps, bound };
}

async function caseRow({ place }: Lab, one: Case, windows: Windows): Promise<Row> {
  const flow = { from: place(`a${one.pair}`), to: place(`b${one.pair}`) };
  const perSecond = framesPerSecond(one);
  const payloadBytes = countedBytes(one) - HEADER_BYTES;
  const stream = new UdpStream(flow, { payloadBytes, perSecond: OFFERED * perSecond });
  let rates: number[];
  try {
    // The first window starts with the burst, and ends before any other is judged.
    await frameRates(flow.to, { count: 1, seconds: 1 });
    rates = await frameRates(flow.to, windows);
  } finally {
    await stream.stop();
  }
  const { offered, seconds } = await stream.ended;
  if (offered / seconds < SATURATING * perSecond) {
    return beyond(targetOf(one), `the sender makes ${Math.round(offered / seconds)} frames/s here`);
  }
  const bits = rates.map((rate) => bitsOf(rate * countedBytes(one)));
  return judge(targetOf(one), { measured: median(bits), spread: range(bits), samples: bits.length });
}
