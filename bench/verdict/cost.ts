/** What probes cost with 200 flows of UDP, of which TCP measures none. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TURN_MS } from '../../agent/fidelity/echoes.ts';
import { MOST_A_TURN, PROBE_FRAME_BYTES } from '../../agent/fidelity/probing.ts';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import { agentSocket } from '../../controller/names.ts';
import { callJson } from '../../proto/http-json.ts';
import type { AgentMetric, Sample } from '../../proto/metrics/table.ts';
import { bitsOf, fromSeconds, parseBandwidth, secondsToMillis } from '../../proto/units.ts';
import { type Lab, withLab } from '../lab.ts';
import { sum } from '../measure/statistics.ts';
import { least, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import type { VerdictBench } from './asked.ts';
import { IdleTime } from './idle-time.ts';
import { startUdp } from './named.ts';
import { FLOWS, HOSTS, PATH, RECEIVERS, SENDERS } from './topologies.ts';

const SETTLE_MS = 8000;
const SECONDS = 30;
const QUICK_SECONDS = 8;

/** Of both agents together, but for the first. */
interface Probed {
  readonly flows: number;
  readonly paths: number;
  readonly probes: number;
  readonly lost: number;
  readonly workSeconds: number;
  readonly turns: number;
  /** Turns in which paths had to wait. */
  readonly behind: number;
  /** The part of the machine's processors that was idle meanwhile. */
  readonly idle: number;
}

export async function measureCost({ quick, backend, interruption, say }: VerdictBench): Promise<Table> {
  say(`probes of ${SENDERS * RECEIVERS} flows of UDP`);
  const seconds = quick ? QUICK_SECONDS : SECONDS;
  const found = await withLab(FLOWS, backend, interruption, (lab) => measured(lab, seconds), HOSTS);
  return {
    id: 'probes',
    title: `probes of ${SENDERS * RECEIVERS} flows of UDP`,
    backend,
    source: 'issue 16: probes cost under 0.5 % of a path’s bandwidth, and 1 % of a core at 200 flows',
    method: `${SENDERS} endpoints send to ${RECEIVERS} on ${HOSTS} emulated hosts for ${seconds} s, over paths of ${PATH}. Of a path: its probes in ${PROBE_FRAME_BYTES} bytes each, and as many answers on the way back. Of a core: the processor time in which agents choose what to probe, send probes and read answers, by their metrics, both agents together; a send includes the kernel’s work for the packet. Probes of the real network between the hosts are among them. A turn comes every ${TURN_MS} ms and sends ${MOST_A_TURN} at the most; paths wait when the agent’s budget of processor time is used up.`,
    sampled: 'probes',
    rows: rowsOf(found, seconds),
  };
}

function rowsOf(found: Probed, seconds: number): Row[] {
  const { flows, paths, probes, lost, workSeconds, turns, behind, idle } = found;
  const perPath = probes / paths / seconds;
  const of = (measured: number, samples = probes) => ({ measured, spread: null, samples });
  return [
    reported('flows that agents see', 'count', of(flows)),
    reported('paths that are probed', 'count', of(paths)),
    reported('probes of both agents', '1/s', of(probes / seconds)),
    reported('probes of a path', '1/s', of(perPath)),
    least('of the bandwidth of a path', 'ratio', 0.005, {
      ...of((perPath * bitsOf(PROBE_FRAME_BYTES)) / parseBandwidth(PATH)),
    }),
    least('of a core', 'cores', 0.01, of(workSeconds / seconds)),
    reported('processor time of a turn', 'µs', of(fromSeconds(workSeconds) / turns, turns)),
    reported('processor time of a probe with its answer', 'µs', of(fromSeconds(workSeconds) / probes)),
    reported('turns in which paths had to wait', 'ratio', of(behind / turns, turns)),
    reported('probes that did not come back', 'count', of(lost)),
    reported('idle time of the machine meanwhile', 'ratio', of(idle, 1)),
  ];
}

async function measured({ experiment, place }: Lab, seconds: number): Promise<Probed> {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
  const addresses = numbers(RECEIVERS).map((at) => place(`receiver.${at}`).address);
  await experiment.run();
  const senders = numbers(SENDERS).map((at) => startUdp(place(`sender.${at}`), addresses));
  try {
    await sleep(SETTLE_MS);
    const idleTime = new IdleTime();
    const before = await samples(experiment);
    await sleep(secondsToMillis(seconds));
    const after = await samples(experiment);
    const grown = (name: AgentMetric): number => total(after, name) - total(before, name);
    return {
      flows: total(after, 'netfold_flows'),
      paths: total(after, 'netfold_probed_paths'),
      probes: grown('netfold_probes_total'),
      lost: grown('netfold_lost_probes_total'),
      workSeconds: grown('netfold_probe_seconds_total'),
      turns: grown('netfold_probe_turns_total'),
      behind: grown('netfold_probe_turns_behind_total'),
      idle: idleTime.part(),
    };
  } finally {
    for (const sender of senders) sender.kill('SIGKILL');
  }
}

async function samples({ name, plan }: Experiment): Promise<Sample[]> {
  const asked = plan.hosts.map((host) => callJson(`unix:${agentSocket(name, host.name)}`, '/samples'));
  return (await Promise.all(asked)).flat() as Sample[];
}

const total = (all: readonly Sample[], name: AgentMetric): number =>
  sum(all.filter((one) => one.name === name).map(({ value }) => Number(value)));
