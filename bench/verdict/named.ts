/** How soon a cause is named after it was provoked. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { agentAt, signalAll } from '../../controller/machine/processes.ts';
import { agentSocket } from '../../controller/names.ts';
import { FABRIC_INTERFACE } from '../../controller/platform/lab/lab-plan.ts';
import { output, type Place } from '../../controller/verify/traffic.ts';
import { type Lab, withLab } from '../lab.ts';
import { median, range } from '../measure/statistics.ts';
import { least } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { type VerdictBench, verdictOf } from './asked.ts';
import { DISTURBED, FILLER, HOSTS, UDP_SENDER } from './topologies.ts';

const ROUNDS = 5;
const BOUND_MS = 3000;
const PATIENCE_MS = 15_000;
const POLL_MS = 50;
/** After the start: flows are measured, and probed once at least. */
const SETTLE_MS = 4000;

interface Disturbance {
  readonly what: string;
  readonly code: string;
  /** `keep`: takes a process that is to be killed at the end. */
  readonly provoke: (lab: Lab, keep: (child: ChildProcess) => void) => Promise<unknown>;
}

const ip = (...words: string[]): Promise<unknown> => promisify(execFile)('ip', words);

const inside = (place: Place, ...words: string[]): Promise<unknown> => output(place, words);

/** The end in the host's namespace of an endpoint's link: what is there is the real network. */
async function portOf({ namespace }: Place, host: string): Promise<string> {
  const list = async (
    where: string,
    ...words: string[]
  ): Promise<{ ifindex: number; ifname: string; link_index?: number }[]> =>
    JSON.parse((await promisify(execFile)('ip', ['-n', where, '-j', 'link', 'show', ...words])).stdout);
  const [own] = await list(namespace, 'dev', 'eth0');
  return (await list(host)).find(({ ifindex }) => ifindex === own!.link_index)!.ifname;
}

const onHost = (namespace: string, ...words: string[]): Promise<unknown> =>
  ip('netns', 'exec', namespace, ...words);

/** Puts a token bucket at the end of the link to `b`. */
async function bucket({ experiment, place }: Lab, ...words: string[]): Promise<string> {
  const { host } = experiment.plan.endpoints.find(({ name }) => name === 'b.0')!;
  const port = await portOf(place('b'), host.namespace);
  await onHost(host.namespace, 'tc', 'qdisc', 'add', 'dev', port, 'root', 'tbf', ...words);
  return host.namespace;
}

/** A token bucket drops what is longer than it. */
const cut = (lab: Lab): Promise<unknown> => bucket(lab, 'rate', '1mbit', 'burst', '60', 'limit', '1000');

/** A queue of 40 kB, which what comes from the host, past all paths, keeps full but for 10 kB: 30 to 40 ms. */
async function queue(lab: Lab, keep: (child: ChildProcess) => void): Promise<void> {
  const namespace = await bucket(lab, 'rate', '8mbit', 'burst', '3000', 'limit', '40000');
  const words = ['netns', 'exec', namespace, 'perl', '-e', FILLER, lab.place('b').address];
  keep(spawn('ip', words, { stdio: 'ignore' }));
}

/** Three packets in ten that hosts get from each other are dropped. */
async function lose({ experiment }: Lab): Promise<void> {
  const rules = [
    'add table inet lossy',
    'add chain inet lossy arrived { type filter hook prerouting priority -400; }',
    `add rule inet lossy arrived iifname "${FABRIC_INTERFACE.name}" numgen random mod 10 < 3 drop`,
  ];
  for (const { namespace } of experiment.plan.hosts) await onHost(namespace, 'nft', rules.join('; '));
}

const DISTURBANCES: readonly Disturbance[] = [
  {
    what: 'rules of an endpoint removed',
    code: 'RULES_CHANGED',
    provoke: ({ place }) => inside(place('b'), 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'root'),
  },
  {
    what: 'another root qdisc in the place of netfold’s',
    code: 'NOT_ENFORCED',
    provoke: ({ place }) =>
      inside(place('c'), 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'handle', '9:', 'pfifo'),
  },
  { what: 'the real network to an endpoint is cut, by probes', code: 'PROBES_LOST', provoke: cut },
  { what: 'the real network to an endpoint takes 30 ms longer, by probes', code: 'RTT_LONG', provoke: queue },
  { what: 'the real network between hosts loses 30 % each way', code: 'UNDERLAY_LOSSY', provoke: lose },
  {
    what: 'an agent stopped (SIGSTOP)',
    code: 'AGENT_SILENT',
    provoke: async ({ experiment }) => {
      const pid = agentAt(agentSocket(experiment.name, experiment.plan.hosts[1]!.name))!;
      process.kill(pid, 'SIGSTOP');
    },
  },
];

export async function measureNamed({ quick, backend, interruption, say }: VerdictBench): Promise<Table> {
  const rounds = quick ? 1 : ROUNDS;
  const rows: Row[] = [];
  for (const disturbance of DISTURBANCES) {
    const times: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`${disturbance.what}, round ${round} of ${rounds}`);
      times.push(
        await withLab(DISTURBED, backend, interruption, (lab) => timeUntilNamed(lab, disturbance), HOSTS),
      );
    }
    const known = times.filter(Number.isFinite);
    rows.push(
      least(`${disturbance.code}: ${disturbance.what}`, 'ms', BOUND_MS, {
        measured: Math.max(...times),
        ...{ spread: known.length === times.length ? range(times) : null, samples: times.length },
        note:
          known.length === times.length ? `median ${median(times).toFixed(0)} ms` : 'not named every time',
      }),
    );
  }
  return {
    id: 'named',
    title: 'from a disturbance until its cause is named',
    backend,
    source: 'issue 16: each cause is named within 3 s',
    method: `On ${HOSTS} emulated hosts with a stream of UDP datagrams, each round in a lab of its own. From before the disturbance until \`netfold verdict\` names the cause, asked again as soon as it has answered; the latest round counts. Of a cut behind the endpoint’s link, UDP says nothing: probes do.`,
    sampled: 'rounds',
    rows,
  };
}

async function timeUntilNamed(lab: Lab, { code, provoke }: Disturbance): Promise<number> {
  const { experiment, place } = lab;
  const children = [startUdp(place('a'), [place('b').address])];
  try {
    await experiment.run();
    await sleep(SETTLE_MS);
    const started = performance.now();
    await provoke(lab, (child) => children.push(child));
    for (;;) {
      const { causes } = await verdictOf(experiment);
      const elapsed = performance.now() - started;
      if (causes.some((cause) => cause.code === code)) return elapsed;
      if (elapsed > PATIENCE_MS) return Number.NaN;
      await sleep(POLL_MS);
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
    // A stopped process can't be ended.
    signalAll(
      experiment.agents.flatMap(({ pid }) => pid ?? []),
      'SIGCONT',
    );
  }
}

export function startUdp({ namespace }: Place, addresses: readonly string[]): ChildProcess {
  const words = ['netns', 'exec', namespace, 'perl', '-e', UDP_SENDER, ...addresses];
  return spawn('ip', words, { stdio: 'ignore' });
}
