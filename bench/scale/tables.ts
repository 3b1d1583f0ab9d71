/** The cost and the accuracy of large labs, as tables. Pure. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { megabytes, millisToSeconds } from '../../proto/units.ts';
import { agentRows, delayCores, machineRows, profileTables, threadsNote } from '../measure/cpu/cpu-rows.ts';
import { delayWorkTables } from '../measure/cpu/delay-work.ts';
import { interval99, median, quantile } from '../measure/statistics.ts';
import type { CrowdError } from '../measure/traffic/ping-crowd.ts';
import { INTERVAL_MS } from '../measure/traffic/steady-pings.ts';
import { KOLLAPS_2, publishedCpu, publishedError } from '../published.ts';
import { judge, least, type Measurement, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import type { ScaleRun } from './model.ts';

/** At every size. */
const GOAL_CORES = 0.1;
const GOAL_ERROR_MS2 = 0.03;
const GOAL_MEMORY_MB = 400;

export function tablesOf(runs: readonly ScaleRun[], backend: DelayBackendName): Table[] {
  const tables = [cpuTable(runs), errorTable(runs), firstTable(runs), memoryTable(runs), machineTable(runs)];
  const profiled = runs.map((run) => ({ what: nameOf(run), spent: run.spent }));
  const worked = runs.map((run) => ({
    what: nameOf(run),
    work: run.work,
    threadCores: delayCores(run.steady.use),
  }));
  return [...tables, ...delayWorkTables('scale', worked), ...profileTables('scale', profiled)].map(
    (table) => ({ ...table, backend }),
  );
}

function cpuTable(runs: readonly ScaleRun[]): Table {
  return {
    id: 'scale-cpu',
    title: 'processor time of the agent, everyone pings another',
    source: `${KOLLAPS_2}, table 5.2`,
    method: `Scale-free topologies as \`netfold generate scale-free\` makes them, all services on one host with one agent. Every service runs a ping of its own, one echo request every ${millisToSeconds(INTERVAL_MS)} s, so that each round trip is delayed twice; idle: none sends. User and system time of the agent with all its threads, in parts of one core.`,
    sampled: 'slices of 5 s',
    rows: runs.flatMap((run) => [
      ...agentRows(nameOf(run), run.steady.use, { each: GOAL_CORES, all: GOAL_CORES }, cpuNote(run)),
      ...agentRows(`${nameOf(run)}, idle`, run.idle, undefined, threadsNote(run.idle)),
    ]),
  };
}

function cpuNote({ steady, nodes }: ScaleRun): string {
  return [threadsNote(steady.use), publishedCpu(nodes)].filter((part) => part !== '').join('; ');
}

function errorTable(runs: readonly ScaleRun[]): Table {
  return {
    id: 'scale-error',
    title: 'mean squared error of round trips',
    source: `${KOLLAPS_2}, table 5.4`,
    method:
      'In the same runs: mean over all round trips of the square of their difference from the folded topology’s, from the mean and the deviation that each ping gives at its end, exact to 1 µs. Without netfold: the same pings in the same lab with nothing shaped, where a round trip should take no time. The spread is the middle 99 % of the pairs.',
    sampled: 'round trips',
    rows: runs.flatMap((run) => {
      const { steady, unshaped, nodes } = run;
      return [
        least(nameOf(run), 'ms²', GOAL_ERROR_MS2, squares(steady.error, publishedError(nodes))),
        reported(`${nameOf(run)}, without netfold`, 'ms²', squares(unshaped.error)),
        reported(`${nameOf(run)}, later than the target`, 'ms', later(steady.error)),
        reported(`${nameOf(run)}, later, without netfold`, 'ms', later(unshaped.error)),
        lostRow(nameOf(run), steady.error),
      ];
    }),
  };
}

function squares(error: CrowdError, published = ''): Measurement {
  const { meanSquaredMs2, pairsMs2, received } = error;
  const typical = `the median pair has ${median(pairsMs2).toFixed(4)} ms²`;
  const note = [typical, published].filter((part) => part !== '').join('; ');
  return { measured: meanSquaredMs2, spread: interval99(pairsMs2), samples: received, note };
}

function later({ excessMs, received }: CrowdError): Measurement {
  const note = `99 % of the pairs: at most ${quantile(excessMs, 0.99).toFixed(3)} ms`;
  return { measured: median(excessMs), spread: interval99(excessMs), samples: received, note };
}

function lostRow(what: string, { sent, received }: CrowdError): Row {
  const target = { what: `${what}, lost`, unit: 'count', target: 0 } as const;
  const bound = { kind: 'absolute', value: 0 } as const;
  return judge({ ...target, bound }, { measured: sent - received, spread: null, samples: sent });
}

function firstTable(runs: readonly ScaleRun[]): Table {
  return {
    id: 'scale-first',
    title: 'the first round trip that a pair ever makes',
    source: 'no table of the literature',
    method:
      'Class and delay of a pair are made with its first packet. All packets have to arrive. The row has how much later than the target they were; the spread is the middle 99 % of the pairs.',
    sampled: 'pairs',
    rows: runs.flatMap((run) => [
      lostRow(nameOf(run), run.first),
      reported(`${nameOf(run)}, later than the target`, 'ms', later(run.first)),
    ]),
  };
}

function memoryTable(runs: readonly ScaleRun[]): Table {
  return {
    id: 'scale-memory',
    title: 'memory of the agent',
    source: `${KOLLAPS_2} reports none`,
    method: 'Resident, at the end of the pings.',
    sampled: 'runs',
    rows: runs.map((run) =>
      least(nameOf(run), 'MB', GOAL_MEMORY_MB, {
        measured: megabytes(run.memoryBytes),
        spread: null,
        samples: 1,
        note: `${run.names.length.toLocaleString('en')} endpoints; ${megabytes(run.mostMemoryBytes).toFixed(0)} MB at most`,
      }),
    ),
  };
}

function machineTable(runs: readonly ScaleRun[]): Table {
  return {
    id: 'scale-machine',
    title: 'processor time of everything else meanwhile',
    source: KOLLAPS_2,
    method: 'Parts of one core, while all ping.',
    sampled: 'slices of 5 s',
    rows: runs.flatMap((run) => [
      ...machineRows(nameOf(run), run.steady.use, 'ping'),
      ...machineRows(`${nameOf(run)}, without netfold`, run.unshaped.use, 'ping'),
    ]),
  };
}

const nameOf = ({ nodes, names }: ScaleRun): string =>
  `${nodes.toLocaleString('en')} nodes, ${names.length.toLocaleString('en')} endpoints`;
