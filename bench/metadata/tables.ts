/** The measurements, as tables and a figure. Pure. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { formatBps } from '../../proto/units.ts';
import { range } from '../measure/statistics.ts';
import { judge, type Measurement, reported } from '../report/judge.ts';
import type { Figure, Row, Table } from '../report/model.ts';
import type { Compared } from './compare.ts';

/**
 * By which factor netfold must send less than the better of the two models, and from how many nodes on; below, it
 * only has to be less.
 */
const GOAL = 50;
const GOAL_NODES = 200;

const SOURCE = 'Kollaps 2.0 (Amaro, IST Lisbon, 2021), figure 5.1';

export function tablesOf(all: readonly Compared[], backend: DelayBackendName): Table[] {
  const common = { backend, source: SOURCE, sampled: 'agents' };
  return [
    {
      ...common,
      id: 'metadata-wire',
      title: 'bytes on the wire, all agents together',
      method: `Frames between the addresses at which agents meet, counted where they leave their hosts. At most what the better of the two models would have sent for the very same traffic, and from ${GOAL_NODES} nodes on a ${GOAL}th of it.`,
      rows: rowsOf(all, (one) => [wireRow(one)]),
    },
    {
      ...common,
      id: 'metadata-models',
      title: 'what others would have sent',
      method:
        'For what every endpoint sent in windows of 50 ms. periodic: 256 bytes of each endpoint in each window. reactive: of each endpoint, what changed by more than 5 % in a window, in blocks of 512 bytes as the published code has them; used: only those bytes of the blocks that mean something. To each other host, with headers.',
      rows: rowsOf(all, modelRows),
    },
    {
      ...common,
      id: 'metadata-agents',
      title: 'each agent',
      method: 'By the wire, and by the agents’ own account. The spread is that of the agents.',
      rows: rowsOf(all, agentRows),
    },
    {
      ...common,
      id: 'metadata-announcements',
      title: 'flows announced while traffic was steady',
      method:
        'By all agents together: nothing was new, so heartbeats have to be all there is. A run with an announcement is made once more.',
      rows: rowsOf(all, ({ run }) => [
        judge(
          { what: nameOf(run), unit: 'count', target: 0, bound: { kind: 'absolute', value: 0 } },
          samples(run.flowAnnouncements, run, `in ${Math.round(run.seconds)} s`),
        ),
      ]),
    },
  ];
}

function rowsOf(all: readonly Compared[], rows: (one: Compared) => readonly Row[]): Row[] {
  return all.flatMap((one) => rows(one).map((row) => ({ ...row, tries: one.tries })));
}

function wireRow({ run, bytesPerSecond, better }: Compared): Row {
  if (better.bytesPerSecond === 0) {
    const note = 'not judged: the reactive model sends nothing here, not even that an agent is alive';
    return reported(nameOf(run), 'B/s', samples(bytesPerSecond, run, note));
  }
  const times = nodesOf(run) >= GOAL_NODES ? GOAL : 1;
  const bound = { kind: 'absolute', value: better.bytesPerSecond / times } as const;
  const note = `${(better.bytesPerSecond / bytesPerSecond).toPrecision(3)} times less`;
  return judge({ what: nameOf(run), unit: 'B/s', target: 0, bound }, samples(bytesPerSecond, run, note));
}

function modelRows({ run, periodic, reactive, reactiveUsed, bytesPerSecond }: Compared): Row[] {
  const models = { periodic, reactive, 'reactive, used': reactiveUsed };
  return Object.entries(models).map(([name, sent]) => {
    const ratio = sent.bytesPerSecond / bytesPerSecond;
    const note = `${Math.round(sent.messagesPerSecond)} messages/s, ${ratio.toPrecision(3)} times the agents’`;
    return reported(`${nameOf(run)}: ${name}`, 'B/s', samples(sent.bytesPerSecond, run, note));
  });
}

function agentRows({ run, bytesPerSecond }: Compared): Row[] {
  const { wireBytes, wirePackets, messages, messageBytes, seconds, trafficBps } = run;
  const agents = wireBytes.length;
  const each = wireBytes.map((bytes) => bytes / seconds);
  const traffic = `for ${formatBps(Math.round(trafficBps))} of traffic`;
  return [
    reported(`${nameOf(run)}: bytes`, 'B/s', {
      ...samples(bytesPerSecond / agents, run, traffic),
      spread: range(each),
    }),
    reported(`${nameOf(run)}: packets`, '1/s', samples(wirePackets / seconds / agents, run)),
    reported(
      `${nameOf(run)}: messages`,
      '1/s',
      samples(messages / seconds / agents, run, `of ${(messageBytes / messages).toFixed(0)} bytes`),
    ),
  ];
}

function samples(measured: number, { wireBytes }: Compared['run'], note = ''): Measurement {
  return { measured, spread: null, samples: wireBytes.length, note };
}

const nodesOf = ({ dumbbell }: Compared['run']): number => 2 * dumbbell.clients;

function nameOf(run: Compared['run']): string {
  return `${nodesOf(run)} nodes, ${formatBps(run.dumbbell.flowBps)} each`;
}

/** The runs with flows of the lowest rate, which exist in all sizes. */
export function figureOf(all: readonly Compared[]): Figure {
  const slowest = Math.min(...all.map(({ run }) => run.dumbbell.flowBps));
  const runs = all.filter(({ run }) => run.dumbbell.flowBps === slowest);
  const series = (name: string, colour: number, of: (one: Compared) => number) => ({
    name,
    colour,
    shape: 'lines' as const,
    points: runs.map((one) => [nodesOf(one.run), of(one) / 1000] as const),
  });
  return {
    id: 'wire',
    plot: {
      title: `Metadata for steady TCP, ${formatBps(slowest)} each, four hosts`,
      xTitle: 'nodes',
      yTitle: 'kB/s on the wire',
      isLogarithmic: true,
      marks: [],
      series: [
        series('netfold, measured', 0, ({ bytesPerSecond }) => bytesPerSecond),
        series('reactive, used bytes only', 3, ({ reactiveUsed }) => reactiveUsed.bytesPerSecond),
        series('reactive, blocks of 512 bytes', 1, ({ reactive }) => reactive.bytesPerSecond),
        series('periodic, 256 bytes each 50 ms', 2, ({ periodic }) => periodic.bytesPerSecond),
      ],
    },
  };
}
