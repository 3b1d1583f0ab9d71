/** Labs for measurements: from a topology's text to endpoints that can send, and complete removal afterwards. */
import type { DelayBackendName } from '../agent/linux/probe/probe.ts';
import { Experiment } from '../controller/experiment/experiment.ts';
import { lab } from '../controller/platform/lab/lab.ts';
import type { LabPlan } from '../controller/platform/lab/lab-plan.ts';
import type { Platform } from '../controller/platform/port/platform.ts';
import type { Place } from '../controller/verify/traffic.ts';
import { loadTopology } from '../topology/load.ts';
import { endpointName } from '../topology/model/names.ts';
import { BenchError } from './errors.ts';

export interface Lab {
  readonly experiment: Experiment;
  /** An endpoint by its name; for a service with one replica, the service's name. Throws for an unknown name. */
  place(name: string): Place;
}

let labs = 0;

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Rejects on the first of the signals, so that the lab is removed before the process ends. */
export class Interruption {
  readonly #rejected: Promise<never>;
  #requested = false;

  /** `signals` may be empty: then signals end the process at once, as there is nothing to remove. */
  constructor(signals = SIGNALS) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#rejected = promise;
    // Every race against it handles the rejection. Between two labs there is no race, so it is handled here.
    promise.catch(() => {});
    for (const signal of signals) {
      process.on(signal, () => {
        this.#requested = true;
        reject(new BenchError('INTERRUPTED', `${signal}: the measurement was given up`));
      });
    }
  }

  async race<T>(work: () => Promise<T>): Promise<T> {
    if (this.#requested) return this.#rejected;
    return Promise.race([work(), this.#rejected]);
  }
}

/**
 * Runs the topology on emulated hosts (default: one) with the backend, passes it to `use`, and removes it in any
 * case. After a signal during the start, the start is completed first, so that everything that has to be removed is
 * known.
 */
export async function withLab<T>(
  text: string,
  backend: DelayBackendName,
  interruption: Interruption,
  use: (lab: Lab) => Promise<T>,
  hosts = 1,
  platform: Platform<LabPlan> = lab,
): Promise<T> {
  const file = 'bench.yaml';
  const { topology } = loadTopology(text, file);
  const name = `bench-${process.pid}-${++labs}`;
  const source = { file, text };
  const where = { platform, placement: { hosts } };
  const experiment = await Experiment.start({ name, ...where, source, topology, delayBackend: backend });
  try {
    return await interruption.race(() => use({ experiment, place: (wanted) => find(experiment, wanted) }));
  } finally {
    await experiment.stop();
  }
}

function find({ plan }: Experiment, name: string): Place {
  const found = plan.endpoints.find(
    (endpoint) => endpoint.name === name || endpoint.name === endpointName(name, 0),
  );
  if (!found) throw new Error(`the bench's lab has no endpoint ${name}`);
  return found;
}
