/** The pairs of one local endpoint that are enforced: those it sends to, and those it receives from. */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { MAX_GSO_SEGMENTS } from '../enforce/derive.ts';
import { endpointOf, type Impairment } from '../enforce/desired-interface.ts';
import type { Enforcer } from '../enforce/enforcer.ts';
import type { InterfaceChange, InterfaceState } from '../enforce/interface-state.ts';
import { OutgoingPairs } from '../enforce/outgoing-pairs.ts';
import type { DemandedPath, FailedOp, ImpairedPath, Impairments } from '../enforce/ports.ts';
import { isSameImpairment, type PairPaths } from './pair-paths.ts';

export class LocalPairs {
  readonly endpoint: LocalEndpoint;
  readonly #enforcer: Enforcer;
  readonly #paths: PairPaths;
  readonly #outgoing: OutgoingPairs;
  /** Source → what is done to what it sends here; `undefined`: it has no path. */
  readonly #incoming = new Map<number, Impairments | undefined>();
  #hasBegun = false;
  #isTold = false;

  constructor(endpoint: LocalEndpoint, enforcer: Enforcer, paths: PairPaths) {
    this.endpoint = endpoint;
    this.#enforcer = enforcer;
    this.#paths = paths;
    const impairment: Impairment = enforcer.delay.side === 'source' ? 'in-queues' : 'elsewhere';
    const adopted = enforcer.installedClasses(endpoint);
    this.#outgoing = new OutgoingPairs(endpoint.number, impairment, adopted);
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get firstMinor(): number {
    return this.#outgoing.firstMinor;
  }

  /** How many destinations have what they need. */
  get size(): number {
    return this.#outgoing.size;
  }

  get destinations(): number[] {
    return Array.from(this.#outgoing.destinations, ({ number }) => number);
  }

  sendsTo(destination: number): boolean {
    return this.#outgoing.has(destination);
  }

  /** Destinations whose classes an agent has left that was killed. */
  leftDestinations(): number[] {
    const { number } = this.endpoint;
    const minors = [...this.#enforcer.installedClasses(this.endpoint).keys()];
    return minors.map(endpointOf).filter((destination) => destination !== number);
  }

  /**
   * Brings the interface to what these destinations need, and nothing else. `firstBandwidth`: of the class for all others;
   * `Infinity`: they need none.
   */
  begin(destinations: Iterable<number>, firstBandwidth: number): FailedOp[] {
    this.#hasBegun = true;
    const change = this.#outgoing.update(this.#destinations(destinations));
    const first = this.#outgoing.setFirst(firstBandwidth);
    return this.#enforcer.set(this.endpoint, wholeOf(change, first));
  }

  /** Brings these destinations to what the paths say now, and forgets those. */
  update(destinations: Iterable<number>, gone: Iterable<number> = []): FailedOp[] {
    return this.#change(this.#outgoing.update(this.#destinations(destinations), gone));
  }

  updateAll(): FailedOp[] {
    return this.update(this.destinations);
  }

  reassert(): FailedOp[] {
    return this.#enforcer.reassert(this.endpoint);
  }

  setFirst(bandwidth: number): FailedOp[] {
    return this.#change(this.#outgoing.setFirst(bandwidth));
  }

  /** The path of a source that has been asked for. */
  receiveFrom(source: number): DemandedPath {
    const path = this.#paths.demandedPath(source, this.endpoint.number);
    this.#incoming.set(source, path.path);
    return path;
  }

  forgetSource(source: number): void {
    this.#incoming.delete(source);
  }

  /** The paths of sources that are different from what was told last. */
  changedSources(): DemandedPath[] {
    return [...this.#incoming].flatMap(([source, before]) => {
      const now = this.#paths.impairments(source, this.endpoint.number);
      return isSameImpairment(before, now) ? [] : [this.receiveFrom(source)];
    });
  }

  /** Whether all sources have been told, so that `changedSources` are all there is to tell. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** The paths from all of these sources; `undefined` where they are what was told last. */
  changedPaths(sources: Iterable<number>): ImpairedPath[] | undefined {
    this.#isTold = true;
    const { number } = this.endpoint;
    const paths: ImpairedPath[] = [];
    let isChanged = false;
    const seen = new Set<number>();
    for (const source of sources) {
      if (source === number) continue;
      seen.add(source);
      const path = this.#paths.impairedPath(source, number);
      isChanged ||= !this.#incoming.has(source) || !isSameImpairment(this.#incoming.get(source), path);
      this.#incoming.set(source, path);
      if (path) paths.push(path);
    }
    for (const source of this.#incoming.keys()) {
      if (seen.has(source)) continue;
      isChanged = true;
      this.#incoming.delete(source);
    }
    return isChanged ? paths : undefined;
  }

  /** Forgets what was told, so that all of it is told again. */
  forgetTold(): void {
    this.#isTold = false;
    this.#incoming.clear();
  }

  *#destinations(numbers: Iterable<number>): Generator<ReturnType<PairPaths['destination']>> {
    const { number } = this.endpoint;
    for (const one of numbers) if (one !== number) yield this.#paths.destination(number, one);
  }

  #change(change: InterfaceChange | undefined): FailedOp[] {
    return change ? this.#enforcer.change(this.endpoint, change) : this.#enforcer.retry(this.endpoint);
  }
}

function wholeOf(change: InterfaceChange | undefined, first: InterfaceChange | undefined): InterfaceState {
  const classes = [...(change?.classes ?? []), ...(first?.classes ?? [])];
  return {
    foreignRoot: undefined,
    classifier: true,
    gsoSegments: (change ?? first)?.gsoSegments ?? MAX_GSO_SEGMENTS,
    classes: new Map(classes.map((shaped) => [shaped.minor, shaped])),
    targets: change?.targets ?? new Map(),
  };
}
