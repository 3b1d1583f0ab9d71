/**
 * Tells the delay backend of the paths that end at local endpoints: first all of them, or each when it is asked for, and then
 * only what is different. A backend that doesn't look at them costs nothing here.
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { isSamePacketImpairment, type PacketImpairment } from '../../proto/impairment.ts';
import type { DelayBackend, DemandedPath, ImpairedPath } from '../enforce/ports.ts';
import type { PairPaths } from './pair-paths.ts';

/** Source → what was told of its path; `undefined`: that there is none. */
type Told = Map<number, PacketImpairment | undefined>;

export class Arrivals {
  readonly #delay: DelayBackend;
  readonly #paths: PairPaths;
  readonly #note: (endpoint: LocalEndpoint, error: Error) => void;
  /** By number of the endpoint where they end. */
  readonly #told = new Map<number, Told>();

  /** `note` hears of what the backend refused. */
  constructor(delay: DelayBackend, paths: PairPaths, note: (endpoint: LocalEndpoint, error: Error) => void) {
    this.#delay = delay;
    this.#paths = paths;
    this.#note = note;
  }

  /** All paths from known endpoints to this one. */
  async tell(endpoint: LocalEndpoint): Promise<void> {
    const told: Told = new Map();
    this.#told.set(endpoint.number, told);
    try {
      await this.#delay.set(endpoint, this.#all(endpoint.number, told));
    } catch (error) {
      this.#refused(endpoint, error as Error);
    }
  }

  *#all(destination: number, told: Told): Generator<ImpairedPath> {
    for (const source of this.#paths.known.keys()) {
      if (source === destination) continue;
      const path = this.#paths.impairedPath(source, destination);
      told.set(source, path);
      if (path) yield path;
    }
  }

  /** What is different at these endpoints, in one message: each wakes a thread that goes before this one. */
  async change(endpoints: Iterable<LocalEndpoint>): Promise<void> {
    const [told, untold] = [[], []] as [LocalEndpoint[], LocalEndpoint[]];
    for (const endpoint of endpoints) (this.#told.has(endpoint.number) ? told : untold).push(endpoint);
    await Promise.all([this.#changeTold(told), ...untold.map((endpoint) => this.tell(endpoint))]);
  }

  async #changeTold(endpoints: readonly LocalEndpoint[]): Promise<void> {
    try {
      await this.#delay.change(this.#allDifferent(endpoints));
    } catch (error) {
      for (const endpoint of endpoints) this.#refused(endpoint, error as Error);
    }
  }

  *#allDifferent(endpoints: readonly LocalEndpoint[]): Generator<DemandedPath> {
    for (const { number } of endpoints) yield* this.different(number);
  }

  /** The paths to an endpoint that are different from what was told last. From now on they are told. */
  *different(destination: number): Generator<DemandedPath> {
    for (const [source, before] of this.#told.get(destination) ?? []) {
      if (!isSamePacketImpairment(before, this.#paths.impairments(source, destination)))
        yield this.answer(destination, source);
    }
  }

  /** One that was asked for. */
  answer(destination: number, source: number): DemandedPath {
    const path = this.#paths.demandedPath(source, destination);
    const told = this.#told.get(destination) ?? new Map();
    this.#told.set(destination, told.set(source, path.path));
    return path;
  }

  /** One that is not used any more. */
  forget(destination: number, source: number): void {
    this.#told.get(destination)?.delete(source);
  }

  /** Sources that are not known any more. */
  forgetSources(gone: readonly number[]): void {
    for (const told of this.#told.values()) for (const source of gone) told.delete(source);
  }

  /** The endpoint is no longer here. */
  leave({ number }: LocalEndpoint): void {
    this.#told.delete(number);
  }

  /** Whatever the backend has of it now: the next time all of it is told. */
  #refused(endpoint: LocalEndpoint, error: Error): void {
    this.#told.delete(endpoint.number);
    this.#note(endpoint, error);
  }
}
