/** What `netfold up` and `netfold verify` share: an experiment that is taken away whatever happens. */
import type { DelayBackendChoice } from '../../../proto/bootstrap.ts';
import type { Bps, Micros, Ratio } from '../../../proto/units.ts';
import { ControllerError } from '../../errors.ts';
import { Experiment, type SiteOptions } from '../../experiment/experiment.ts';
import { ANY_ADDRESS, type MeshAddress } from '../../mesh-address.ts';
import type { Placement } from '../../platform/site/site-plan.ts';
import { progress, step, warn } from '../terminal/output.ts';
import { openTopology } from './files.ts';

export interface LabOptions {
  readonly hosts: number;
  /** A script of events beside the topology file. */
  readonly events?: string;
  readonly name?: string;
  readonly delayBackend?: DelayBackendChoice;
  /** Empty: a lab. */
  readonly at: readonly Placement[];
  readonly takeOver?: boolean;
  readonly lease: Micros;
  readonly metadataBudget?: Bps;
  readonly changeThreshold?: Ratio;
  /** What has no place here comes from hosts that join. */
  readonly elsewhere?: boolean;
  readonly listen?: MeshAddress;
  readonly meshKey?: string;
  /** Name of this machine in the experiment. */
  readonly host?: string;
  /** Folder of this agent's identity, file with the allow-list, multiaddrs that others are told. */
  readonly identity?: string;
  readonly allow?: string;
  readonly announce?: readonly string[];
}

/** What asks a command to end. */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One of these signals to this process. */
export interface Interruption {
  readonly requested: boolean;
  /** Aborts when it comes, with an error that says so. */
  readonly signal: AbortSignal;
  /** Resolves with nothing when it comes. */
  readonly promise: Promise<undefined>;
}

/**
 * Starts an experiment of the file, runs `use` on it, and removes it, also when `use` throws. A signal while it starts
 * ends the start: what is there is removed, and the error `INTERRUPTED` is thrown.
 */
export async function withExperiment<T>(
  file: string,
  lab: LabOptions,
  use: (experiment: Experiment, interruption: Interruption) => Promise<T>,
): Promise<T> {
  const { topology, warnings, source } = openTopology(file, lab.events);
  for (const one of warnings) warn(`${one.file}:${one.line}: ${one.message}`);
  const interruption = awaitSignals();
  const { metadataBudget, changeThreshold } = lab;
  const site = siteOf(lab);
  const experiment = await Experiment.start({
    name: lab.name ?? topology.name,
    hosts: lab.hosts,
    source,
    topology,
    delayBackend: lab.delayBackend ?? 'auto',
    ...(site && { site }),
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

/** The same with an experiment that runs already, but has no controller. */
export async function withResumed<T>(
  name: string,
  use: (experiment: Experiment, interruption: Interruption) => Promise<T>,
): Promise<T> {
  return attend(await Experiment.resume(name, progress), awaitSignals(), use);
}

async function attend<T>(
  experiment: Experiment,
  interruption: Interruption,
  use: (experiment: Experiment, interruption: Interruption) => Promise<T>,
): Promise<T> {
  try {
    return await use(experiment, interruption);
  } finally {
    await experiment.stop();
    step(`${experiment.name} is down; nothing of it is left`);
  }
}

/** `undefined`: a lab. Throws `JOIN_USAGE`. */
function siteOf(lab: LabOptions): SiteOptions | undefined {
  const { at: placements, takeOver = false, lease, elsewhere, listen } = lab;
  const { meshKey, host, identity, allow, announce } = lab;
  const meeting = { listen, meshKey, host, identity, allow, announce };
  const [needless] = Object.entries(meeting).flatMap(([name, given]) => (given === undefined ? [] : [name]));
  if (!elsewhere && needless !== undefined) throw wrong(`${optionOf(needless)} needs --elsewhere`);
  if (elsewhere && placements.length === 0) throw wrong('--elsewhere needs an endpoint that is here');
  if (placements.length === 0) return undefined;
  if (allow !== undefined && identity === undefined)
    throw wrong('--allow needs --identity: a list can only name agents that stay who they are');
  const others = {
    listen: listen ?? ANY_ADDRESS,
    ...(meshKey !== undefined && { meshKey }),
    ...(host !== undefined && { host }),
    ...(identity !== undefined && { identity }),
    ...(allow !== undefined && { allow }),
    ...(announce && { announce }),
  };
  return { placements, takeOver, leaseMs: lease / 1000, ...(elsewhere && { elsewhere: others }) };
}

/** `meshKey` is `--mesh-key`. */
const optionOf = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const wrong = (message: string): ControllerError =>
  new ControllerError('JOIN_USAGE', message, 'for example: netfold up wan.yaml --at client=eth0 --elsewhere');

function awaitSignals(): Interruption {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const controller = new AbortController();
  const interruption = { requested: false, promise, signal: controller.signal };
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      interruption.requested = true;
      controller.abort(
        new ControllerError(
          'INTERRUPTED',
          `${signal} came while the experiment started; nothing of it is left`,
        ),
      );
      resolve(undefined);
    });
  }
  return interruption;
}
