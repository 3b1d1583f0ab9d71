/** A trace of Mahimahi: what arrives in each tenth of a second, beside what the trace lets pass. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { traceOf } from '../../proto/trace.ts';
import { bytesOf, ratePerMilli } from '../../proto/units.ts';
import { loadTopology } from '../../topology/load.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { TraceCursor } from '../../topology/timeline/trace-cursor.ts';
import { type Interruption, withLab } from '../lab.ts';
import { judge } from '../report/judge.ts';
import type { Table } from '../report/model.ts';
import type { Arrivals } from './arrivals.ts';
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

/** The lines of a file of Mahimahi: a rate that walks between the two, each tenth of a second. */
function mahimahi(): string {
  const random = new SeededRandom(SEED);
  const lines: number[] = [];
  let packets = 100;
  for (let from = 0; from < PERIOD_MS; from += STEP_MS) {
    packets = Math.min(MOST, Math.max(LEAST, Math.round(packets * (0.7 + 0.65 * random.next()))));
    for (let packet = 1; packet <= packets; packet++)
      lines.push(from + Math.ceil((packet * STEP_MS) / packets));
  }
  return `${lines.join('\n')}\n`;
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
  const read = () => ({ text: mahimahi() });
  const loaded = loadTopology(written, 'bench.yaml', undefined, undefined, { read });
  const trace = new TraceCursor(traceOf(loaded.topology.links[0]!.up.trace!));
  const { arrivals, startAt } = await withLab(loaded.expanded!(), backend, interruption, async (lab) => {
    const begin = await lab.experiment.run();
    await sleep(LEAD_MS);
    const packets = PER_SECOND * SECONDS[quick ? 'quick' : 'whole'];
    const stream = { perSecond: PER_SECOND, packets, bytes: PAYLOAD_BYTES };
    return {
      arrivals: await sendNumbered({ from: lab.place('a'), to: lab.place('b') }, stream),
      startAt: begin,
    };
  });
  const windows = windowsOf(arrivals, startAt);
  const of = (windowMs: number): number =>
    bytesOf(ratePerMilli(trace.meanRateBps(windowMs, windowMs + STEP_MS)) * STEP_MS);
  const errors = [...windows].map(([windowMs, packets]) => packets * FRAME_BYTES - of(windowMs));
  const expected = [...windows.keys()].map(of);
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  const part = (what: string, target: number, measured: number, bound: number) =>
    judge(
      { what, unit: 'ratio', target, bound: { kind: 'absolute', value: bound } },
      { measured, spread: null, samples: windows.size },
    );
  return {
    ...{ id: 'traces', title: 'a trace of Mahimahi', backend },
    source: 'docs/impairments.md; Netravali et al., "Mahimahi", USENIX ATC 2015',
    method: `UDP with full frames, more than the trace lets pass, whose rate changes every ${STEP_MS} ms; counted in windows of ${STEP_MS} ms, 20 ms later than the trace`,
    sampled: `windows of ${STEP_MS} ms`,
    rows: [
      part('of what the trace lets pass, arrived', 1, 1 + total(errors) / total(expected), 0.02),
      part(
        `wrong in windows of ${STEP_MS} ms, on average`,
        0,
        total(errors.map(Math.abs)) / total(expected),
        0.1,
      ),
    ],
  };
}

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
