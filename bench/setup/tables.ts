/** Times of set-up and removal, as tables and a figure. Pure. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { secondsToMillis } from '../../proto/units.ts';
import { profileTables } from '../measure/cpu/cpu-rows.ts';
import type { Spent } from '../measure/cpu/profile.ts';
import { median, range } from '../measure/statistics.ts';
import { least, type Measurement, reported } from '../report/judge.ts';
import type { Figure, Row, Table } from '../report/model.ts';
import type { DownTimes, UpTimes } from './stages.ts';

/** At every size. */
const UP_SECONDS = 30;
const DOWN_SECONDS = 15;

export interface SetupRun {
  readonly nodes: number;
  readonly endpoints: number;
  readonly rounds: readonly { readonly up: UpTimes; readonly down: DownTimes }[];
  readonly spent: readonly Spent[];
}

export function tablesOf(runs: readonly SetupRun[], backend: DelayBackendName): Table[] {
  const common = { backend, source: 'no table of the literature', sampled: 'rounds' };
  const tables: Table[] = [
    {
      ...common,
      id: 'setup-whole',
      title: 'time to set up, and to take down',
      method:
        'Scale-free topologies, all endpoints on one host with one agent. Up: from the topology’s text until everything is in force and was read back, as in `netfold up`; then every endpoint pings another once, and all have to be answered. Down: until nothing is left. Median and range.',
      rows: runs.flatMap((run) => [
        least(
          `${nameOf(run)}: up`,
          's',
          UP_SECONDS,
          of(run, ({ up }) => up.whole, perEndpoint(run)),
        ),
        least(
          `${nameOf(run)}: down`,
          's',
          DOWN_SECONDS,
          of(run, ({ down }) => down.whole),
        ),
      ]),
    },
    {
      ...common,
      id: 'setup-stages',
      title: 'where the time goes',
      method: 'One after the other; the last row is processor time, and overlaps the others.',
      rows: runs.flatMap(stageRows),
    },
  ];
  const profiled = runs.map((run) => ({ what: nameOf(run), spent: run.spent }));
  return [...tables, ...profileTables('setup', profiled)];
}

function stageRows(run: SetupRun): Row[] {
  const row = (what: string, time: (round: SetupRun['rounds'][number]) => number, note = ''): Row =>
    reported(`${nameOf(run)}: ${what}`, 's', of(run, time, note));
  return [
    row('planning', ({ up }) => up.planning, 'the topology is read, the machine looked at'),
    row('endpoints', ({ up }) => up.endpoints, 'namespaces, veth pairs, addresses, routes'),
    row('the agent begins', ({ up }) => up.agentStart, 'until it answers: it has attached to all endpoints'),
    row('shaping', ({ up }) => up.shaping, 'until all is in force, and read back'),
    row('the agent ends', ({ down }) => down.agentStop, 'it removes what it enforces'),
    row('namespaces go', ({ down }) => down.namespaces),
    row('the agent’s processor time until it is up', ({ up }) => up.agentCpu),
  ];
}

function of(
  { rounds }: SetupRun,
  time: (round: SetupRun['rounds'][number]) => number,
  note = '',
): Measurement {
  const times = rounds.map(time);
  return { measured: median(times), spread: range(times), samples: times.length, note };
}

function perEndpoint({ rounds, endpoints }: SetupRun): string {
  const seconds = median(rounds.map(({ up }) => up.whole));
  return `${(secondsToMillis(seconds) / endpoints).toFixed(1)} ms an endpoint`;
}

const nameOf = ({ endpoints }: SetupRun): string => `${endpoints.toLocaleString('en')} endpoints`;

export function figureOf(runs: readonly SetupRun[]): Figure {
  const line = (name: string, colour: number, time: (round: SetupRun['rounds'][number]) => number) => ({
    name,
    colour,
    shape: 'lines' as const,
    points: runs.map((run) => [run.endpoints, median(run.rounds.map(time))] as const),
  });
  return {
    id: 'times',
    plot: {
      title: 'Setting up and taking down, one host',
      xTitle: 'endpoints',
      yTitle: 's',
      marks: [],
      series: [
        line('up', 0, ({ up }) => up.whole),
        line('endpoints made', 5, ({ up }) => up.planning + up.endpoints),
        line('the agent has attached to them', 2, ({ up }) => up.whole - up.shaping),
        line('down', 1, ({ down }) => down.whole),
      ],
    },
  };
}
