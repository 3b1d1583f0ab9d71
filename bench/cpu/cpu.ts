/** The cpu bench: the processor time of agents while many applications send TCP over one bottleneck. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { secondsToMillis } from '../../proto/units.ts';
import { type Interruption, type Lab, withLab } from '../lab.ts';
import { machineBackend } from '../measure/backend.ts';
import { agentCores } from '../measure/cpu/cpu-rows.ts';
import { processMemory } from '../measure/cpu/cpu-times.ts';
import { watchCpu } from '../measure/cpu/cpu-watch.ts';
import { delayWork } from '../measure/cpu/delay-work.ts';
import { mostExpensive } from '../measure/cpu/profile.ts';
import { endAgents, profiled, spanOf } from '../measure/cpu/profiling.ts';
import { sum } from '../measure/statistics.ts';
import { TcpStreams } from '../measure/traffic/tcp-streams.ts';
import { dumbbellText } from '../metadata/dumbbell.ts';
import type { Figure, Table } from '../report/model.ts';
import { type CpuRun, FLOW_BPS, HOSTS } from './model.ts';
import { figureOf, tablesOf } from './tables.ts';

/** Services: half of them clients, half servers. */
const SIZES = [10, 50, 100, 200];
const QUICK_SIZES = [10, 50];
/** From the start of the last flow until all flows have their shares. */
const SETTLE_SECONDS = 12;
const SECONDS = 60;
const QUICK_SECONDS = 15;
const PROFILE_ROWS = 25;

export interface CpuOptions {
  readonly quick: boolean;
  /** Only these sizes. */
  readonly nodes?: readonly number[] | undefined;
  /** Whether agents profile themselves, which takes processor time as well. */
  readonly profile: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureCpu(options: CpuOptions): Promise<{ tables: Table[]; figures: Figure[] }> {
  const backend = machineBackend();
  const runs: CpuRun[] = [];
  for (const nodes of options.nodes ?? (options.quick ? QUICK_SIZES : SIZES)) {
    options.say(`${nodes} nodes: ${nodes / 2} TCP flows on ${HOSTS} hosts`);
    runs.push(await runSize(nodes, backend, options));
  }
  if (!options.quick && !options.profile && options.nodes === undefined)
    runs.push(await withProfile(runs.pop()!, backend, options));
  return { tables: tablesOf(runs, backend), figures: [figureOf(runs)] };
}

/** The profile is from a separate run, because profiling takes time. */
async function withProfile(run: CpuRun, backend: DelayBackendName, options: CpuOptions): Promise<CpuRun> {
  options.say(`${run.nodes} nodes, profiled`);
  const { spent } = await runSize(run.nodes, backend, { ...options, quick: true, profile: true });
  return { ...run, spent };
}

async function runSize(
  nodes: number,
  backend: DelayBackendName,
  { quick, profile, interruption }: CpuOptions,
): Promise<CpuRun> {
  const text = dumbbellText({ clients: nodes / 2, flowBps: FLOW_BPS });
  const use = async (lab: Lab) => {
    const found = await steady(nodes / 2, quick ? QUICK_SECONDS : SECONDS, lab);
    if (profile) await endAgents(lab.experiment);
    return found;
  };
  const run = () => withLab(text, backend, interruption, use, HOSTS);
  if (!profile) return { nodes, spent: [], ...(await run()) };
  const { result, profiles } = await profiled(run);
  return {
    nodes,
    ...result,
    spent: mostExpensive(profiles, result.span, PROFILE_ROWS, agentCores(result.use)),
  };
}

async function steady(clients: number, seconds: number, { experiment, place }: Lab) {
  const numbers = Array.from({ length: clients }, (_, index) => index);
  const flows = numbers.map((index) => ({ from: place(`client.${index}`), to: place(`server.${index}`) }));
  const streams = new TcpStreams();
  try {
    await experiment.run();
    await streams.start(flows);
    await sleep(secondsToMillis(SETTLE_SECONDS));
    const agents = agentsOf(experiment.name);
    const before = await experiment.statuses();
    const watch = (): ReturnType<typeof watchCpu> => watchCpu({ agents, traffic: streams.pids, seconds });
    const { result: use, span } = await spanOf(watch);
    const after = await experiment.statuses();
    streams.check();
    const held = sum(after.map(({ delay }) => delay.packets)) - sum(before.map(({ delay }) => delay.packets));
    const work = delayWork(before, after, use.seconds);
    return { use, span, work, heldPerSecond: held / use.seconds, memory: agents.map(processMemory) };
  } finally {
    streams.stop();
  }
}
