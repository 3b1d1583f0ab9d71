/**
 * The destinations that an endpoint sends to, and what they need on its interface. Told what is different, it gives what
 * has to be different there; what that costs depends on the change, not on how many destinations there are. Pure.
 */
import type { Path } from '../../topology/model/model.ts';
import {
  type Destination,
  firstClass,
  type Impairment,
  minorOf,
  type Shape,
  segmentsFor,
  shapeOf,
} from './desired-interface.ts';
import { type InterfaceChange, type ShapedClass, UNSHAPED } from './interface-state.ts';

interface Pair {
  destination: Destination;
  /** Its path, or the last one that it had: what others get must not depend on whether there is one now. */
  path: Path | undefined;
  shape: Shape;
}

export class OutgoingPairs {
  readonly #endpoint: number;
  readonly #impairment: Impairment;
  readonly #pairs = new Map<number, Pair>();
  /** Address → the destination that it is of; the one that was told last, while two have it. */
  readonly #owners = new Map<string, number>();
  readonly #adopted: ReadonlyMap<number, ShapedClass>;
  #segments: number;
  #first: ShapedClass | undefined;
  #isFirstNeeded = false;

  /** `adopted`: classes that an agent has left on the interface. They stay while there is no path, as others do. */
  constructor(endpoint: number, impairment: Impairment, adopted: ReadonlyMap<number, ShapedClass>) {
    this.#endpoint = endpoint;
    this.#impairment = impairment;
    this.#adopted = new Map(adopted);
    this.#segments = segmentsFor([], impairment);
  }

  /** How many destinations there are. */
  get size(): number {
    return this.#pairs.size;
  }

  has(destination: number): boolean {
    return this.#pairs.has(destination);
  }

  get destinations(): Iterable<Destination> {
    return Array.from(this.#pairs.values(), ({ destination }) => destination);
  }

  get(destination: number): Destination | undefined {
    return this.#pairs.get(destination)?.destination;
  }

  /**
   * The class for what goes to other destinations, at this many bit/s; `Infinity`: none is needed. One that was made
   * stays. `undefined` where nothing is different.
   */
  setFirst(bandwidth: number): InterfaceChange | undefined {
    const before = this.#first;
    this.#isFirstNeeded = Number.isFinite(bandwidth);
    if (!this.#isFirstNeeded) return undefined;
    this.#first = firstClass(this.#endpoint, bandwidth);
    if (before?.bytesPerSecond === this.#first.bytesPerSecond) return undefined;
    return { ...this.#nothing(), classes: [this.#first] };
  }

  /** The minor number of that class; `UNSHAPED` where none is needed. */
  get firstMinor(): number {
    return this.#isFirstNeeded ? minorOf(this.#endpoint) : UNSHAPED;
  }

  /** Sets these destinations, and forgets those; `undefined` where nothing is different. */
  update(changed: Iterable<Destination>, gone: Iterable<number> = []): InterfaceChange | undefined {
    const touched: Pair[] = [];
    const left: (readonly [string, number])[] = [];
    const goneClasses: number[] = [];
    let isPathNew = false;
    for (const destination of changed) {
      const pair = this.#pairs.get(destination.number);
      if (pair && isSame(pair.destination, destination)) continue;
      isPathNew ||= destination.path !== undefined && !isSamePath(pair?.path, destination.path);
      for (const address of pair?.destination.addresses ?? []) left.push([address, destination.number]);
      touched.push(this.#put(destination, pair));
    }
    for (const number of gone) {
      const pair = this.#pairs.get(number);
      if (!pair) continue;
      isPathNew = true;
      this.#pairs.delete(number);
      for (const address of pair.destination.addresses) left.push([address, number]);
      if (pair.shape.shaped) goneClasses.push(pair.shape.shaped.minor);
    }
    for (const { destination } of touched)
      for (const address of destination.addresses) this.#owners.set(address, destination.number);
    const goneTargets = this.#free(left);
    if (touched.length === 0 && goneTargets.length === 0 && goneClasses.length === 0) return undefined;
    const segments = isPathNew ? segmentsFor(this.#pairs.values(), this.#impairment) : this.#segments;
    // Queues have room for two packets of the longest sort, so that all may change.
    const reshaped = segments === this.#segments ? touched : [...this.#pairs.values()];
    this.#segments = segments;
    return this.#change(reshaped, goneTargets, goneClasses);
  }

  /** Of the addresses that destinations had before: those that nobody has now. */
  #free(left: readonly (readonly [string, number])[]): string[] {
    const free: string[] = [];
    for (const [address, number] of left) {
      if (this.#owners.get(address) !== number) continue;
      if (this.#pairs.get(number)?.destination.addresses.includes(address)) continue;
      this.#owners.delete(address);
      free.push(address);
    }
    return free;
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

  #change(pairs: readonly Pair[], goneTargets: string[], goneClasses: number[]): InterfaceChange {
    const classes: ShapedClass[] = [];
    const targets = new Map<string, number>();
    for (const pair of pairs) {
      const before = pair.shape.shaped;
      const next = shapeOf(pair.destination, this.#impairment, this.#segments);
      // The class of a path that is gone stays, so that all is as it was when the path is back.
      const kept = next.shaped ?? (pair.destination.path ? undefined : before);
      pair.shape = { target: next.target, ...(kept && { shaped: kept }) };
      if (kept) classes.push(kept);
      else if (before) goneClasses.push(before.minor);
      for (const address of pair.destination.addresses)
        if (this.#owners.get(address) === pair.destination.number) targets.set(address, next.target);
    }
    return { ...this.#nothing(), classes, targets, goneClasses, goneTargets };
  }

  #nothing(): InterfaceChange {
    return {
      gsoSegments: this.#segments,
      classes: [],
      goneClasses: [],
      targets: new Map(),
      goneTargets: [],
    };
  }
}

function isSame(a: Destination, b: Destination): boolean {
  return (
    a.rateBps === b.rateBps &&
    a.rttMicros === b.rttMicros &&
    isSamePath(a.path, b.path) &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, index) => address === b.addresses[index])
  );
}

/** What enforcement makes of it is the same. */
export function isSamePath(a: Path | undefined, b: Path | undefined): boolean {
  if (a === b) return true;
  return (
    a !== undefined &&
    b !== undefined &&
    a.latency === b.latency &&
    a.jitter === b.jitter &&
    a.distribution === b.distribution &&
    a.loss === b.loss &&
    a.bandwidth === b.bandwidth &&
    a.queuePackets === b.queuePackets
  );
}
