/** Jitters of 1, 5 and 10 ms, by the standard deviation of round-trip times over many paths at once. */
import { INTERVAL_DEVIATIONS } from '../../agent/linux/delay-line/jitter.ts';
import type { Lab } from '../lab.ts';
import { delayByHand } from '../measure/plain-tc.ts';
import { deviation, type Interval, interval99, median } from '../measure/statistics.ts';
import { type EachPlan, pingEach } from '../measure/traffic/pings.ts';
import { judge, type Target, tried } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { type Context, isSlow, type Unshaped } from './context.ts';

const JITTERS_MS = [1, 5, 10];
/** For each jitter. */
const PATHS = 8;
/** Five deviations of the greatest jitter, so that nothing is cut off at zero. */
const LATENCY_MS = 50;
const FRAME_BYTES = 64;
/** Of the deviation. */
const BOUND = 0.1;
/** A normal value exceeds this once in 500 million packets. A greater one comes from a pause of the machine. */
const MAX_DEVIATIONS = 6;

export async function jitters(context: Context): Promise<Table> {
  const replicas = JITTERS_MS.map(
    (ms) => `j${ms}: { replicas: ${PATHS} }, to${ms}: {}, own${ms}: {}, toOwn${ms}: {}`,
  );
  const text = `services: { ${replicas.join(', ')} }
links:
${JITTERS_MS.map(
  (ms) => `  - { from: j${ms}, to: to${ms}, latency: ${LATENCY_MS}ms, jitter: ${ms}ms, oneway: true }
  - { from: to${ms}, to: j${ms}, latency: 1ms, oneway: true }
  - { from: own${ms}, to: toOwn${ms} }`,
).join('\n')}
`;
  const measured = await context.withLab(text, async (lab) => {
    const measure = (ms: number): Promise<Row> => tried(() => jitterRow(lab, ms, context));
    if (!isSlow(context.unshaped)) {
      context.say(`pings over ${JITTERS_MS.length * PATHS} paths with jitter, in parallel`);
      return Promise.all(JITTERS_MS.map(measure));
    }
    const inTurn: Row[] = [];
    for (const ms of JITTERS_MS) {
      context.say(`pings over ${PATHS} paths with a jitter of ${ms} ms`);
      inTurn.push(await measure(ms));
    }
    return inTurn;
  });
  const rows: Row[] = [];
  for (const [index, row] of measured.entries()) {
    const isNetems = row.verdict === 'outside' && context.backend === 'netem';
    rows.push(isNetems ? besideNetem(row, await deviationByHand(JITTERS_MS[index]!, context)) : row);
  }
  return {
    id: 'jitters',
    title: 'jitter',
    backend: context.backend,
    source: 'no table of the literature; the bound is netfold’s own',
    method: `The deviation of round trips with normal jitter in one direction over ${LATENCY_MS} ms, pings far enough apart to be independent; on a slow machine one jitter after the other. The target is the jitter and what the machine's own round trips vary by, over an unshaped path at the same time, as variances add. Round trips more than ${MAX_DEVIATIONS} deviations from the median are a pause of the machine and left out, and counted. The spread is the middle 99 %, from the median. Where netem misses a jitter, it is measured set by hand as well, without netfold: what it then misses by as much needs a faster machine.`,
    sampled: 'round trips',
    rows,
  };
}

/**
 * The delay line's jitter is a continuous function of time: values two of its intervals apart are independent. The
 * pings must not keep a slow machine busy: the time that they wait for each other would count as jitter.
 */
export function spacingMs(jitterMs: number, unshaped: Unshaped): number {
  return Math.max(isSlow(unshaped) ? 100 : 20, 2 * INTERVAL_DEVIATIONS * jitterMs);
}

async function jitterRow({ place }: Lab, jitterMs: number, context: Context): Promise<Row> {
  const plan = planOf(jitterMs, context);
  const to = place(`to${jitterMs}`);
  const sources = Array.from({ length: PATHS }, (_, i) => place(`j${jitterMs}.${i}`));
  const unshaped = pingEach(place(`own${jitterMs}`), place(`toOwn${jitterMs}`), plan);
  const all = await Promise.all(sources.map((from) => pingEach(from, to, plan)));
  const { kept, spread, leftOut } = withoutPauses(all.flat(), jitterMs);
  const ownMs = deviation(withoutPauses(await unshaped, jitterMs).kept);
  const note = `unshaped ${ownMs.toFixed(3)} ms${leftOut === 0 ? '' : `; ${leftOut} left out`}`;
  const target = jitterTarget(jitterMs, ownMs);
  return judge(target, { measured: deviation(kept), spread, samples: kept.length, note });
}

function planOf(jitterMs: number, { effort, unshaped }: Context): EachPlan {
  return {
    count: effort.jitterPings,
    intervalMs: spacingMs(jitterMs, unshaped),
    frameBytes: FRAME_BYTES,
  };
}

/** The deviation that netem alone gives, over the same number of paths. */
async function deviationByHand(jitterMs: number, context: Context): Promise<number> {
  context.say(`pings with a jitter of ${jitterMs} ms, with netem by hand`);
  const plan = planOf(jitterMs, context);
  const names = Array.from({ length: 1 + PATHS }, (_, i) => `a.${i}`);
  const all = await context.withBareLab(names, async ([to, ...sources]) => {
    await delayByHand(to!, 1);
    for (const from of sources) await delayByHand(from, LATENCY_MS, jitterMs);
    return Promise.all(sources.map((from) => pingEach(from, to!, plan)));
  });
  return deviation(withoutPauses(all.flat(), jitterMs).kept);
}

/**
 * The verdict on a jitter that netem missed, from the value of netem set by hand: is the error netfold's or netem's?
 */
export function besideNetem(row: Row, plainMs: number): Row {
  const off = (ms: number): number => Math.abs(ms / row.target! - 1);
  const isMachines = off(plainMs) > BOUND && off(row.measured!) <= off(plainMs) + BOUND;
  const note = `${row.note}; netem by hand ${plainMs.toFixed(3)} ms`;
  return { ...row, note, verdict: isMachines ? 'beyond' : row.verdict };
}

/** `ownMs`: the deviation of the machine's own round trips. Independent variances add. */
export function jitterTarget(jitterMs: number, ownMs: number): Target {
  const bound = { kind: 'relative', value: BOUND } as const;
  return { what: `${jitterMs}ms`, unit: 'ms', target: Math.hypot(jitterMs, ownMs), bound };
}

interface Kept {
  readonly kept: readonly number[];
  readonly spread: Interval;
  readonly leftOut: number;
}

export function withoutPauses(roundTripsMs: readonly number[], jitterMs: number): Kept {
  const centre = median(roundTripsMs);
  const kept = roundTripsMs.filter((ms) => Math.abs(ms - centre) <= MAX_DEVIATIONS * jitterMs);
  const spread = interval99(kept.map((ms) => ms - centre));
  return { kept, spread, leftOut: roundTripsMs.length - kept.length };
}
