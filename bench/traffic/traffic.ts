/** The traffic bench: what netfold's own traffic costs, and whether its rates, distributions and times are kept. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { type TrafficRow, trafficRows } from '../../controller/traffic-rows.ts';
import { bytesOf, millisToSeconds, secondsToMillis } from '../../proto/units.ts';
import { BenchError } from '../errors.ts';
import { type Interruption, type Lab, withLab } from '../lab.ts';
import { machineBackend } from '../measure/backend.ts';
import { watchCpu } from '../measure/cpu/cpu-watch.ts';
import type { Table } from '../report/model.ts';
import { timesOf } from './bursts.ts';
import { Capture } from './capture.ts';
import { FRAME_BYTES, IDLE_SECONDS, STEADY_BPS, seededText, steadyText } from './labs.ts';
import { type Seeded, type Steady, tablesOf } from './tables.ts';

const STEADY_SECONDS = 90;
const SEEDED_SECONDS = 90;
const QUICK = { steady: 10, seeded: 20 };
/** After the traffic has begun: compilers, caches. */
const SETTLE_SECONDS = 3;
/** At the beginning the agent has other work; before the traffic begins, the processor has to be read. */
const MARGIN_SECONDS = 4;

export interface TrafficOptions {
  readonly quick: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureTraffic({ quick, interruption, say }: TrafficOptions): Promise<Table[]> {
  const backend = machineBackend();
  const seconds = quick ? QUICK : { steady: STEADY_SECONDS, seeded: SEEDED_SECONDS };
  say(`1,000 sources at a constant rate, ${seconds.steady} s`);
  const steady = await withLab(steadyText(), backend, interruption, (lab) => rates(lab, seconds.steady));
  const runs: Seeded[] = [];
  for (const run of [1, 2]) {
    say(`bursts with seeds, run ${run}, ${seconds.seeded} s`);
    runs.push(await seeded(backend, interruption, seconds.seeded));
  }
  return tablesOf(steady, [runs[0]!, runs[1]!], backend);
}

async function rates({ experiment }: Lab, seconds: number): Promise<Steady> {
  const startMs = await experiment.run();
  const until = async (second: number): Promise<void> => {
    const wait = startMs + secondsToMillis(second) - (performance.timeOrigin + performance.now());
    await sleep(Math.max(0, wait));
  };
  const agents = agentsOf(experiment.name);
  const look = async (): Promise<{ atMs: number; rows: Map<string, TrafficRow> }> => {
    const [status] = await experiment.statuses();
    const rows = trafficRows([status?.traffic ?? []]);
    return { atMs: status?.nowMs ?? 0, rows: new Map(rows.map((row) => [row.name, row])) };
  };
  await until(MARGIN_SECONDS);
  const idle = await watchCpu({ agents, traffic: [], seconds: IDLE_SECONDS - 2 * MARGIN_SECONDS });
  await until(IDLE_SECONDS + SETTLE_SECONDS);
  const before = await look();
  const busy = await watchCpu({ agents, traffic: [], seconds });
  const after = await look();
  const elapsed = millisToSeconds(after.atMs - before.atMs);
  const wanted = bytesOf(STEADY_BPS * elapsed) / FRAME_BYTES;
  const grown = (field: 'sent' | 'received' | 'late' | 'refused'): number[] =>
    [...after.rows].map(([name, row]) => row[field] - (before.rows.get(name)?.[field] ?? 0));
  if (!grown('received').some((count) => count > 0))
    throw new BenchError('NOTHING_ARRIVED', 'none of the sources was heard');
  const [sent, received, late, refused] = [grown('sent'), grown('received'), grown('late'), grown('refused')];
  return { seconds: elapsed, wanted, sent, received, late, refused, idle, busy };
}

function seeded(backend: DelayBackendName, interruption: Interruption, seconds: number): Promise<Seeded> {
  return withLab(seededText(), backend, interruption, async ({ experiment, place }) => {
    const capture = await Capture.start(place('a'));
    let startMs = Number.NaN;
    try {
      startMs = await experiment.run();
      const left = startMs + secondsToMillis(seconds) - (performance.timeOrigin + performance.now());
      await sleep(Math.max(0, left));
    } catch (error) {
      await capture.stop();
      throw error;
    }
    const sent = await capture.stop();
    if (sent.length === 0) throw new BenchError('NOTHING_ARRIVED', 'no datagram has left');
    const endMs = startMs + secondsToMillis(seconds - 1);
    // The last second of one run may be longer than that of the other.
    const times = timesOf(sent.filter(({ atMs }) => atMs < endMs));
    return {
      times: new Map([...times].map(([source, all]) => [source, all.map((atMs) => atMs - startMs)])),
      seconds,
    };
  });
}
