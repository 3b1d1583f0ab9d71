/** Profiles agents while a bench runs. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../../../controller/experiment/experiment.ts';
import { agentsOf, signalAll } from '../../../controller/machine/processes.ts';
import { type Profile, profileSchema, type Span } from './profile.ts';

/** In µs. Five times V8's own default, with which the thread that sorts samples takes 4 % of a core in each agent. */
const INTERVAL = 5000;

const LONGEST_END_MS = 60_000;

/** Agents write profiles when they end, so `work` has to end them. */
export async function profiled<T>(work: () => Promise<T>): Promise<{ result: T; profiles: Profile[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-profile-'));
  const before = process.env.NODE_OPTIONS;
  // Agents are started with the environment of this process, and their threads inherit it.
  const options = `--cpu-prof --cpu-prof-interval=${INTERVAL} --cpu-prof-dir=${folder}`;
  process.env.NODE_OPTIONS = `${before ?? ''} ${options}`.trim();
  try {
    const result = await work();
    const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    return { result, profiles: texts.map((text) => profileSchema.parse(JSON.parse(text))) };
  } finally {
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Makes agents write their profiles. The teardown of an experiment waits only 3 s for them, and large ones need more.
 */
export async function endAgents({ name, agents }: Experiment): Promise<void> {
  signalAll(agentsOf(name), 'SIGTERM');
  await Promise.race([Promise.all(agents.map(({ exited }) => exited)), sleep(LONGEST_END_MS)]);
}

/** Runs `work`, and returns its span on the profiler's clock. */
export async function spanOf<T>(work: () => Promise<T>): Promise<{ result: T; span: Span }> {
  const fromMicros = monotonicMicros();
  const result = await work();
  return { result, span: { fromMicros, untilMicros: monotonicMicros() } };
}

/** `process.hrtime` is CLOCK_MONOTONIC, as V8's time stamps are. */
function monotonicMicros(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1000;
}
