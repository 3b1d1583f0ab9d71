/** A trace of Mahimahi: what arrives in each tenth of a second, beside what the trace lets pass. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { traceOf } from '../../proto/trace.ts';
import { bytesOf, ratePerMilli } from '../../proto/units.ts';
import { loadTopology } from '../../topology/load.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { TraceCursor } from '../../topology/timeline/trace-cursor.ts';
import { type Interruption, withLab } from '../lab.ts';
import { judge, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import type { Arrivals } from './arrivals.ts';
import { throughMahimahi } from './mahimahi.ts';
import { sendNumbered } from './numbered.ts';

const PERIOD_MS = 10_000;
const SEED = 19;
/** Packets of 1,500 bytes in 100 ms: 2 to 26 Mb/s, as LTE has it. */
const [LEAST, MOST] = [16, 220];
const STEP_MS = 100;
const FRAME_BYTES = 1514;
/** UDP and IPv4 make a frame of 1,514 bytes of it. */
const PAYLOAD_BYTES = 1472;
/** More than the trace ever lets pass. */
const PER_SECOND = 2600;
const SECONDS = { whole: 60, quick: 12 };
/** The lab is told of its start before. */
const LEAD_MS = 1500;

/** The lines of a file of Mahimahi, milliseconds: a rate that walks between the two, each tenth of a second. */
function mahimahi(): number[] {
  const random = new SeededRandom(SEED);
  const lines: number[] = [];
  let packets = 100;
  for (let from = 0; from < PERIOD_MS; from += STEP_MS) {
    packets = Math.min(MOST, Math.max(LEAST, Math.round(packets * (0.7 + 0.65 * random.next()))));
    for (let packet = 1; packet <= packets; packet++)
      lines.push(from + Math.ceil((packet * STEP_MS) / packets));
  }
  return lines;
}

interface TracesOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

export async function traces(
  backend: DelayBackendName,
  { quick, interruption, say }: TracesOptions,
): Promise<Table> {
  say(`${backend}: a trace of Mahimahi`);
  const written =
    'services: { a: {}, b: {} }\nlinks: [ { from: a, to: b, latency: 20ms, up: { trace: lte.up } } ]\n';
  const lines = mahimahi();
  const text = `${lines.join('\n')}\n`;
  const read = () => ({ text });
  const packets = PER_SECOND * SECONDS[quick ? 'quick' : 'whole'];
  const stream = { perSecond: PER_SECOND, packets, bytes: PAYLOAD_BYTES };
  const loaded = loadTopology(written, 'bench.yaml', undefined, undefined, { read });
  const trace = new TraceCursor(traceOf(loaded.topology.links[0]!.up.trace!));
  const { arrivals, startAt } = await withLab(loaded.expanded!(), backend, interruption, async (lab) => {
    const begin = await lab.experiment.run();
    await sleep(LEAD_MS);
    return {
      arrivals: await sendNumbered({ from: lab.place('a'), to: lab.place('b') }, stream),
      startAt: begin,
    };
  });
  const of = (windowMs: number): number =>
    bytesOf(ratePerMilli(trace.meanRateBps(windowMs, windowMs + STEP_MS)) * STEP_MS) / FRAME_BYTES;
  const own = compare(windowsOf(arrivals, startAt), of);
  const reference = await interruption.race(() => throughMahimahi(text, stream));
  const judged = (what: string, target: number, measured: number, bound: number): Row =>
    judge(
      { what, unit: 'ratio', target, bound: { kind: 'absolute', value: bound } },
      { measured, spread: null, samples: own.windows },
    );
  return {
    ...{ id: 'traces', title: 'a trace of Mahimahi', backend },
    source: 'docs/impairments.md; Netravali et al., "Mahimahi", USENIX ATC 2015',
    method: `UDP with full frames, more than the trace lets pass, whose rate changes every ${STEP_MS} ms; counted in windows of ${STEP_MS} ms, 20 ms later than the trace. Beside it, in the same run, the same packets through Mahimahi’s own mm-link, whose start is taken to be when its windows fit best`,
    sampled: `windows of ${STEP_MS} ms`,
    rows: [
      judged(ARRIVED, 1, own.arrived, 0.02),
      judged(WRONG, 0, own.wrong, 0.02),
      ...(reference ? referenceRows(bestFit(reference, lines)) : []),
    ],
  };
}

const ARRIVED = 'of what the trace lets pass, arrived';
const WRONG = `wrong in windows of ${STEP_MS} ms, on average`;

interface Comparison {
  /** Parts of what the trace lets pass: in all, and by how much windows are off on average. */
  readonly arrived: number;
  readonly wrong: number;
  readonly windows: number;
}

/** `of`: packets that pass in the window that begins so many milliseconds after the start. */
function compare(windows: ReadonlyMap<number, number>, of: (windowMs: number) => number): Comparison {
  let [expected, arrived, wrong] = [0, 0, 0];
  for (const [windowMs, packets] of windows) {
    const due = of(windowMs);
    expected += due;
    arrived += packets;
    wrong += Math.abs(packets - due);
  }
  return { arrived: arrived / expected, wrong: wrong / expected, windows: windows.size };
}

/** mm-link does not say when its trace begins. */
function bestFit(arrivals: Arrivals, lines: readonly number[]): Comparison {
  const until = (ms: number): number => {
    const [whole, rest] = [Math.floor(ms / PERIOD_MS), ms % PERIOD_MS];
    return whole * lines.length + lines.filter((line) => line <= rest).length;
  };
  const passed = Float64Array.from({ length: 2 * PERIOD_MS }, (_, ms) => until(ms));
  const fits = Array.from({ length: PERIOD_MS / FIT_MS }, (_, at): Comparison => {
    const phaseMs = at * FIT_MS;
    return compare(windowsOf(arrivals, arrivals.timesMs[0]!), (windowMs) => {
      const from = (windowMs + phaseMs) % PERIOD_MS;
      return passed[from + STEP_MS]! - passed[from]!;
    });
  });
  return fits.reduce((best, one) => (one.wrong < best.wrong ? one : best));
}

const FIT_MS = 2;

const referenceRows = ({ arrived, wrong, windows }: Comparison): Row[] =>
  [[ARRIVED, arrived] as const, [WRONG, wrong] as const].map(([what, measured]) =>
    reported(`mm-link: ${what}`, 'ratio', { measured, spread: null, samples: windows }),
  );

/** Start of each whole window since the start of the experiment → packets that arrived in it, 20 ms later. */
function windowsOf({ timesMs }: Arrivals, startAt: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const time of timesMs) {
    const window = Math.floor((time - LATENCY_MS - startAt) / STEP_MS) * STEP_MS;
    counts.set(window, (counts.get(window) ?? 0) + 1);
  }
  const starts = [...counts.keys()].sort((a, b) => a - b);
  // The first ones fill the buffer, the last ones are not whole.
  const [first, last] = [starts[0]! + SETTLE_MS, starts.at(-1)! - SETTLE_MS];
  const whole = new Map<number, number>();
  for (let window = first; window < last; window += STEP_MS) whole.set(window, counts.get(window) ?? 0);
  return whole;
}

const LATENCY_MS = 20;
const SETTLE_MS = 1000;
