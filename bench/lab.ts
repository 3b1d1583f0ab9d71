/** Labs for measurements: a topology's text in, places to send from and to, and nothing left afterwards. */
import type { DelayBackendName } from '../agent/linux/probe/probe.ts';
import { Experiment } from '../controller/experiment/experiment.ts';
import { lab } from '../controller/platform/lab/lab.ts';
import type { Place } from '../controller/verify/traffic.ts';
import { loadTopology } from '../topology/load.ts';
import { endpointName } from '../topology/model/names.ts';
import { BenchError } from './errors.ts';

export interface Lab {
  readonly experiment: Experiment;
  /** An endpoint by its name; a service with one replica is enough. Throws for a name that the text has not. */
  place(name: string): Place;
}

let labs = 0;

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Rejects on the first of the signals; until then a lab is always taken away. */
export class Interruption {
  readonly #rejected: Promise<never>;
  #requested = false;

  /** No signals: they end the process at once, as nothing has to be taken away. */
  constructor(signals = SIGNALS) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#rejected = promise;
    // Whoever races against it hears of it; nobody does between two labs.
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
 * Runs the topology on emulated hosts (one, if nothing else is said) with the backend, hands it to `use`, and removes it,
 * whatever happens. A signal while the lab starts lets the start end first: then everything is known that has to be removed.
 */
export async function withLab<T>(
  text: string,
  backend: DelayBackendName,
  interruption: Interruption,
  use: (lab: Lab) => Promise<T>,
  hosts = 1,
): Promise<T> {
  const file = 'bench.yaml';
  const { topology } = loadTopology(text, file);
  const name = `bench-${process.pid}-${++labs}`;
  const source = { file, text };
  const where = { platform: lab, placement: { hosts } };
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
