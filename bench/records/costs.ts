/** What it costs that a run is recorded: processor time, bytes, and what a kill loses. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { sizeOf } from '../../controller/record/description.ts';
import { readRecord } from '../../controller/record/read.ts';
import { megabytes, millisToSeconds, ratio, secondsToMillis, toPercent } from '../../proto/units.ts';
import type { Interruption } from '../lab.ts';
import { processSeconds } from '../measure/cpu/cpu-times.ts';
import { mean, range, sum } from '../measure/statistics.ts';
import { least, reported } from '../report/judge.ts';
import type { Table } from '../report/model.ts';
import { netfold, type Started, startNetfold } from './netfold.ts';

const FLOWS = 200;
const SETTLE_SECONDS = 20;
const SECONDS = 60;
const QUICK_SECONDS = 15;
/** With and without in turns, since a machine is not the same all the time. */
const TURNS = 3;
const QUICK_TURNS = 1;
const KILLS = 3;

/** Of one core, for all that takes part. */
const MOST_CORES = 0.02;
const TEN_MINUTES = 600;
const MOST_MEGABYTES = 50;
/** The last second, and what writing one takes. */
const MOST_LOST_MS = 1200;

export interface CostOptions {
  readonly quick: boolean;
  readonly backend: DelayBackendName;
  readonly folder: string;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/**
 * Each pair at a steady pace, on a link that all share. By default iperf3 looks a thousand times a second whether it may send: 200 of
 * them fill two processors.
 */
const topology = `
name: costs
services:
  client: { replicas: ${FLOWS}, run: "until iperf3 -c server.$NETFOLD_REPLICA -b 100K -l 1K --pacing-timer 50000 -t 1000 >/dev/null; do sleep 0.2; done" }
  server: { replicas: ${FLOWS}, run: "iperf3 -s >/dev/null" }
bridges: [s1, s2]
links:
  - { from: client, to: s1, latency: 5ms, bandwidth: 10Mbps }
  - { from: s1, to: s2, latency: 10ms, bandwidth: 100Mbps }
  - { from: s2, to: server, latency: 5ms, bandwidth: 10Mbps }
`;

interface Use {
  /** Cores of the process of \`netfold up\`, and of all agents. */
  readonly controller: number;
  readonly agents: number;
  readonly record: string | undefined;
}

export async function costTable(options: CostOptions): Promise<Table> {
  const { quick, backend, say } = options;
  const seconds = quick ? QUICK_SECONDS : SECONDS;
  const [recorded, bare]: [Use[], Use[]] = [[], []];
  for (let turn = 1; turn <= (quick ? QUICK_TURNS : TURNS); turn++) {
    say(`${FLOWS} flows for ${seconds} s, recorded, turn ${turn}`);
    recorded.push(await use(seconds, join(options.folder, `costs-${turn}`), options));
    say(`the same, not recorded`);
    bare.push(await use(seconds, undefined, options));
  }
  const part = (of: (one: Use) => number): number[] => recorded.map((one, n) => of(one) - of(bare[n]!));
  const more = part(({ controller, agents }) => controller + agents);
  const record = readRecord(recorded.at(-1)!.record!);
  const bytes = sizeOf(record.folder);
  const tenMinutes = (megabytes(bytes) * TEN_MINUTES) / millisToSeconds(record.lastMs);
  const lost = await lostByKills(options);
  return {
    id: 'costs',
    title: `recording ${FLOWS} TCP flows`,
    backend,
    source:
      'issue 17: under 2 % of a core at 200 flows, under 50 MB for ten minutes; kill -9 loses at most the last second',
    method: `A dumbbell of ${2 * FLOWS} endpoints on two emulated hosts, each client sending 100 kb/s with iperf3. Processor time over ${seconds} s from /proc, of \`netfold up\` and of all agents, in turns recorded and with --no-record; the difference. Bytes: of the whole record, by its time, for ten minutes: samples come once a second all the time. Killed: all agents and \`netfold up\` by SIGKILL, and the time of the last sample that is on the disk beside the time of the kill.`,
    sampled: 'runs',
    rows: [
      least('more processor time with a record', 'cores', MOST_CORES, {
        ...{ measured: mean(more), spread: range(more), samples: more.length },
        note: `netfold up ${percent(mean(part(({ controller }) => controller)))}, agents ${percent(mean(part(({ agents }) => agents)))}`,
      }),
      reported('all agents and netfold up, recorded', 'cores', {
        measured: mean(recorded.map(({ controller, agents }) => controller + agents)),
        ...{ spread: null, samples: recorded.length },
      }),
      least('a record of ten minutes', 'MB', MOST_MEGABYTES, {
        ...{ measured: tenMinutes, spread: null, samples: 1 },
        note: `${megabytes(bytes).toFixed(2)} MB after ${millisToSeconds(record.lastMs).toFixed(0)} s, ${record.flows.length} flows, ${record.samples} samples`,
      }),
      least('lost by kill -9 of all', 'ms', MOST_LOST_MS, {
        ...{ measured: Math.max(...lost), spread: range(lost), samples: lost.length },
      }),
    ],
  };
}

const secondsOf = (pid: number): number => processSeconds(pid) ?? 0;
const percent = (cores: number): string => `${toPercent(ratio(cores)).toFixed(2)} %`;

async function use(seconds: number, record: string | undefined, options: CostOptions): Promise<Use> {
  const { folder, interruption } = options;
  const file = join(folder, 'costs.yaml');
  const name = 'bench-costs';
  writeFileSync(file, topology);
  const running = begin(file, name, record, folder);
  try {
    await untilUp(running, interruption);
    await interruption.race(() => sleep(secondsToMillis(SETTLE_SECONDS)));
    const agents = agentsOf(name);
    const times = (): [number, number] => [secondsOf(running.child.pid!), sum(agents.map(secondsOf))];
    const [before, began] = [times(), performance.now()];
    await interruption.race(() => sleep(secondsToMillis(seconds)));
    const [after, span] = [times(), millisToSeconds(performance.now() - began)];
    return { controller: (after[0] - before[0]) / span, agents: (after[1] - before[1]) / span, record };
  } finally {
    running.child.kill('SIGINT');
    await running.ended;
  }
}

const begin = (file: string, name: string, record: string | undefined, folder: string): Started => {
  const how = record === undefined ? ['--no-record'] : ['--record', record];
  return startNetfold(['up', file, '--hosts', '2', '--name', name, ...how], folder);
};

/** Throws what it says if it ends before. */
async function untilUp({ child, said }: Started, interruption: Interruption): Promise<void> {
  while (!said().includes('is up')) {
    if (child.exitCode !== null) throw new Error(said());
    await interruption.race(() => sleep(100));
  }
}

/** Milliseconds, of each kill. */
async function lostByKills({ folder, interruption, say }: CostOptions): Promise<number[]> {
  const file = join(folder, 'kills.yaml');
  writeFileSync(
    file,
    'name: kills\nservices:\n  a: { run: "ping -q b" }\n  b: {}\nlinks:\n  - { from: a, to: b, latency: 1ms }\n',
  );
  const lost: number[] = [];
  for (let number = 1; number <= KILLS; number++) {
    say(`killed, ${number} of ${KILLS}`);
    const [name, record] = ['bench-kills', join(folder, `killed-${number}`)];
    const running = begin(file, name, record, folder);
    try {
      await untilUp(running, interruption);
      await interruption.race(() => sleep(5000 + 300 * number));
      const killedAt = Date.now();
      for (const pid of [running.child.pid!, ...agentsOf(name)]) process.kill(pid, 'SIGKILL');
      await running.ended;
      const { description, lastMs } = readRecord(record);
      lost.push(killedAt - Date.parse(description.beganAt!) - lastMs);
    } finally {
      running.child.kill('SIGINT');
      await running.ended;
      await netfold(['down', name], folder, interruption, [0, 1]);
    }
  }
  return lost;
}
