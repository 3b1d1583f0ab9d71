/** The files that tell of running experiments: /run/netfold/NAME/experiment.json. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { listNamespaces } from '../../agent/kernel/netns/namespace-files.ts';
import { ControllerError } from '../errors.ts';
import { agentsOf } from '../machine/processes.ts';
import { experimentFolder, experimentOf, RUN_FOLDER, stateFile } from '../names.ts';
import type { LabPlan } from '../platform/lab/lab-plan.ts';

const stateSchema = z.object({
  name: z.string(),
  topologyFile: z.string(),
  startedAt: z.string(),
  /** The endpoints' interfaces were there before, and stay. */
  existing: z.boolean(),
  /** By an agent that was started by hand. */
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

/** Reserves the name by making its folder. Throws where an experiment of this name exists. */
export function reserveExperiment(name: string): void {
  if (!NAME.test(name)) {
    throw new ControllerError(
      'NAME_INVALID',
      `"${name}" can't name an experiment`,
      'use up to 40 letters, digits, - and _',
    );
  }
  mkdirSync(RUN_FOLDER, { recursive: true });
  const exists = experimentNames().includes(name);
  try {
    if (!exists) {
      mkdirSync(experimentFolder(name));
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
export function stateOf(plan: LabPlan, topologyFile: string, startedAt = Date.now()): ExperimentState {
  return {
    name: plan.experiment,
    topologyFile,
    startedAt: new Date(startedAt).toISOString(),
    existing: plan.existing,
    hosts: plan.hosts.map(({ name, namespace }) => ({ name, namespace })),
    endpoints: plan.endpoints.map(({ name, namespace, interface: { index }, address, addresses, host }) => ({
      name,
      namespace,
      ifindex: index,
      address,
      addresses,
      host: host.name,
    })),
  };
}

/**
 * Reserves the name for an agent that joins. What one that was killed has left is taken over: its identity, so that the
 * others know it, and what it enforces. Returns whether nothing was left. Throws like `reserveExperiment`.
 */
export function reserveJoined(name: string): boolean {
  const isLeft = readState(name)?.joined && agentsOf(name).every((pid) => pid === process.pid);
  if (!isLeft) reserveExperiment(name);
  return !isLeft;
}

/** Written whole or not at all. */
export function writeState(state: ExperimentState): void {
  const file = stateFile(state.name);
  const draft = join(dirname(file), '.experiment.json');
  writeFileSync(draft, JSON.stringify(state, null, 2));
  renameSync(draft, file);
}

/** `undefined` where the file is missing or damaged; what exists in the kernel is found without it. */
export function readState(name: string): ExperimentState | undefined {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(stateFile(name), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Names of all experiments that left any trace: a folder, or a namespace. Sorted. */
export function experimentNames(): string[] {
  return [...new Set([...folders(), ...namespaces()])].sort();
}

function folders(): string[] {
  try {
    return readdirSync(RUN_FOLDER, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function namespaces(): string[] {
  return listNamespaces().flatMap((name) => experimentOf(name) ?? []);
}

/** The experiment that the user means: the one named, or the only one. */
export function findExperiment(name: string | undefined): string {
  const names = experimentNames();
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
