/** Whether a recorded run gives the same again, and whether a difference is found. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { type Comparison, compareRecords } from '../../controller/record/compare/compare.ts';
import { eventsOf } from '../../controller/record/read.ts';
import type { Interruption } from '../lab.ts';
import { range } from '../measure/statistics.ts';
import { judge, least } from '../report/judge.ts';
import type { Table } from '../report/model.ts';
import { netfold, type Started, startNetfold } from './netfold.ts';

const REPLAYS = 10;
const QUICK_REPLAYS = 2;
/** Enough for `netfold compare` to be sure of six flows and paths although one of the intervals was spoilt. */
const SECONDS = 100;
/** What a replay keeps of the times of events. */
const EVENT_MS = 20;
/** By which the round trip of one path is longer in the last run, half in each direction. */
const SLOWER_MS = 2;
/** As for all rows: a pause of a shared machine spoils one measurement, a real error both. */
const MOST_TRIES = 2;

/** Two flows that leave room on the link, so that round trips are what the topology asks for. `extraMs`: of one of them, one way. */
const topology = (extraMs = 0): string => `
name: replays
services:
  near: { run: "until iperf3 -c far -b 4M -l 2K -t 1000; do sleep 0.1; done" }
  far: { run: "iperf3 -s" }
  other: { run: "until iperf3 -c end -b 2M -l 2K -t 1000; do sleep 0.1; done" }
  end: { run: "iperf3 -s" }
bridges: [s1, s2]
links:
  - { from: near, to: s1, latency: ${5 + extraMs}ms, bandwidth: 100Mbps }
  - { from: other, to: s1, latency: 5ms, bandwidth: 100Mbps }
  - { from: s1, to: s2, latency: 10ms, bandwidth: 20Mbps }
  - { from: s2, to: far, latency: 5ms, bandwidth: 100Mbps }
  - { from: s2, to: end, latency: 5ms, bandwidth: 100Mbps }
events:
  - at 12s set s1--s2 latency=20ms
  - at 18s set s1--s2 latency=10ms
  - from 20s to 22s set s1--s2 bandwidth=10Mbps
`;
/** Given by hand, at these times. */
const BY_HAND = ['24s set s1--s2 latency=15ms', '30s set s1--s2 latency=10ms'];

export interface ReplayOptions {
  readonly quick: boolean;
  readonly backend: DelayBackendName;
  readonly folder: string;
  readonly interruption: Interruption;
  readonly say: (text: string) => void;
}

export async function replayTable(options: ReplayOptions): Promise<Table> {
  const { quick, backend, folder, interruption, say } = options;
  const replays = quick ? QUICK_REPLAYS : REPLAYS;
  const first = await recorded('first', topology(), options);
  const comparisons: Comparison[] = [];
  const off: number[] = [];
  let tries = 1;
  for (let number = 1; number <= replays; number++) {
    say(`replay ${number} of ${replays}, ${SECONDS} s`);
    const replay = async (again: string): Promise<number> => {
      await netfold(['replay', first, '--name', 'bench-replay', '--record', again], folder, interruption);
      return mostOff(first, again);
    };
    const again = join(folder, `replay-${number}`);
    const once = await replay(again);
    comparisons.push(compareRecords(first, again));
    if (once > EVENT_MS) tries = 2;
    off.push(once > EVENT_MS ? Math.min(once, await replay(`${again}-twice`)) : once);
  }
  const slower: Comparison[] = [];
  while (!slower.some(isFound) && slower.length < MOST_TRIES) {
    say(`the same with a path ${SLOWER_MS} ms slower`);
    const text = topology(SLOWER_MS / 2);
    slower.push(compareRecords(first, await recorded(`slower-${slower.length + 1}`, text, options)));
  }
  return {
    id: 'replays',
    title: `${replays} replays of a record of ${SECONDS} s, and a run with a path that is ${SLOWER_MS} ms slower`,
    backend,
    source:
      'issue 17: events at the same times within 20 ms; ten replays compare as equal; 2 ms slower is found',
    method:
      'Four services with two TCP flows, an event window, two changes by the file and two by hand; the same by `netfold replay`. Compared as `netfold compare` does: means of 5 s, signed-rank test, 1 % for all flows and paths together. Events: the time from the beginning of the timeline until all hosts had it in force, beside that of the first run.',
    sampled: 'runs',
    rows: [
      judge(
        {
          what: 'replays that compare as equal',
          unit: 'count',
          target: replays,
          bound: { kind: 'absolute', value: 0 },
        },
        {
          measured: comparisons.filter(({ same }) => same).length,
          spread: null,
          samples: replays,
          note: noteOf(comparisons),
        },
      ),
      {
        ...least('events of a replay, off by most', 'ms', EVENT_MS, {
          ...{ measured: Math.max(...off), spread: range(off), samples: off.length },
        }),
        tries,
      },
      {
        ...judge(
          { what: 'paths found slower', unit: 'count', target: 1, bound: { kind: 'absolute', value: 0 } },
          {
            measured: slower.some(isFound) ? 1 : 0,
            ...{ spread: null, samples: 1, note: noteOf(slower) },
          },
        ),
        tries: slower.length,
      },
    ],
  };
}

const isSlower = ({ kind, source, verdict, difference }: Comparison['results'][number]): boolean =>
  kind === 'path' && source.startsWith('near') && verdict === 'differs' && difference > SLOWER_MS / 2;
const isFound = ({ results }: Comparison): boolean => results.some(isSlower);

const noteOf = (comparisons: readonly Comparison[]): string =>
  comparisons
    .flatMap(({ b, results }) =>
      results
        .filter(({ verdict }) => verdict !== 'same')
        .map((one) => `${b}: ${one.kind} ${one.source} ${one.verdict} by ${one.difference.toPrecision(3)}`),
    )
    .join('; ');

/** A run with the commands by hand. Returns the folder of its record. */
async function recorded(
  name: string,
  text: string,
  { folder, interruption, say }: ReplayOptions,
): Promise<string> {
  const file = join(folder, `${name}.yaml`);
  const record = join(folder, name);
  writeFileSync(file, text);
  say(`${name}, ${SECONDS} s`);
  const experiment = `bench-${name}`;
  const words = ['up', file, '--name', experiment, '--record', record, '--duration', `${SECONDS}s`];
  const running = startNetfold(words, folder);
  try {
    await give(experiment, folder, running, interruption);
    await interruption.race(() => running.ended);
  } finally {
    running.child.kill('SIGINT');
    await running.ended;
  }
  return record;
}

/** All at once, each for its time; as soon as the experiment takes commands. */
async function give(
  experiment: string,
  folder: string,
  { child }: Started,
  interruption: Interruption,
): Promise<void> {
  for (const command of BY_HAND) {
    const [at, verb, ...words] = command.split(' ');
    for (let isGiven = false; !isGiven && child.exitCode === null; ) {
      const { ended } = startNetfold([verb!, ...words, '--name', experiment, '--at', at!], folder);
      isGiven = (await interruption.race(() => ended)) === 0;
    }
  }
}

/** Of all events that took effect in the first run. */
function mostOff(first: string, again: string): number {
  const known = new Map(eventsOf(again).map(({ dueMs, text, tMs }) => [`${dueMs} ${text}`, tMs]));
  const off = eventsOf(first).flatMap(({ dueMs, text, tMs }) => {
    const other = known.get(`${dueMs} ${text}`);
    if (tMs === null) return [];
    return other == null ? [Number.POSITIVE_INFINITY] : [Math.abs(other - tMs)];
  });
  return Math.max(0, ...off);
}
