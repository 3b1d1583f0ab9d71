/**
 * Sends the delay backend the paths that end at local endpoints: first all of them, or each on request, and then only
 * changes. For a backend that ignores them, this costs nothing.
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { isSamePacketImpairment, type PacketImpairment } from '../../proto/impairment.ts';
import type { DelayBackend, DemandedPath, ImpairedPath } from '../enforce/ports.ts';
import type { PairPaths } from './pair-paths.ts';

/** Source, with the lane → its path as last sent; `undefined`: no path. */
type Sent = Map<number, PacketImpairment | undefined>;

export class Arrivals {
  readonly #delay: DelayBackend;
  readonly #paths: PairPaths;
  readonly #note: (endpoint: LocalEndpoint, error: Error) => void;
  /** By number of the endpoint where they end. */
  readonly #sent = new Map<number, Sent>();

  /** `note` is called with what the backend refused. */
  constructor(delay: DelayBackend, paths: PairPaths, note: (endpoint: LocalEndpoint, error: Error) => void) {
    this.#delay = delay;
    this.#paths = paths;
    this.#note = note;
  }

  /** Sends all paths from known endpoints to this one. */
  async tell(endpoint: LocalEndpoint): Promise<void> {
    const told: Sent = new Map();
    this.#sent.set(endpoint.number, told);
    try {
      await this.#delay.set(endpoint, this.#all(endpoint.number, told));
    } catch (error) {
      this.#refused(endpoint, error as Error);
    }
  }

  *#all(destination: number, told: Sent): Generator<ImpairedPath> {
    const { lanes } = this.#paths.epoch;
    for (const source of lanes.all(this.#paths.known.keys())) {
      if (lanes.endpointOf(source) === destination) continue;
      const path = this.#paths.impairedPath(source, destination);
      told.set(source, path);
      if (path) yield path;
    }
  }

  /**
   * Sends the changes at these endpoints, in one message: each message wakes a thread that has priority over this
   * one.
   */
  async change(endpoints: Iterable<LocalEndpoint>): Promise<void> {
    const [told, untold] = [[], []] as [LocalEndpoint[], LocalEndpoint[]];
    for (const endpoint of endpoints) (this.#sent.has(endpoint.number) ? told : untold).push(endpoint);
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

  /** The paths to an endpoint that have changed since they were last sent. They count as sent. */
  *different(destination: number): Generator<DemandedPath> {
    for (const [source, before] of this.#sent.get(destination) ?? []) {
      if (!isSamePacketImpairment(before, this.#paths.impairments(source, destination)))
        yield this.answer(destination, source);
    }
  }

  /** The answer to a request. */
  answer(destination: number, source: number): DemandedPath {
    const path = this.#paths.demandedPath(source, destination);
    const told = this.#sent.get(destination) ?? new Map();
    this.#sent.set(destination, told.set(source, path.path));
    return path;
  }

  /** Forgets a path that is not used any more. */
  forget(destination: number, source: number): void {
    this.#sent.get(destination)?.delete(source);
  }

  /** Forgets sources that are not known any more. */
  forgetSources(gone: readonly number[]): void {
    for (const told of this.#sent.values()) for (const source of gone) told.delete(source);
  }

  /** The endpoint has left. */
  leave({ number }: LocalEndpoint): void {
    this.#sent.delete(number);
  }

  /** The state of the backend is unknown: the next time all paths are sent. */
  #refused(endpoint: LocalEndpoint, error: Error): void {
    this.#sent.delete(endpoint.number);
    this.#note(endpoint, error);
  }
}
