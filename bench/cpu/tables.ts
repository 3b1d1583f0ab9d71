/** The agents' processor time, as tables and a figure. Pure. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { formatBps, megabytes } from '../../proto/units.ts';
import { agentRows, type CpuGoal, delayCores, machineRows, profileTables } from '../measure/cpu/cpu-rows.ts';
import type { CpuUse } from '../measure/cpu/cpu-watch.ts';
import { delayWorkTables } from '../measure/cpu/delay-work.ts';
import { mean, range } from '../measure/statistics.ts';
import { KOLLAPS_2 } from '../published.ts';
import { reported } from '../report/judge.ts';
import type { Figure, Row, Table } from '../report/model.ts';
import { type CpuRun, FLOW_BPS, HOSTS } from './model.ts';

/** From `nodes` on. Smaller sizes must stay below as well. */
const GOAL: CpuGoal = { each: 0.05, all: 0.1 };

export function tablesOf(runs: readonly CpuRun[], backend: DelayBackendName): Table[] {
  const common = { backend, source: `${KOLLAPS_2}, table 5.1`, sampled: 'slices of 5 s' };
  const tables: Table[] = [
    {
      ...common,
      id: 'cpu-agents',
      title: 'processor time of agents, TCP over a dumbbell',
      method: `Half of the nodes send with iperf3 (cubic) to the other half, over one link that gives each ${formatBps(FLOW_BPS)}, round trips of 40 ms, ${HOSTS} hosts. User and system time of the agents’ processes with all their threads while traffic is steady, in parts of one core.`,
      rows: runs.flatMap((run) => agentRows(nameOf(run), run.use, GOAL, packetsNote(run))),
    },
    {
      ...common,
      id: 'cpu-machine',
      title: 'processor time of everything else meanwhile',
      method:
        'Parts of one core. Not every kernel accounts its work for packets separately: otherwise it is in the processes’ time.',
      rows: runs.flatMap(({ use, ...run }) => machineRows(nameOf(run), use, 'iperf3')),
    },
    {
      ...common,
      id: 'cpu-memory',
      title: 'memory of agents',
      method: 'Resident, after the steady time: the largest agent. The spread is that of the agents.',
      sampled: 'agents',
      rows: runs.map(memoryRow),
    },
  ];
  const profiled = runs.map((run) => ({ what: nameOf(run), spent: run.spent }));
  const worked = runs.map((run) => ({ what: nameOf(run), work: run.work, threadCores: delayCores(run.use) }));
  return [
    ...tables,
    ...delayWorkTables('cpu', worked).map((table) => ({ ...table, backend })),
    ...profileTables('cpu', profiled),
  ];
}

function memoryRow(run: CpuRun): Row {
  const samples = run.memory.map(({ nowBytes }) => megabytes(nowBytes));
  const most = megabytes(Math.max(...run.memory.map(({ mostBytes }) => mostBytes)));
  const note = `${most.toFixed(0)} MB at most`;
  const measured = Math.max(...samples);
  return reported(nameOf(run), 'MB', { measured, spread: range(samples), samples: samples.length, note });
}

function packetsNote({ heldPerSecond }: CpuRun): string {
  return heldPerSecond > 0 ? `${Math.round(heldPerSecond).toLocaleString('en')} packets/s held` : '';
}

const nameOf = ({ nodes }: Pick<CpuRun, 'nodes'>): string => `${nodes} nodes`;

export function figureOf(runs: readonly CpuRun[]): Figure {
  const line = (name: string, colour: number, of: (use: CpuUse) => number) => ({
    name,
    colour,
    shape: 'lines' as const,
    points: runs.map(({ nodes, use }) => [nodes, of(use) * 100] as const),
  });
  return {
    id: 'dumbbell',
    plot: {
      title: `Processor time, TCP of ${formatBps(FLOW_BPS)} each over a dumbbell, ${HOSTS} hosts`,
      xTitle: 'nodes',
      yTitle: '% of one core',
      marks: [],
      series: [
        line('all agents', 0, ({ agents }) => agents.reduce((sum, one) => sum + mean(one), 0)),
        line('the busiest agent', 2, ({ agents }) => Math.max(...agents.map(mean))),
        line('iperf3', 1, ({ traffic }) => mean(traffic)),
        line('the whole machine', 6, ({ machine }) => mean(machine)),
      ],
    },
  };
}
