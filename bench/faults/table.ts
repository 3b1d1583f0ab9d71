/** The results of the faults, as a table. Pure. */
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { median, quantile, range } from '../measure/statistics.ts';
import { judge, least, reported } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { BOUND_MS } from './agreement.ts';
import { KINDS, type Kind } from './plan.ts';
import type { Outcome } from './suite.ts';
import { HOSTS } from './topology.ts';

const NAMES: Readonly<Record<Kind, string>> = {
  kill: 'agents killed, new ones started',
  pause: 'agents stopped for a while',
  cut: 'links cut',
  'one-way': 'links cut one way',
  bad: '100 ms and 20 % loss on links',
  date: 'dates set, some with an agent that starts then',
  controller: 'controller down, and another fault',
  several: 'several at a time',
  crowd: 'all agents end and come at once',
  hang: 'some threads of an agent stand still',
  descriptors: 'agents without descriptors',
  files: 'agents whose files may not grow',
  memory: 'agents that may take no more memory',
  disk: 'the disk full, and a command meanwhile',
  taken: 'rules, programs or roots removed at endpoints',
  'taken-again': 'the same, again and again',
  mixed: 'two of these and of cut links',
};

/** A row of `Infinity` is outside. `left`: what the experiment has left on the machine. */
export function tableOf(
  outcomes: readonly Outcome[],
  left: readonly string[],
  backend: DelayBackendName,
  seed: number,
): Table {
  const of = (kind: Kind): Outcome[] => outcomes.filter(({ fault }) => fault.kind === kind);
  const answers = of('kill').map(({ answerMs }) => answerMs);
  return {
    id: 'faults',
    title: `${outcomes.length} faults of ${HOSTS} hosts, seed ${seed}`,
    backend,
    source:
      'issue 20: after every fault all converge within 5 s, or say what is degraded; issue 5: all agents agree',
    method:
      'TCP and UDP flows, a topology that changes every second or two, and commands of users at the same time. From the end of a fault, or from the first answer of agents that were started then, until all of this holds: all agents report the same hosts, endpoints, epoch, commands and flows; their shares are those that one process computes from all flows; the kernel has exactly these classes, and those of paths that are gone. Of values that change all the time, only a difference that lasts for 250 ms counts. The longest time of each kind is judged, of the faults after which no agent said in its status, all the time from 5 s on, that something was degraded.',
    sampled: 'faults',
    rows: [
      ...KINDS.filter((kind) => of(kind).length > 0).map((kind) => rowOf(NAMES[kind], of(kind))),
      ...(outcomes.length > 0 ? [rowOf('all', outcomes)] : []),
      leftRow(left),
      ...(answers.length > 0 ? [startRow(answers)] : []),
    ],
  };
}

function rowOf(what: string, outcomes: readonly Outcome[]): Row {
  const times = outcomes.map(({ agreementMs }) => agreementMs);
  const lost = times.filter((time) => !Number.isFinite(time)).length;
  const told = outcomes.filter(wasTold).length;
  // Zero where all of them were told.
  const judged = Math.max(
    0,
    ...outcomes.filter((one) => !wasTold(one)).map(({ agreementMs }) => agreementMs),
  );
  const spread = lost > 0 ? null : range(times);
  const usual =
    lost > 0
      ? `${lost} never`
      : `median ${Math.round(median(times))} ms, 99 % ${Math.round(quantile(times, 0.99))} ms`;
  const note = told > 0 ? `${usual}; ${told} longer, and told` : usual;
  return judge(
    { what, unit: 'ms', target: 0, bound: { kind: 'absolute', value: BOUND_MS } },
    { measured: lost > 0 ? Number.NaN : judged, spread, samples: times.length, note },
  );
}

/** It took longer, and status said so. What never ends is no answer to a fault that is over. */
const wasTold = ({ agreementMs, isTold }: Outcome): boolean =>
  isTold && agreementMs > BOUND_MS && Number.isFinite(agreementMs);

function leftRow(left: readonly string[]): Row {
  const facts = { measured: left.length, spread: null, samples: 1, note: left.slice(0, 3).join(', ') };
  return least('namespaces, interfaces, processes and files left over', 'count', 0, facts);
}

function startRow(answers: readonly number[]): Row {
  const facts = { measured: median(answers), spread: range(answers), samples: answers.length };
  return reported('from the start of new agents to the first answer, median', 'ms', facts);
}
