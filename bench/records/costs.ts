/** What it costs that a run is recorded: processor time, bytes, and what a kill loses. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
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
import type { Order } from './recording.ts';

const FLOWS = 200;
const SETTLE_SECONDS = 20;
const SECONDS = 60;
const QUICK_SECONDS = 15;
/**
 * With and without in turns of one run, which follow each other closely: traffic of this kind costs agents two fifths of a core, two
 * runs of which differ by more than what recording takes.
 */
const TURNS = 10;
const QUICK_TURNS = 3;
const TURN_SECONDS = 10;
/** After each change, which takes some itself. */
const CHANGE_SECONDS = 2;
const KILLS = 3;
const NAME = 'bench-costs';
const FILE = 'costs.yaml';
const RECORDING = join(import.meta.dirname, 'recording.ts');

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

/** Cores, of all agents and of the process that records. */
interface Use {
  readonly agents: number;
  readonly recording: number;
}

export async function costTable(options: CostOptions): Promise<Table> {
  const { quick, backend, say } = options;
  const seconds = quick ? QUICK_SECONDS : SECONDS;
  const turns = quick ? QUICK_TURNS : TURNS;
  say(`${FLOWS} flows for ${seconds} s, recorded`);
  const whole = await recordedRun(seconds, options);
  say(`${FLOWS} flows, ${turns} times ${TURN_SECONDS} s recorded and not`);
  const { recorded, bare } = await inTurns(turns, options);
  const part = (of: (one: Use) => number): number[] => recorded.map((one, n) => of(one) - of(bare[n]!));
  const more = part(({ agents, recording }) => agents + recording);
  const record = readRecord(whole.record);
  const bytes = sizeOf(record.folder);
  const tenMinutes = (megabytes(bytes) * TEN_MINUTES) / millisToSeconds(record.lastMs);
  const lost = await lostByKills(options);
  return {
    id: 'costs',
    title: `recording ${FLOWS} TCP flows`,
    backend,
    source:
      'issue 17: under 2 % of a core at 200 flows, under 50 MB for ten minutes; kill -9 loses at most the last second',
    method: `A dumbbell of ${2 * FLOWS} endpoints on two emulated hosts, each client sending 100 kb/s with iperf3. Processor time from /proc of all agents and of a process that records them as \`netfold up\` does, in ${turns} turns of ${TURN_SECONDS} s with and without, of one run that \`netfold up\` does not record itself; the mean difference, and its range. Bytes: of the whole record, by its time, for ten minutes: samples come once a second all the time. Killed: all agents and \`netfold up\` by SIGKILL, and the time of the last sample that is on the disk beside the time of the kill.`,
    sampled: 'runs',
    rows: [
      least('more processor time with a record', 'cores', MOST_CORES, {
        ...{ measured: mean(more), spread: range(more), samples: more.length },
        note: `recording ${percent(mean(part(({ recording }) => recording)))}, agents ${percent(mean(part(({ agents }) => agents)))}`,
      }),
      reported('all agents and netfold up, recorded', 'cores', {
        ...{ measured: whole.cores, spread: null, samples: 1 },
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

/** As users run it: what it takes in all, and what it leaves. */
async function recordedRun(
  seconds: number,
  options: CostOptions,
): Promise<{ readonly cores: number; readonly record: string }> {
  const record = join(options.folder, 'costs');
  const cores = await whileUp(record, options, async (up) => {
    const { agents, recording } = await usedIn(seconds, up, options);
    return agents + recording;
  });
  return { cores, record };
}

/** The first turn with a record is left out, since its code runs for the first time. */
function inTurns(turns: number, options: CostOptions): Promise<{ recorded: Use[]; bare: Use[] }> {
  const { folder, interruption } = options;
  return whileUp(undefined, options, async () => {
    const recording = fork(RECORDING, [NAME, join(folder, FILE), folder], { execArgv: process.execArgv });
    const order = async (what: Order): Promise<void> => {
      recording.send(what);
      await interruption.race(() => once(recording, 'message'));
      await interruption.race(() => sleep(secondsToMillis(CHANGE_SECONDS)));
    };
    try {
      const [recorded, bare]: [Use[], Use[]] = [[], []];
      for (let turn = 0; turn <= turns; turn++) {
        await order('begin');
        const use = await usedIn(TURN_SECONDS, recording.pid!, options);
        await order('end');
        const without = await usedIn(TURN_SECONDS, recording.pid!, options);
        if (turn === 0) continue;
        recorded.push(use);
        bare.push(without);
      }
      return { recorded, bare };
    } finally {
      recording.kill();
    }
  });
}

/** `then`: with the process of `netfold up`, when the traffic is steady. */
async function whileUp<Found>(
  record: string | undefined,
  { folder, interruption }: CostOptions,
  then: (up: number) => Promise<Found>,
): Promise<Found> {
  const file = join(folder, FILE);
  writeFileSync(file, topology);
  const running = begin(file, NAME, record, folder);
  try {
    await untilUp(running, interruption);
    await interruption.race(() => sleep(secondsToMillis(SETTLE_SECONDS)));
    return await then(running.child.pid!);
  } finally {
    running.child.kill('SIGINT');
    await running.ended;
  }
}

async function usedIn(seconds: number, recording: number, { interruption }: CostOptions): Promise<Use> {
  const agents = agentsOf(NAME);
  const times = (): [number, number] => [secondsOf(recording), sum(agents.map(secondsOf))];
  const [before, began] = [times(), performance.now()];
  await interruption.race(() => sleep(secondsToMillis(seconds)));
  const [after, span] = [times(), millisToSeconds(performance.now() - began)];
  return { recording: (after[0] - before[0]) / span, agents: (after[1] - before[1]) / span };
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
