/** What probes cost with 200 flows of UDP, of which TCP measures none. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PROBE_FRAME_BYTES } from '../../agent/fidelity/probing.ts';
import type { Experiment } from '../../controller/experiment/experiment.ts';
import { agentSocket } from '../../controller/names.ts';
import { callJson } from '../../proto/http-json.ts';
import type { AgentMetric, Sample } from '../../proto/metrics/table.ts';
import { bitsOf, parseBandwidth, secondsToMillis } from '../../proto/units.ts';
import { type Lab, withLab } from '../lab.ts';
import { sum } from '../measure/statistics.ts';
import { least, reported } from '../report/judge.ts';
import type { Table } from '../report/model.ts';
import type { VerdictBench } from './asked.ts';
import { startUdp } from './named.ts';
import { FLOWS, HOSTS, PATH, RECEIVERS, SENDERS } from './topologies.ts';

const SETTLE_MS = 8000;
const SECONDS = 30;
const QUICK_SECONDS = 8;

interface Probed {
  readonly flows: number;
  readonly probes: number;
  readonly lost: number;
  readonly workSeconds: number;
}

export async function measureCost({ quick, backend, interruption, say }: VerdictBench): Promise<Table> {
  say(`probes of ${SENDERS * RECEIVERS} flows of UDP`);
  const seconds = quick ? QUICK_SECONDS : SECONDS;
  const found = await withLab(FLOWS, backend, interruption, (lab) => measured(lab, seconds), HOSTS);
  const { flows, probes, lost, workSeconds } = found;
  const perFlow = probes / flows / seconds;
  return {
    id: 'probes',
    title: `probes of ${SENDERS * RECEIVERS} flows of UDP`,
    backend,
    source: 'issue 16: probes cost under 0.5 % of a path’s bandwidth, and 1 % of a core at 200 flows',
    method: `${SENDERS} endpoints send to ${RECEIVERS} on ${HOSTS} emulated hosts for ${seconds} s, over paths of ${PATH}. Of a path: its probes in ${PROBE_FRAME_BYTES} bytes each, and as many answers on the way back. Of a core: the time in which agents send probes and read answers, by their metrics, both agents together; a send includes the kernel’s work for the packet.`,
    sampled: 'probes',
    rows: [
      reported('flows that agents see', 'count', { measured: flows, spread: null, samples: probes }),
      reported('probes of a path', '1/s', { measured: perFlow, spread: null, samples: probes }),
      least('of the bandwidth of a path', 'ratio', 0.005, {
        ...{
          measured: (perFlow * bitsOf(PROBE_FRAME_BYTES)) / parseBandwidth(PATH),
          spread: null,
          samples: probes,
          note: '',
        },
      }),
      least('of a core', 'cores', 0.01, {
        ...{ measured: workSeconds / seconds, spread: null, samples: probes, note: '' },
      }),
      reported('probes that did not come back', 'count', { measured: lost, spread: null, samples: probes }),
    ],
  };
}

async function measured({ experiment, place }: Lab, seconds: number): Promise<Probed> {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
  const addresses = numbers(RECEIVERS).map((at) => place(`receiver.${at}`).address);
  await experiment.run();
  const senders = numbers(SENDERS).map((at) => startUdp(place(`sender.${at}`), addresses));
  try {
    await sleep(SETTLE_MS);
    const before = await samples(experiment);
    await sleep(secondsToMillis(seconds));
    const after = await samples(experiment);
    const grown = (name: AgentMetric): number => total(after, name) - total(before, name);
    return {
      flows: total(after, 'netfold_flows'),
      probes: grown('netfold_probes_total'),
      lost: grown('netfold_lost_probes_total'),
      workSeconds: grown('netfold_probe_seconds_total'),
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
