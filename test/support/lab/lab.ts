/** Local labs for tests: real namespaces, real agents, removed in any case. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import { namespacePath, within } from '../../../agent/kernel/netns/namespaces.ts';
import { Experiment } from '../../../controller/experiment/experiment.ts';
import { removeExperiment } from '../../../controller/experiment/teardown.ts';
import { lab } from '../../../controller/platform/lab/lab.ts';
import type { LabPlan } from '../../../controller/platform/lab/lab-plan.ts';
import type { Platform } from '../../../controller/platform/port/platform.ts';
import type { Place } from '../../../controller/verify/traffic.ts';
import type { DelayBackendChoice } from '../../../proto/bootstrap.ts';
import { loadTopology } from '../../../topology/load.ts';
import { endpointName } from '../../../topology/model/names.ts';
import { netfold } from './cli.ts';

/** By what each was made. */
const started = new Map<string, Platform | undefined>();
let counter = 0;

afterEach(async () => {
  for (const [name, platform] of started) await removeExperiment(name, undefined, platform);
  started.clear();
});

/** A name that no other test process uses; its experiment is removed after the test. */
export function experimentName(): string {
  const name = `test-${process.pid}-${++counter}`;
  started.set(name, undefined);
  return name;
}

export interface LabSettings {
  readonly hosts?: number;
  /** Its extension names the dialect. */
  readonly file?: string;
  /** By default the best that the kernel has. */
  readonly delayBackend?: DelayBackendChoice;
  /** By default the lab as users have it. */
  readonly platform?: Platform<LabPlan>;
  /** Other files that the text names. */
  readonly files?: Readonly<Record<string, string>>;
}

export async function startLab(text: string, settings: LabSettings = {}): Promise<Experiment> {
  const { hosts = 1, file = 'lab.yaml', delayBackend = 'auto', platform = lab, files = {} } = settings;
  const read = (path: string) =>
    files[path] === undefined ? { problem: 'there is none' } : { text: files[path] };
  const { topology, expanded } = loadTopology(text, file, undefined, undefined, { read });
  const where = { name: experimentName(), platform, placement: { hosts } };
  started.set(where.name, platform);
  return Experiment.start({ ...where, topology, source: { file, text: expanded?.() ?? text }, delayBackend });
}

export function place({ plan }: Experiment, name: string): Place {
  const found = plan.endpoints.find(
    (endpoint) => endpoint.name === name || endpoint.name === endpointName(name, 0),
  );
  if (!found) throw new Error(`the lab has no ${name}`);
  return found;
}

export interface Finished {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program until it ends. */
export function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Finished> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let out = '';
  let err = '';
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    err += text.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, out, err }));
  });
}

export function runIn({ namespace }: Place, ...command: string[]): Promise<Finished> {
  return run('ip', ['netns', 'exec', namespace, ...command]);
}

/** Bytes of frames that have arrived at the endpoint's interface, GSO packets counted as one frame. */
export function receivedBytes({ namespace }: Place): number {
  const table = within(namespacePath(namespace), () => readFileSync('/proc/thread-self/net/dev', 'utf8'));
  return Number(/eth0:\s*(\d+)/.exec(table)![1]);
}

/** Bits per second of frames that arrive at each place during `seconds`. */
export async function arrivalRates(places: readonly Place[], seconds: number): Promise<number[]> {
  const before = places.map(receivedBytes);
  const start = performance.now();
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - start) / 1000;
  return places.map((at, index) => ((receivedBytes(at) - before[index]!) * 8) / elapsed);
}

/** A command of live control, which has to succeed without a word of complaint. */
export async function tell(lab: Experiment, ...words: string[]): Promise<void> {
  const { code, stderr } = await netfold(words[0]!, ...words.slice(1), '--name', lab.name);
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
}
