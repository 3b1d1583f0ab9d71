/**
 * Simulated flows beside a live TCP connection, as Netbed had them beside one of 2 Mb/s; and the same flows simulated and real beside
 * another one, whose shares have to be the same.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { bps, formatBps, secondsToMillis, toMegabits } from '../../proto/units.ts';
import { type Interruption, type Lab, withLab } from '../lab.ts';
import { type CpuUse, watchCpu } from '../measure/cpu/cpu-watch.ts';
import { mean, range } from '../measure/statistics.ts';
import { TcpStreams } from '../measure/traffic/tcp-streams.ts';
import { judge, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';

const LIVE_BPS = 2e6;
/** Of frames: what a flow of full frames shows of its share. */
const LEAST_PART = 0.97;
const SECONDS = 20;
const QUICK_SECONDS = 6;
const SETTLE_SECONDS = 4;
const NODES = 300;
/** Of each simulated flow. */
const EACH_BPS = 100_000;
/** Real flows that are simulated the other time. */
const TWINS = 8;
const TWIN_LINK_BPS = 40e6;

interface Options {
  readonly quick: boolean;
  readonly backend: DelayBackendName;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Half of the simulated nodes send to the other half, over the link that the live connection takes as well. */
function besideText(flows: number): string {
  const pairs = NODES / 2;
  const capacity = flows * EACH_BPS + LIVE_BPS;
  const names = Array.from({ length: pairs }, (_, index) => [`x${index}`, `y${index}`] as const);
  const links = names.flatMap(([x, y]) => [
    `  - { from: ${x}, to: r1, latency: 5ms, bandwidth: 1Gbps }`,
    `  - { from: ${y}, to: r2, latency: 5ms, bandwidth: 1Gbps }`,
  ]);
  const each = flows / pairs;
  const traffic = names.flatMap(([x, y], index) => {
    const count = Math.floor(each * (index + 1)) - Math.floor(each * index);
    return count === 0
      ? []
      : [`  - { from: ${x}, to: ${y}, rate: ${EACH_BPS}bps, simulated: true, count: ${count} }`];
  });
  return [
    'services: { live: {}, sink: {} }',
    `bridges: [r1, r2, ${names.flat().join(', ')}]`,
    'links:',
    `  - { from: r1, to: r2, latency: 10ms, bandwidth: ${capacity}bps }`,
    `  - { from: live, to: r1, latency: 5ms, bandwidth: ${LIVE_BPS}bps }`,
    `  - { from: sink, to: r2, latency: 5ms, bandwidth: ${LIVE_BPS}bps }`,
    ...links,
    'traffic:',
    ...traffic,
    '',
  ].join('\n');
}

/** A live connection and greedy flows over one link, those simulated or not. */
function twinText(areSimulated: boolean): string {
  return [
    `services: { live: {}, sink: {}, other: { replicas: ${TWINS} }, others: { replicas: ${TWINS} } }`,
    'bridges: [r1, r2]',
    'links:',
    `  - { from: r1, to: r2, latency: 10ms, bandwidth: ${TWIN_LINK_BPS}bps }`,
    ...['live', 'other'].map((name) => `  - { from: ${name}, to: r1, latency: 5ms, bandwidth: 1Gbps }`),
    ...['sink', 'others'].map((name) => `  - { from: ${name}, to: r2, latency: 5ms, bandwidth: 1Gbps }`),
    'traffic:',
    `  - { from: other, to: others${areSimulated ? ', simulated: true' : ''} }`,
    '',
  ].join('\n');
}

interface Live {
  /** Of the flow, as frames, each second. */
  readonly rates: readonly number[];
  readonly use: CpuUse;
}

export async function simulatedTable({ quick, backend, interruption, say }: Options): Promise<Table> {
  const seconds = quick ? QUICK_SECONDS : SECONDS;
  const run = (text: string): Promise<Live> =>
    withLab(text, backend, interruption, (lab) => live(lab, seconds));
  const rows: Row[] = [];
  for (const flows of [150, 10_000]) {
    say(`${flows} simulated flows and ${NODES} simulated nodes beside a TCP connection`);
    const { rates, use } = await run(besideText(flows));
    rows.push(
      judge(
        {
          ...{ what: `the connection beside ${flows} flows`, unit: 'bit/s', target: LIVE_BPS },
          bound: { kind: 'relative', value: 1 - LEAST_PART, bad: 'below' },
        },
        { measured: mean(rates), spread: range(rates), samples: rates.length },
      ),
      reported(`the agent beside ${flows} flows`, 'cores', {
        measured: mean([...use.agents[0]!]),
        ...{ spread: range([...use.agents[0]!]), samples: use.agents[0]!.length },
      }),
    );
  }
  say(`${TWINS} greedy flows, real and simulated`);
  const [real, simulated] = [await run(twinText(false)), await run(twinText(true))];
  rows.push(
    judge(
      {
        what: `a connection beside ${TWINS} greedy flows that are simulated, by the same beside real ones`,
        ...{ unit: 'factor', target: 1, bound: { kind: 'absolute', value: 0.1 } },
      },
      {
        measured: mean(simulated.rates) / mean(real.rates),
        ...{ spread: null, samples: simulated.rates.length },
        note: `${toMegabits(bps(mean(real.rates))).toFixed(2)} Mb/s beside real ones; an equal share is ${toMegabits(bps(TWIN_LINK_BPS / (TWINS + 1))).toFixed(2)}`,
      },
    ),
  );
  return {
    id: 'workbench-simulated',
    title: 'simulated flows beside real ones',
    backend,
    source: 'White et al. 2002 (Netbed), section 5.5',
    method: `A TCP connection (cubic) whose access links have ${formatBps(LIVE_BPS)} shares a link with simulated flows of ${formatBps(EACH_BPS)} each between ${NODES} simulated nodes; the link has room for all. Its rate as the agent counts it, as frames, once a second. Then one that shares 40 Mb/s with greedy flows of the same round-trip time, real and simulated.`,
    sampled: 'seconds',
    rows,
  };
}

async function live({ experiment, place }: Lab, seconds: number): Promise<Live> {
  const agents = agentsOf(experiment.name);
  const streams = new TcpStreams();
  try {
    await experiment.run();
    await streams.start([{ from: place('live'), to: place('sink') }]);
    await sleep(secondsToMillis(SETTLE_SECONDS));
    const watched = watchCpu({ agents, traffic: streams.pids, seconds });
    const rates: number[] = [];
    for (let second = 0; second < seconds; second++) {
      await sleep(secondsToMillis(1));
      const flows = (await experiment.statuses()).flatMap((status) => status.flows);
      rates.push(flows.find(({ from, to }) => from === 'live.0' && to === 'sink.0')?.rateBps ?? 0);
    }
    streams.check();
    return { rates, use: await watched };
  } finally {
    streams.stop();
  }
}
