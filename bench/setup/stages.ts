/** How long an experiment takes to be there, and to be gone, stage by stage. */

import type { DelayBackendName } from '../../agent/linux/probe/probe.ts';
import { Experiment } from '../../controller/experiment/experiment.ts';
import { agentsOf } from '../../controller/machine/processes.ts';
import { lab } from '../../controller/platform/lab/lab.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Interruption } from '../lab.ts';
import { processSeconds } from '../measure/cpu/cpu-times.ts';

/** In seconds, in the order in which they come. */
export interface UpTimes {
  /** Topology read, machine looked at, everything planned. */
  readonly planning: number;
  /** Namespaces, veth pairs, addresses, routes. */
  readonly endpoints: number;
  /** From the start of the agent's process until it answers for the first time. */
  readonly agentStart: number;
  /** Until everything is in force and was read back. */
  readonly shaping: number;
  readonly whole: number;
  /** What the agent has used of the processors until then. */
  readonly agentCpu: number;
}

export interface DownTimes {
  /** The agent takes away what it enforces, and ends. */
  readonly agentStop: number;
  readonly namespaces: number;
  readonly whole: number;
}

/** Collects the moments that an experiment tells of. */
export class Moments {
  readonly #began = performance.now();
  readonly #first = new Map<string, number>();

  /** Seconds until something is told of for the first time. */
  note(what: string): void {
    if (!this.#first.has(what)) this.#first.set(what, this.seconds);
  }

  at(what: string): number {
    return this.#first.get(what) ?? Number.NaN;
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }
}

/** What `Experiment` says before it does it. */
const MAKING = 'making';
const STARTING = 'starting';
const KNOWN = 'endpoints that all agents know:';
const REMOVING = 'removing namespaces';

let labs = 0;

/** Sets the topology up on one emulated host, hands it to `check`, and takes it down. */
export async function upAndDown(
  text: string,
  backend: DelayBackendName,
  interruption: Interruption,
  check: (experiment: Experiment) => Promise<void>,
): Promise<{ up: UpTimes; down: DownTimes }> {
  const up = new Moments();
  let down: Moments | undefined;
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
    down = new Moments();
    await experiment.stop();
  }
  return { up: upTimes, down: timesDown(down) };
}

function timesUp(moments: Moments, experiment: string): UpTimes {
  const whole = moments.seconds;
  const [making, starting, known] = [moments.at(MAKING), moments.at(STARTING), moments.at(KNOWN)];
  return {
    planning: making,
    endpoints: starting - making,
    agentStart: known - starting,
    shaping: whole - known,
    whole,
    agentCpu: processSeconds(agentsOf(experiment)[0] ?? 0) ?? Number.NaN,
  };
}

function timesDown(moments: Moments): DownTimes {
  const whole = moments.seconds;
  const removing = moments.at(REMOVING);
  return { agentStop: removing, namespaces: whole - removing, whole };
}
