/** The use of the processors, as rows. Pure. */
import { least, type Measurement, reported } from '../../report/judge.ts';
import type { Row, Table } from '../../report/model.ts';
import { mean, range } from '../statistics.ts';
import type { CpuUse } from './cpu-watch.ts';
import type { Spent } from './profile.ts';

/** Bounds for agents, in cores. */
export interface CpuGoal {
  readonly each: number;
  readonly all: number;
}

/** A thread that uses less is not named. */
const WORTH_NAMING = 0.001;

/** The mean over the slices, and their range. */
function over(slices: readonly number[], note = ''): Measurement {
  return { measured: mean(slices), spread: range(slices), samples: slices.length, note };
}

/** The busiest agent, and all together. They are judged if there is a goal. */
export function agentRows(what: string, use: CpuUse, goal: CpuGoal | undefined, note = ''): Row[] {
  const busiest = use.agents.reduce((most, one) => (mean(one) > mean(most) ? one : most));
  const all = addUp(use.agents);
  const row = (name: string, most: number | undefined, measurement: Measurement): Row =>
    most === undefined ? reported(name, 'cores', measurement) : least(name, 'cores', most, measurement);
  const rows = [row(`${what}: all agents`, goal?.all, over(all, note))];
  return use.agents.length === 1
    ? rows
    : [row(`${what}: the busiest agent`, goal?.each, over(busiest, threadsNote(use))), ...rows];
}

/** Everything else that used the machine. */
export function machineRows(what: string, use: CpuUse, traffic: string): Row[] {
  const agents = addUp(use.agents);
  const rest = use.machine.map(
    (busy, slice) =>
      busy - (agents[slice] ?? 0) - use.traffic[slice]! - use.bench[slice]! - use.softirq[slice]!,
  );
  return [
    reported(`${what}: ${traffic}`, 'cores', over(use.traffic)),
    reported(`${what}: packets, in no process`, 'cores', over(use.softirq, 'softirq')),
    reported(`${what}: the bench`, 'cores', over(use.bench)),
    reported(`${what}: everything else`, 'cores', over(rest, 'kernel threads, and what else ran')),
    reported(`${what}: the machine`, 'cores', over(use.machine, stolenNote(use))),
  ];
}

function stolenNote({ stolen }: CpuUse): string {
  const part = mean(stolen);
  return part < WORTH_NAMING ? '' : `${percent(part)} more were taken by the hypervisor`;
}

/** The kernel's name for Node's worker threads. An agent has no others than the delay line's. */
const DELAY_THREADS = 'WorkerThread';

/** The delay line's threads of all agents together; NaN if there are none. */
export function delayCores({ threads }: CpuUse): number {
  return threads.get(DELAY_THREADS) ?? Number.NaN;
}

/** `threads: node 2.1 %, delay line 1.0 %`, all agents together. */
export function threadsNote({ threads }: CpuUse): string {
  const named = [...threads].filter(([, cores]) => cores >= WORTH_NAMING);
  return named.length === 0
    ? ''
    : `threads of all: ${named.map(([name, cores]) => `${name} ${percent(cores)}`).join(', ')}`;
}

export interface ProfiledRun {
  readonly what: string;
  readonly spent: readonly Spent[];
}

/** Empty if nothing was profiled. */
export function profileTables(bench: string, runs: readonly ProfiledRun[]): Table[] {
  const rows = runs.flatMap(({ what, spent }) =>
    spent.map((one) =>
      reported(`${what}: ${one.what}`, 'cores', { measured: one.cores, spread: null, samples: 1 }),
    ),
  );
  if (rows.length === 0) return [];
  return [
    {
      id: `${bench}-profile`,
      title: 'where the agents’ time goes',
      source: 'no table of the literature',
      method:
        'V8’s sampling profiler while traffic is steady, in a run of its own, since it takes time itself; all agents and all their threads together: time in the function itself, in parts of one core. System calls are the rest of the processor’s time: releasing and receiving packets (see the other table), sleeping, and reading counters.',
      sampled: 'runs',
      rows,
    },
  ];
}

/** Of all agents together, over the whole time. */
export function agentCores({ agents }: CpuUse): number {
  return mean(addUp(agents));
}

function addUp(agents: CpuUse['agents']): number[] {
  const [first = []] = agents;
  return first.map((_, slice) => agents.reduce((sum, one) => sum + one[slice]!, 0));
}

const percent = (cores: number): string => `${(cores * 100).toFixed(1)} %`;
