/**
 * The destinations that an endpoint sends to, and what they need on its interface. Given the differences, it edits
 * the interface's desired state; the cost depends on the change, not on the number of destinations. Pure.
 */
import { isSameImpairment } from '../../proto/impairment.ts';
import type { Path } from '../../topology/model/model.ts';
import type { DesiredState } from './desired-state.ts';
import { type ShapedClass, UNSHAPED } from './interface-state.ts';
import {
  type Destination,
  firstClass,
  type InQueue,
  minorOf,
  type Shape,
  segmentsFor,
  shapeOf,
} from './path-class.ts';

interface Pair {
  destination: Destination;
  /** Its path, or the last one that it had: what others get must not depend on whether it exists now. */
  path: Path | undefined;
  shape: Shape;
}

/** A destination and one of its former addresses. */
type Left = readonly [number: number, address: string];

export class InterfaceNeeds {
  readonly #endpoint: number;
  readonly #desired: DesiredState;
  readonly #inQueue: InQueue;
  readonly #pairs = new Map<number, Pair>();
  /** Address → its destination; if two have it, the one that was set last. */
  readonly #owners = new Map<string, number>();
  readonly #adopted: ReadonlyMap<number, ShapedClass>;
  #segments: number;
  #first: ShapedClass | undefined;
  #isFirstNeeded = false;

  /**
   * `inQueue`: the delay backend's. `adopted`: classes that an agent has left on the interface; like others, they
   * stay while there is no path.
   */
  constructor(
    endpoint: number,
    desired: DesiredState,
    inQueue: InQueue,
    adopted: ReadonlyMap<number, ShapedClass>,
  ) {
    this.#endpoint = endpoint;
    this.#desired = desired;
    this.#inQueue = inQueue;
    this.#adopted = new Map(adopted);
    this.#segments = segmentsFor([], inQueue);
  }

  /** Until then, what is installed stays unchanged; from then on, what is not needed is removed. */
  begin(): void {
    this.#desired.markAll();
  }

  get hasBegun(): boolean {
    return this.#desired.isSet;
  }

  /** How many destinations there are. */
  get size(): number {
    return this.#pairs.size;
  }

  has(destination: number): boolean {
    return this.#pairs.has(destination);
  }

  get destinations(): number[] {
    return [...this.#pairs.keys()];
  }

  /**
   * Sets the bandwidth of the class for other destinations, in bit/s; `Infinity`: none is needed. An existing one
   * stays.
   */
  setFirst(bandwidth: number): void {
    const before = this.#first;
    this.#isFirstNeeded = Number.isFinite(bandwidth);
    if (!this.#isFirstNeeded) return;
    this.#first = firstClass(this.#endpoint, bandwidth);
    if (before?.bytesPerSecond !== this.#first.bytesPerSecond) this.#desired.setClass(this.#first);
  }

  /** The minor number of that class; `UNSHAPED` if none is needed. */
  get firstMinor(): number {
    return this.#isFirstNeeded ? minorOf(this.#endpoint) : UNSHAPED;
  }

  /** Sets the `changed` destinations, and removes the `gone` ones. */
  update(changed: Iterable<Destination>, gone: Iterable<number> = []): void {
    const touched: Pair[] = [];
    const left: Left[] = [];
    let isPathNew = false;
    for (const destination of changed) {
      const pair = this.#pairs.get(destination.number);
      if (pair && isSame(pair.destination, destination)) continue;
      isPathNew ||= destination.path !== undefined && !isSameImpairment(pair?.path, destination.path);
      for (const address of pair?.destination.addresses ?? []) left.push([destination.number, address]);
      touched.push(this.#put(destination, pair));
    }
    for (const number of gone) {
      const pair = this.#pairs.get(number);
      if (!pair) continue;
      isPathNew = true;
      this.#pairs.delete(number);
      for (const address of pair.destination.addresses) left.push([number, address]);
      if (pair.shape.shaped) this.#desired.deleteClass(pair.shape.shaped.minor);
    }
    for (const { destination } of touched)
      for (const address of destination.addresses) this.#owners.set(address, destination.number);
    this.#free(left);
    this.#reshape(touched, isPathNew);
  }

  /** Removes the targets of former addresses that no destination has now. */
  #free(left: readonly Left[]): void {
    for (const [number, address] of left) {
      if (this.#owners.get(address) !== number) continue;
      if (this.#pairs.get(number)?.destination.addresses.includes(address)) continue;
      this.#owners.delete(address);
      this.#desired.deleteTarget(address);
    }
  }

  #put(destination: Destination, pair: Pair | undefined): Pair {
    if (pair) {
      pair.destination = destination;
      pair.path = destination.path ?? pair.path;
      return pair;
    }
    const adopted = this.#adopted.get(minorOf(destination.number));
    const { path } = destination;
    const added = { destination, path, shape: { target: UNSHAPED, ...(adopted && { shaped: adopted }) } };
    this.#pairs.set(destination.number, added);
    return added;
  }

  #reshape(touched: readonly Pair[], isPathNew: boolean): void {
    const segments = isPathNew ? segmentsFor(this.#pairs.values(), this.#inQueue) : this.#segments;
    // Queues have room for two packets of the longest kind, so that all may change.
    const pairs = segments === this.#segments ? touched : this.#pairs.values();
    if (segments !== this.#segments) this.#desired.setGsoSegments(segments);
    this.#segments = segments;
    for (const pair of pairs) this.#shape(pair);
  }

  #shape(pair: Pair): void {
    const { destination, shape } = pair;
    const next = shapeOf(destination, this.#inQueue, this.#segments);
    // The class of a path that is gone stays, so that nothing has changed when the path is back.
    const kept = next.shaped ?? (destination.path ? undefined : shape.shaped);
    pair.shape = { target: next.target, ...(kept && { shaped: kept }) };
    if (kept) this.#desired.setClass(kept);
    else if (shape.shaped) this.#desired.deleteClass(shape.shaped.minor);
    for (const address of destination.addresses)
      if (this.#owners.get(address) === destination.number) this.#desired.setTarget(address, next.target);
  }
}

function isSame(a: Destination, b: Destination): boolean {
  return (
    a.rateBps === b.rateBps &&
    a.rttMicros === b.rttMicros &&
    isSameImpairment(a.path, b.path) &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, index) => address === b.addresses[index])
  );
}
