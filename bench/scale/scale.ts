/** The scale bench: thousands of endpoints on one host, each pinging another. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import type { AgentStatus } from '../../proto/status.ts';
import { type Interruption, type Lab, withLab } from '../lab.ts';
import { machineBackend } from '../measure/backend.ts';
import { withBareLab } from '../measure/bare-lab.ts';
import { agentCores } from '../measure/cpu/cpu-rows.ts';
import { processMemory } from '../measure/cpu/cpu-times.ts';
import { watchCpu } from '../measure/cpu/cpu-watch.ts';
import { delayWork } from '../measure/cpu/delay-work.ts';
import { mostExpensive, type Spent } from '../measure/cpu/profile.ts';
import { endAgents, profiled, spanOf } from '../measure/cpu/profiling.ts';
import { scaleFreeText } from '../measure/scale-free.ts';
import { type PingEffort, pingOnce, pingSteadily } from '../measure/traffic/steady-pings.ts';
import type { Figure, Table } from '../report/model.ts';
import { figuresOf } from './figures.ts';
import type { ScaleRun, Shaped } from './model.ts';
import { pingPairs, unshapedPairs } from './ring.ts';
import { tablesOf } from './tables.ts';

const SIZES = [500, 1000, 2000, 4000];
const QUICK_SIZES = [60];
const SEED = 1;

export interface Effort extends PingEffort {
  readonly idleSeconds: number;
}
/** A process takes 2 to 3 ms to start. */
const FULL: Effort = { seconds: 60, idleSeconds: 10, staggerMs: 8 };
const QUICK: Effort = { seconds: 10, idleSeconds: 5, staggerMs: 8 };

export interface ScaleOptions {
  readonly quick: boolean;
  readonly nodes?: readonly number[] | undefined;
  readonly profile: boolean;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT` before anything is measured. */
export async function measureScale(options: ScaleOptions): Promise<{ tables: Table[]; figures: Figure[] }> {
  const backend = machineBackend();
  const effort = options.quick ? QUICK : FULL;
  const runs: ScaleRun[] = [];
  for (const nodes of options.nodes ?? (options.quick ? QUICK_SIZES : SIZES))
    runs.push(await runSize(nodes, backend, effort, options));
  if (!options.quick && !options.profile && options.nodes === undefined)
    runs.push(await withProfile(runs.pop()!, backend, options));
  return { tables: tablesOf(runs, backend), figures: figuresOf(runs) };
}

/** The profile is from a separate run, because profiling takes time. */
async function withProfile(
  run: ScaleRun,
  backend: DelayBackendName,
  options: ScaleOptions,
): Promise<ScaleRun> {
  const progress = (what: string): void => options.say(`${run.nodes} nodes, profiled: ${what}`);
  const { spent } = await runShaped(run.nodes, backend, QUICK, { ...options, profile: true }, progress);
  return { ...run, spent };
}

async function runSize(
  nodes: number,
  backend: DelayBackendName,
  effort: Effort,
  options: ScaleOptions,
): Promise<ScaleRun> {
  const progress = (what: string): void => options.say(`${nodes} nodes: ${what}`);
  const run = await runShaped(nodes, backend, effort, options, progress);
  progress('the same without netfold');
  const unshaped = await withBareLab(run.names, options.interruption, (endpoints) => {
    const pairs = unshapedPairs(endpoints, SEED);
    return pingSteadily(pairs, [], effort);
  });
  return { ...run, nodes, unshaped };
}

async function runShaped(
  nodes: number,
  backend: DelayBackendName,
  effort: Effort,
  { profile, interruption }: ScaleOptions,
  progress: (what: string) => void,
): Promise<Shaped & { readonly spent: readonly Spent[] }> {
  const text = scaleFreeText(nodes, SEED);
  const use = async (lab: Lab): Promise<Shaped> => {
    const found = await shaped(lab, effort, progress);
    if (profile) await endAgents(lab.experiment);
    return found;
  };
  const run = () => withLab(text, backend, interruption, use);
  progress('setting up');
  if (!profile) return { ...(await run()), spent: [] };
  const { result, profiles } = await profiled(run);
  const cores = agentCores(result.steady.use);
  return { ...result, spent: mostExpensive(profiles, result.span, PROFILE_ROWS, cores) };
}

const PROFILE_ROWS = 25;

async function shaped(
  { experiment }: Lab,
  effort: Effort,
  progress: (what: string) => void,
): Promise<Shaped> {
  const { plan, graph } = experiment;
  const pairs = pingPairs(graph, plan.endpoints, SEED);
  const agents = agentsOf(experiment.name);
  await experiment.run();
  await sleep(SETTLE_MS);
  progress('idle');
  const idle = await watchCpu({ agents, traffic: [], seconds: effort.idleSeconds });
  progress('each pings another for the first time');
  const first = await pingOnce(pairs, effort.staggerMs);
  progress(`each pings another, ${effort.seconds} s`);
  const asked: AgentStatus[][] = [];
  const ask = async (): Promise<void> => void asked.push(await experiment.statuses());
  const { result: steady, span } = await spanOf(() => pingSteadily(pairs, agents, effort, ask));
  const work = delayWork(asked[0]!, asked[1]!, steady.use.seconds);
  const { nowBytes, mostBytes } = processMemory(agents[0]!);
  const names = plan.endpoints.map(({ name }) => name);
  return { names, idle, first, steady, span, work, memoryBytes: nowBytes, mostMemoryBytes: mostBytes };
}

/** For work that the set-up has left. */
const SETTLE_MS = 3000;
