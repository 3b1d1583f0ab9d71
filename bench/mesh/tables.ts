/** What simulated agents sent, as tables and a figure. Pure. */
import { least, type Measurement, reported } from '../report/judge.ts';
import type { Figure, Row, Table } from '../report/model.ts';
import type { Sent } from '../simulation/memory-network.ts';
import { neighbourCount } from './crowd.ts';

export interface CrowdRun {
  readonly hosts: number;
  readonly idle: Sent;
  readonly steady: Sent;
  readonly churn: Sent;
  readonly steadySeconds: number;
  readonly churnSeconds: number;
  /** From the start of the last agent until all agreed; the others likewise. */
  readonly joinedMs: number;
  readonly changedMs: number;
  readonly lateMs: number;
  readonly droppedMs: number;
}

export interface FlowsRun {
  readonly hosts: number;
  /** Flows of each host, and how many of them change each second. */
  readonly flows: number;
  readonly changed: number;
  readonly steady: Sent;
  readonly churn: Sent;
  readonly steadySeconds: number;
  readonly churnSeconds: number;
}

/**
 * On the wire, in addition to the message (agent/mesh/README.md): gossipsub's name, key and signature, noise, yamux,
 * headers, and an acknowledgement.
 */
const WIRE_BYTES = { gossip: 150 + 30 + 132, question: 30 + 132 } as const;
/** A connection for one request: handshakes of TCP, noise and yamux, identify, gossipsub's first messages. */
const DIAL_BYTES = 5000;

/** What one agent sends per second: to each neighbour, a heartbeat; to all together, a clock request. */
const [PER_NEIGHBOUR, PER_AGENT] = [400, 1000];
/**
 * From the design: silence is noticed within 3 s, checked four times a second, after a last heartbeat up to 1 s ago.
 */
const DROPPED_MS = 3500;
const LATE_MS = 2000;
const CHANGED_MS = 500;

const SOURCE = 'netfold’s own; the neighbours are those of Chord, the suspicion that of SWIM';

export function tablesOf(runs: readonly CrowdRun[], flows: readonly FlowsRun[]): Table[] {
  const common = { source: SOURCE, sampled: 'agents' };
  const method = `Agents of one process on a network in memory, 1 to 3 ms from one to the other; a simulated second is one. Bytes as on the wire: ${WIRE_BYTES.gossip} more for each gossiped message from one to another, ${WIRE_BYTES.question} for each question or answer, ${DIAL_BYTES} for a connection that is made to ask.`;
  const tables: Table[] = [
    {
      ...common,
      id: 'mesh-hosts',
      title: 'what each agent sends, by the count of hosts',
      method: `${method} Growth law: up to 16 hosts, all receive from all, so it grows with hosts − 1; beyond, with the neighbours, 2 log₂(hosts): at most ${PER_NEIGHBOUR} B/s for each, and ${PER_AGENT}. Churn: a fifth of the agents has a flow that changes in a second. All agents receive each change, so this grows with the changes of all.`,
      rows: runs.flatMap(hostRows),
    },
    {
      ...common,
      id: 'mesh-times',
      title: 'how long until all agree',
      method:
        'Checked every 10 ms: all have the same digest of the present hosts and of each host’s table. A death: until no agent lists the dead one. Late: until it knows all, and all know it.',
      rows: runs.flatMap(timeRows),
    },
  ];
  if (flows.length === 0) return tables;
  const rows = flows.flatMap(flowRows);
  const title = 'what each agent sends, by the count of flows';
  const law =
    'Flows that are steady cost nothing. Of those that change, one in a hundred of each host in each second, all in one message.';
  return [...tables, { ...common, id: 'mesh-flows', title, method: law, rows }];
}

function hostRows(run: CrowdRun): Row[] {
  const { hosts, idle, steady, churn, steadySeconds, churnSeconds } = run;
  const neighbours = neighbourCount(hosts);
  const most = PER_AGENT + PER_NEIGHBOUR * neighbours;
  const rows = [
    ...sentRows(`${hosts} hosts, idle`, idle, hosts, steadySeconds, most, `${neighbours} neighbours`),
    ...sentRows(`${hosts} hosts, steady flows`, steady, hosts, steadySeconds, most, ''),
    ...sentRows(`${hosts} hosts, churn`, churn, hosts, churnSeconds, undefined, ''),
  ];
  return rows;
}

function flowRows({ hosts, flows, changed, steady, churn, steadySeconds, churnSeconds }: FlowsRun): Row[] {
  const most = PER_AGENT + PER_NEIGHBOUR * neighbourCount(hosts);
  const name = `${hosts} hosts, ${flows} flows each`;
  return [
    ...sentRows(`${name}, steady`, steady, hosts, steadySeconds, most, ''),
    ...sentRows(`${name}, ${changed} change`, churn, hosts, churnSeconds, undefined, ''),
  ];
}

function sentRows(
  what: string,
  sent: Sent,
  hosts: number,
  seconds: number,
  most: number | undefined,
  why: string,
): Row[] {
  const each = hosts * seconds;
  const { gossip, state, clock, dial } = sent;
  const bytes = samples(wireBytes(sent) / each, hosts, why);
  const messages = gossip.messages + state.messages + clock.messages;
  const parts = { gossip, tables: state, time: clock, dials: dial };
  const note = Object.entries(parts)
    .filter(([, { messages: count }]) => count > 0)
    .map(([name, { messages: count }]) => `${name} ${(count / each).toPrecision(2)}`)
    .join(', ');
  return [
    most === undefined
      ? reported(`${what}: bytes`, 'B/s', bytes)
      : least(`${what}: bytes`, 'B/s', most, bytes),
    reported(`${what}: messages`, '1/s', samples(messages / each, hosts, note)),
  ];
}

function timeRows({ hosts, joinedMs, changedMs, lateMs, droppedMs }: CrowdRun): Row[] {
  const name = (what: string): string => `${hosts} hosts: ${what}`;
  const of = (ms: number): Measurement => samples(ms, hosts);
  return [
    reported(name('all start, 5 ms apart'), 'ms', of(joinedMs)),
    least(name('a flow of each changes'), 'ms', CHANGED_MS, of(changedMs)),
    least(name('a late one'), 'ms', LATE_MS, of(lateMs)),
    least(name('a death'), 'ms', DROPPED_MS, of(droppedMs)),
  ];
}

/** Of all agents together. */
function wireBytes({ gossip, state, clock, dial }: Sent): number {
  const payload = gossip.bytes + state.bytes + clock.bytes;
  const questions = state.messages + clock.messages;
  const around = gossip.messages * WIRE_BYTES.gossip + questions * WIRE_BYTES.question;
  return payload + around + dial.messages * DIAL_BYTES;
}

function samples(measured: number, hosts: number, note = ''): Measurement {
  return { measured, spread: null, samples: hosts, note };
}

export function figureOf(runs: readonly CrowdRun[]): Figure {
  const series = (name: string, colour: number, of: (run: CrowdRun) => number) => ({
    name,
    colour,
    shape: 'lines' as const,
    points: runs.map((run) => [run.hosts, of(run) / 1000] as const),
  });
  const perAgent = (sent: Sent, { hosts }: CrowdRun, seconds: number): number =>
    wireBytes(sent) / hosts / seconds;
  return {
    id: 'hosts',
    plot: {
      title: 'What each agent sends',
      xTitle: 'hosts',
      yTitle: 'kB/s on the wire',
      isLogarithmic: true,
      marks: [],
      series: [
        series('idle', 0, (run) => perAgent(run.idle, run, run.steadySeconds)),
        series('steady flows', 2, (run) => perAgent(run.steady, run, run.steadySeconds)),
        series('a fifth has a flow that changes each second', 1, (run) =>
          perAgent(run.churn, run, run.churnSeconds),
        ),
      ],
    },
  };
}
