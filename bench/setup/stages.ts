/** How long the start and the end of an experiment take, stage by stage. */

import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { Experiment } from '../../controller/experiment/experiment.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { lab } from '../../controller/platform/lab/lab.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Interruption } from '../lab.ts';
import { processSeconds } from '../measure/cpu/cpu-times.ts';

/** In seconds, in order. */
export interface UpTimes {
  /** Reading the topology, checking the machine, planning. */
  readonly planning: number;
  /** Namespaces, veth pairs, addresses, routes. */
  readonly endpoints: number;
  /** From the start of the agent's process until its first answer. */
  readonly agentStart: number;
  /** Until everything is in force and was read back. */
  readonly shaping: number;
  readonly whole: number;
  /** The agent's processor time until then. */
  readonly agentCpu: number;
}

export interface DownTimes {
  /** The agent removes what it enforces, and ends. */
  readonly agentStop: number;
  readonly namespaces: number;
  readonly whole: number;
}

/** Collects the times of an experiment's progress messages. */
export class ProgressTimes {
  readonly #began = performance.now();
  readonly #first = new Map<string, number>();

  /** Seconds until the first message of this kind. */
  note(what: string): void {
    if (!this.#first.has(what)) this.#first.set(what, this.seconds);
  }

  at(what: string): number {
    return this.#first.get(what) ?? Number.NaN;
  }

  get seconds(): number {
    return millisToSeconds(performance.now() - this.#began);
  }
}

/** `Experiment` reports it before it does it. */
const MAKING = 'making';
const STARTING = 'starting';
const KNOWN = 'endpoints that all agents know:';
const REMOVING = 'removing namespaces';

let labs = 0;

/** Sets the topology up on one emulated host, passes it to `check`, and removes it. */
export async function upAndDown(
  text: string,
  backend: DelayBackendName,
  interruption: Interruption,
  check: (experiment: Experiment) => Promise<void>,
): Promise<{ up: UpTimes; down: DownTimes }> {
  const up = new ProgressTimes();
  let down: ProgressTimes | undefined;
  const file = 'bench.yaml';
  const experiment = await Experiment.start({
    name: `setup-${process.pid}-${++labs}`,
    platform: lab,
    placement: { hosts: 1 },
    source: { file, text },
    topology: loadTopology(text, file).topology,
    delayBackend: backend,
    onStep: (step) => up.note(step.split(' ')[0]!),
    onProgress: ({ doing }) => (down ?? up).note(doing),
  });
  const upTimes = timesUp(up, experiment.name);
  try {
    await interruption.race(() => check(experiment));
  } finally {
    down = new ProgressTimes();
    await experiment.stop();
  }
  return { up: upTimes, down: timesDown(down) };
}

function timesUp(progress: ProgressTimes, experiment: string): UpTimes {
  const whole = progress.seconds;
  const [making, starting, known] = [progress.at(MAKING), progress.at(STARTING), progress.at(KNOWN)];
  return {
    planning: making,
    endpoints: starting - making,
    agentStart: known - starting,
    shaping: whole - known,
    whole,
    agentCpu: processSeconds(agentsOf(experiment)[0] ?? 0) ?? Number.NaN,
  };
}

function timesDown(progress: ProgressTimes): DownTimes {
  const whole = progress.seconds;
  const removing = progress.at(REMOVING);
  return { agentStop: removing, namespaces: whole - removing, whole };
}
