/** An experiment that is removed in any case, for `netfold up` and `netfold verify`. */
import { resolve } from 'node:path';
import type { DelayBackendChoice } from '../../../proto/bootstrap.ts';
import type { Bps, Ratio } from '../../../proto/units.ts';
import { count } from '../../../proto/words.ts';
import type { LoadedTopology } from '../../../topology/load.ts';
import { ControllerError } from '../../errors.ts';
import { Experiment } from '../../experiment/experiment.ts';
import type { ExperimentOptions } from '../../experiment/start.ts';
import { openPlatform } from '../../platform/registry.ts';
import { readOrigin } from '../../record/description.ts';
import { nameOfRecord, requireEmptyFolder } from '../../record/folders.ts';
import { progress, step, warn } from '../terminal/output.ts';
import { type FileOptions, warnOfFile } from './files.ts';
import { openTopology } from './open-topology.ts';
import { type PlacementFlags, placementOf } from './placement-options.ts';

export interface LabOptions extends PlacementFlags, FileOptions {
  readonly name?: string;
  /** What the file is called, where it is a copy. */
  readonly fileName?: string;
  /** A file that says what the topology was made from, where it is a copy. */
  readonly origin?: string;
  /** Most emulated hosts; fewer where there are fewer endpoints. Instead of `hosts`. */
  readonly hostsIfAny?: number;
  readonly delayBackend?: DelayBackendChoice;
  readonly metadataBudget?: Bps;
  readonly changeThreshold?: Ratio;
  /** Folder of the record; false: none; absent: one among the others. */
  readonly record?: string | false;
  /** The record is of measurements, without a timeline. */
  readonly isMeasured?: boolean;
}

/** Signals that ask a command to end. */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One of these signals to this process. */
export interface Interruption {
  /** Signals do to this process again what they did before. */
  readonly release: () => void;
  readonly requested: boolean;
  /** Aborts when the signal comes, with an error that names it. */
  readonly signal: AbortSignal;
  /** Resolves when the signal comes. */
  readonly promise: Promise<undefined>;
}

/**
 * Starts an experiment of the file, runs `use` on it, and removes it, also if `use` throws. A signal during the start
 * ends the start: what was made is removed, and the error `INTERRUPTED` is thrown.
 */
export async function withExperiment<T>(
  file: string,
  lab: LabOptions,
  use: (experiment: Experiment, interruption: Interruption) => Promise<T>,
): Promise<T> {
  const { topology, warnings, source: opened } = openTopology(file, lab);
  const source = {
    ...opened,
    ...(lab.fileName !== undefined && { file: lab.fileName }),
    ...(lab.origin !== undefined && { origin: readOrigin(lab.origin) }),
  };
  const { hostsIfAny = 0 } = lab;
  const hosts = hostsIfAny === 0 ? lab.hosts : Math.max(1, Math.min(hostsIfAny, endpointsOf(topology)));
  requireRecordFolder(lab);
  const { platform, placement, open } = placementOf({ ...lab, hosts });
  if (lab.at.length === 0) refuseIdleHosts(hosts, topology);
  warnOfFile(warnings);
  const interruption = awaitSignals();
  const { metadataBudget, changeThreshold } = lab;
  const experiment = await Experiment.start({
    name: lab.name ?? topology.name,
    platform: await openPlatform(platform),
    placement,
    ...(open && { open }),
    source,
    topology,
    delayBackend: lab.delayBackend ?? 'auto',
    ...recordOption(lab),
    metadata: {
      ...(metadataBudget !== undefined && { metadataBudgetBps: metadataBudget }),
      ...(changeThreshold !== undefined && { changeThreshold }),
    },
    onStep: step,
    onProgress: progress,
    signal: interruption.signal,
  });
  return attend(experiment, interruption, use);
}

function requireRecordFolder({ record }: LabOptions): void {
  if (typeof record === 'string') requireEmptyFolder(record);
}

function recordOption({ record, isMeasured = false }: LabOptions): Pick<ExperimentOptions, 'record'> {
  if (record === false) return {};
  return { record: { isMeasured, ...(record !== undefined && { folder: resolve(record) }) } };
}

const endpointsOf = ({ services }: LoadedTopology['topology']): number =>
  services.reduce((sum, { replicas }) => sum + replicas, 0);

/** An emulated host without endpoints has an agent that does nothing, and starting it takes its time. */
function refuseIdleHosts(hosts: number, topology: LoadedTopology['topology']): void {
  const endpoints = endpointsOf(topology);
  if (hosts <= endpoints) return;
  const message = `--hosts ${hosts}: the topology has ${count(endpoints, 'endpoint')}, and the other hosts would have none`;
  throw new ControllerError('HOSTS_IDLE', message, `write --hosts ${endpoints} or less`);
}

/** The same with an experiment that runs already without a controller. */
export async function withResumed<T>(
  name: string,
  use: (experiment: Experiment, interruption: Interruption) => Promise<T>,
): Promise<T> {
  return attend(await Experiment.resume(name, { onStep: warn, onProgress: progress }), awaitSignals(), use);
}

async function attend<T>(
  experiment: Experiment,
  interruption: Interruption,
  use: (experiment: Experiment, interruption: Interruption) => Promise<T>,
): Promise<T> {
  try {
    return await use(experiment, interruption);
  } finally {
    const problems = await experiment.stop();
    for (const problem of problems) warn(problem);
    interruption.release();
    const { name, record, joined } = experiment;
    const kept = [
      ...(problems.length === 0 ? ['its logs'] : []),
      ...(record === undefined ? [] : ['its record']),
    ];
    step(`${name} is down; nothing of it is left${kept.length === 0 ? '' : ` but ${kept.join(' and ')}`}`);
    if (joined !== undefined)
      step(`with those of other hosts here, joined: netfold records show ${nameOfRecord(joined)}`);
  }
}

function awaitSignals(): Interruption {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    interruption.requested = true;
    const message = `${name} came while the experiment started; nothing of it is left`;
    controller.abort(new ControllerError('INTERRUPTED', message));
    resolve(undefined);
  };
  const release = (): void => {
    for (const name of SIGNALS) process.off(name, interrupt);
  };
  const interruption = { requested: false, promise, signal: controller.signal, release };
  for (const name of SIGNALS) process.on(name, interrupt);
  return interruption;
}
