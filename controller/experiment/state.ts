/** The state files of running experiments: /run/netfold/NAME/experiment.json. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import {
  makeFolder,
  makeNewFolder,
  OPEN_FILE,
  OPEN_FOLDER,
  replaceFile,
  requireOwnFolder,
} from '../../agent/files/own-files.ts';
import { ControllerError } from '../errors.ts';
import { agentsOf } from '../machine/processes.ts';
import { experimentFolder, RUN_FOLDER, stateFile } from '../names.ts';
import { stateWithPlatform } from '../platform/port/older-files.ts';
import type { Plan } from '../platform/port/plan.ts';
import type { Leftover } from '../platform/port/platform.ts';
import { openPlatforms } from '../platform/registry.ts';

const stateSchema = z.object({
  name: z.string(),
  topologyFile: z.string(),
  startedAt: z.string(),
  /** Name of its platform. */
  platform: z.string(),
  /** Whether an agent that was started by hand has joined it. */
  joined: z.boolean().optional(),
  hosts: z.array(z.object({ name: z.string(), namespace: z.string() })),
  endpoints: z.array(
    z.object({
      name: z.string(),
      namespace: z.string(),
      ifindex: z.int(),
      address: z.string(),
      addresses: z.array(z.string()).readonly(),
      host: z.string(),
    }),
  ),
});

export type ExperimentState = z.infer<typeof stateSchema>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

/** Throws `NAME_INVALID` for what can't be a part of paths and of commands. */
export function requireName(name: string): void {
  if (NAME.test(name)) return;
  throw new ControllerError(
    'NAME_INVALID',
    `"${name}" can't name an experiment`,
    'use up to 40 letters, digits, - and _',
  );
}

/** Reserves the name by making its folder. Throws if an experiment of this name exists. */
export async function reserveExperiment(name: string): Promise<void> {
  requireName(name);
  makeFolder(RUN_FOLDER, OPEN_FOLDER);
  const exists = (await experimentNames()).includes(name);
  try {
    if (!exists) {
      makeNewFolder(experimentFolder(name), OPEN_FOLDER);
      return;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  throw new ControllerError(
    'EXPERIMENT_EXISTS',
    `an experiment named "${name}" exists already`,
    `end it with \`netfold down ${name}\`, or choose another name with --name`,
  );
}

/** `startedAt`: in milliseconds since 1970. */
export function stateOf(plan: Plan, topologyFile: string, startedAt = Date.now()): ExperimentState {
  return {
    name: plan.experiment,
    topologyFile,
    startedAt: new Date(startedAt).toISOString(),
    platform: plan.platform,
    hosts: plan.hosts.map(({ name, namespace }) => ({ name, namespace })),
    endpoints: endpointsOf(plan),
  };
}

export function endpointsOf({ endpoints }: Plan): ExperimentState['endpoints'] {
  return endpoints.map(({ name, namespace, interface: { index }, address, addresses, host }) => ({
    name,
    namespace,
    ifindex: index,
    address,
    addresses,
    host: host.name,
  }));
}

/**
 * Reserves the name for an agent that joins. What a killed agent has left is adopted: its identity, so that the
 * others know it, and what it enforces. Returns whether nothing was left. Throws like `reserveExperiment`.
 */
export async function reserveJoined(name: string): Promise<boolean> {
  const isLeft = readState(name)?.joined && agentsOf(name).every((pid) => pid === process.pid);
  if (!isLeft) await reserveExperiment(name);
  return !isLeft;
}

/** Written completely or not at all. */
export function writeState(state: ExperimentState): void {
  replaceFile(stateFile(state.name), JSON.stringify(state, null, 2), { mode: OPEN_FILE });
}

/** `undefined` if the file is missing or damaged; what exists in the kernel is found without it. */
export const readState = (name: string): ExperimentState | undefined => readStateFile(stateFile(name));

function readStateFile(path: string): ExperimentState | undefined {
  try {
    return parseState(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Of more experiments than that, the one that was read first is read again. */
const MOST_KEPT_STATES = 16;

/**
 * `readState` for who asks many times a second: a file that was not replaced is not read again, since one of 4,000 endpoints has
 * some 800 kB. What it gives must not be changed.
 */
export function stateReader(pathOf = stateFile): (name: string) => ExperimentState | undefined {
  const kept = new Map<string, { readonly version: string; readonly state: ExperimentState | undefined }>();
  return (name) => {
    const path = pathOf(name);
    // Before the file is read: what replaces it in between has another version.
    const version = versionOf(path);
    const known = kept.get(name);
    if (version !== undefined && known?.version === version) return known.state;
    kept.delete(name);
    if (version === undefined) return undefined;
    const state = readStateFile(path);
    kept.set(name, { version, state });
    if (kept.size > MOST_KEPT_STATES) kept.delete(kept.keys().next().value!);
    return state;
  };
}

/** `undefined`: there is none. Such files are replaced, never written to: another one has another inode, or another time. */
function versionOf(path: string): string | undefined {
  try {
    const { ino, ctimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${ctimeNs} ${size}`;
  } catch {
    return undefined;
  }
}

/** Also reads files of an older version. Throws `ZodError`. */
export function parseState(written: unknown): ExperimentState {
  return stateSchema.parse(stateWithPlatform(written));
}

/** Names of all experiments with any trace: a folder, or something that a platform finds. Sorted. */
export async function experimentNames(): Promise<string[]> {
  const marked = (await findTraces()).map(({ experiment }) => experiment);
  return [...new Set([...folders(), ...marked])].sort();
}

export type Trace = Leftover & { readonly experiment: string };

/**
 * What platforms find of experiments, by its marks. A platform that fails has none; `netfold cleanup` reports the
 * reason.
 */
export async function findTraces(): Promise<Trace[]> {
  const asked = (await openPlatforms()).map(async (platform) => platform.findLeftovers('experiments'));
  const found = (await Promise.allSettled(asked)).flatMap((one) =>
    one.status === 'fulfilled' ? one.value : [],
  );
  return found.filter((one): one is Trace => one.experiment !== undefined);
}

function folders(): string[] {
  requireOwnFolder(RUN_FOLDER);
  try {
    return readdirSync(RUN_FOLDER, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The experiment that the user means: the named one, or the only one. */
export async function findExperiment(name: string | undefined): Promise<string> {
  const names = await experimentNames();
  if (name !== undefined) {
    if (names.includes(name)) return name;
    const running =
      names.length > 0
        ? `running are: ${names.join(', ')}`
        : 'none is running; start one with `netfold up FILE`';
    throw new ControllerError('EXPERIMENT_UNKNOWN', `there is no experiment "${name}"`, running);
  }
  if (names.length === 0) {
    throw new ControllerError(
      'EXPERIMENT_UNKNOWN',
      'no experiment is running',
      'start one with `netfold up FILE`',
    );
  }
  if (names.length > 1) {
    throw new ControllerError(
      'EXPERIMENT_AMBIGUOUS',
      `${names.length} experiments are running: ${names.join(', ')}`,
      'name one of them',
    );
  }
  return names[0]!;
}
