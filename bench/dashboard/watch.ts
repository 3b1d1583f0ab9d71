/** What server, browser and bench use while the page is open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { micros, toSeconds } from '../../proto/units.ts';
import { BenchError } from '../errors.ts';
import type { Interruption } from '../lab.ts';
import { processMemory, processSeconds } from '../measure/cpu/cpu-times.ts';
import {
  below,
  processTree,
  secondsBetween,
  secondsOf,
  sharedMemoryBytes,
} from '../measure/cpu/process-tree.ts';

/** The resolution of 10 ms is 0.2 % of a core in this time. */
const SAMPLE_MS = 5000;

export interface Sample {
  readonly atMs: number;
  /** Processor time, in seconds since the first sample. */
  readonly serverSeconds: number;
  /** Of all processes of the browser. */
  readonly browserSeconds: number;
  readonly benchSeconds: number;
  readonly serverBytes: number;
  readonly browserBytes: number;
}

export interface WatchPlan {
  readonly server: number;
  readonly forMs: number;
  readonly interruption: Interruption;
  readonly taken: (sample: Sample) => void;
}

/** All children of this process but the server are the browser's. Throws `COMMAND_FAILED` if one of both has ended, `INTERRUPTED`. */
export async function watch({ server, forMs, interruption, taken }: WatchPlan): Promise<Sample[]> {
  const samples: Sample[] = [];
  const began = performance.now();
  let [browserBefore, browserSeconds] = [new Map<number, number>(), 0];
  const serverFirst = processSeconds(server);
  const benchFirst = benchSeconds();
  for (let due = 0; due <= forMs; due += SAMPLE_MS) {
    await interruption.race(() => sleep(Math.max(0, began + due - performance.now())));
    const browser = below(process.pid, processTree(), [server]);
    const seconds = secondsOf(browser);
    const serverNow = processSeconds(server);
    if (serverFirst === undefined || serverNow === undefined || seconds.size === 0)
      throw new BenchError(
        'COMMAND_FAILED',
        `${serverNow === undefined ? 'the server' : 'Chromium'} has ended`,
      );
    if (due > 0) browserSeconds += secondsBetween(browserBefore, seconds);
    browserBefore = seconds;
    const sample = {
      ...{ atMs: performance.now() - began, browserSeconds },
      serverSeconds: serverNow - serverFirst,
      benchSeconds: benchSeconds() - benchFirst,
      serverBytes: processMemory(server).nowBytes,
      browserBytes: sharedMemoryBytes(browser),
    };
    samples.push(sample);
    taken(sample);
  }
  return samples;
}

function benchSeconds(): number {
  const { user, system } = process.cpuUsage();
  return toSeconds(micros(user + system));
}
