/** How soon a record is whole after its run has ended. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { DESCRIPTION, readDescription } from '../../controller/record/description.ts';
import { BenchError } from '../errors.ts';
import type { Interruption } from '../lab.ts';
import { range } from '../measure/statistics.ts';
import { least } from '../report/judge.ts';
import type { Row, Table } from '../report/model.ts';
import { netfold, startNetfold } from './netfold.ts';

const TRIES = 5;
const QUICK_TRIES = 2;
const SECONDS = 5;
const LOOK_MS = 5;
const MOST_MS = 1000;

export interface EndOptions {
  readonly quick: boolean;
  readonly backend: DelayBackendName;
  readonly folder: string;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

/** Traffic all the time, and a file that its endpoint leaves. */
const TOPOLOGY = `
name: ends
services:
  a: { run: "head -c 10M /dev/urandom >$NETFOLD_OUT/data; exec ping -q -i 0.05 b" }
  b: {}
links:
  - { from: a, to: b, latency: 5ms, bandwidth: 100Mbps }
`;

export async function endTable(options: EndOptions): Promise<Table> {
  const { quick, backend, folder, say } = options;
  const file = join(folder, 'ends.yaml');
  writeFileSync(file, TOPOLOGY);
  const [up, down]: [number[], number[]] = [[], []];
  for (let number = 1; number <= (quick ? QUICK_TRIES : TRIES); number++) {
    say(`an end, ${number}`);
    up.push(await endedByItself(file, join(folder, `ends-up-${number}`), options));
    down.push(await endedByDown(file, join(folder, `ends-down-${number}`), options));
  }
  const row = (what: string, times: readonly number[]): Row =>
    least(what, 'ms', MOST_MS, {
      ...{ measured: Math.max(...times), spread: range(times), samples: times.length },
    });
  return {
    id: 'ends',
    title: 'the record of a run of two emulated hosts, after its end',
    backend,
    source: 'issue 17: complete within a second of the end',
    method: `A run of ${SECONDS} s with one flow, whose endpoint leaves 10 MB. The time from the end of the last agent, looked for each ${LOOK_MS} ms, until the record says that it is complete, with the SHA-256 of every file, and is on the disk.`,
    sampled: 'runs',
    rows: [
      row('after netfold up --duration, at most', up),
      row('after netfold down of one in the background, at most', down),
    ],
  };
}

const NAME = 'bench-ends';

async function endedByItself(file: string, record: string, options: EndOptions): Promise<number> {
  const words = ['up', file, '--name', NAME, '--hosts', '2', '--record', record];
  const running = startNetfold([...words, '--duration', `${SECONDS}s`], options.folder);
  try {
    const endedAt = await endOfAgents(options.interruption, () => running.child.exitCode !== null);
    await options.interruption.race(() => running.ended);
    return wholeAt(record) - endedAt;
  } finally {
    running.child.kill('SIGINT');
    await running.ended;
  }
}

async function endedByDown(file: string, record: string, options: EndOptions): Promise<number> {
  const { folder, interruption } = options;
  const words = ['up', file, '--name', NAME, '--hosts', '2', '--record', record, '--detach'];
  await netfold(words, folder, interruption);
  let isDown = false;
  const down = async (): Promise<void> => {
    await netfold(['down', NAME], folder, interruption, [0, 1]);
    isDown = true;
  };
  try {
    await interruption.race(() => sleep(1000 * SECONDS));
  } catch (error) {
    await down();
    throw error;
  }
  const [endedAt] = await Promise.all([endOfAgents(interruption, () => isDown), down()]);
  return wholeAt(record) - endedAt;
}

/** By the machine's date, as those of files. `isOver`: nothing is to come any more. */
async function endOfAgents(interruption: Interruption, isOver: () => boolean): Promise<number> {
  for (let haveBegun = false; ; ) {
    const { length } = agentsOf(NAME);
    if ((haveBegun && length === 0) || isOver()) return Date.now();
    if (length > 0) haveBegun = true;
    await interruption.race(() => sleep(LOOK_MS));
  }
}

/** Throws `BenchError` if it is not, when the command has ended. */
function wholeAt(record: string): number {
  const { state } = readDescription(record);
  if (state !== 'complete') throw new BenchError('COMMAND_FAILED', `${record} is still ${state}`);
  return statSync(join(record, DESCRIPTION)).mtimeMs;
}
