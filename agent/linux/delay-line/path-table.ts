/**
 * The impairments of the paths to one queue, that is, to one destination endpoint, by source. Looked up once per packet:
 * typed arrays, without allocation. The cost of changing one path does not depend on their number.
 */
import type { EncodedPacketImpairment } from '../../../proto/impairment.ts';
import { MOST_LANES } from '../../../proto/lanes.ts';
import { nanosToMillis } from '../../../proto/units.ts';
import { jitterShape } from '../../enforce/distributions.ts';
import { laneOf } from '../../enforce/lanes.ts';
import { AddressIndex, grown } from './address-index.ts';
import { Jitter } from './jitter.ts';
import type { Random } from './random.ts';
import { type Framing, framingOf } from './treatment/framing.ts';
import { type Treatment, treatmentOf } from './treatment/treatment.ts';
import { QUICK_MS } from './wake/pace.ts';

/**
 * Of the time that a packet takes at the slowest link. The class at the source lets that link's rate through; were packets
 * kept apart by all of the time here, what a burst of it has put in front of the link would wait there for ever.
 */
export const SPACING = 0.98;

/** One path, as the thread gets it. Times are in milliseconds, the unit of its clock. */
export interface DelayEntry extends EncodedPacketImpairment {
  /** The addresses of its source, 16 bytes each, IPv4 as ::ffff:a.b.c.d. Their packets form one sequence. */
  readonly sources: readonly Uint8Array[];
  /** Which of several paths from there. Absent: the first, or the only one. */
  readonly lane?: number;
  /** There is none: what would take it is lost, and of several paths it is none. */
  readonly isAbsent?: true;
}

export class PathTable {
  /** Address → number of its path, by lane. */
  readonly #indexes: AddressIndex[] = [new AddressIndex()];
  readonly #seed: number;
  /** The paths that a packet has the choice of, by lane. */
  readonly #choice = new Int32Array(MOST_LANES);
  /** By path. */
  readonly #lanes: number[] = [];
  /** By path: its addresses; empty for a number that is free. */
  readonly #sources: Uint8Array[][] = [];
  readonly #free: number[] = [];
  #size = 0;
  #lossy = 0;
  #quick = 0;
  /** The number of paths whose packets are needed one by one, and with their content. */
  #framed = 0;
  #whole = 0;
  /** And of those with rules. */
  #ruled = 0;
  /** By path, only for paths with jitter. */
  readonly jitter = new Map<number, Jitter>();
  /** By path, only for those that have one. Written by `#treat` alone. */
  readonly treatments = new Map<number, Treatment>();
  /** By path, only for those with overheads; instead of `byteMs` and `spacingMs`. */
  readonly framings = new Map<number, Framing>();
  delayMs = new Float64Array(4);
  loss = new Float64Array(4);
  /** Milliseconds that a byte takes at all links of the path, and at the slowest. */
  byteMs = new Float64Array(4);
  spacingMs = new Float64Array(4);
  /** When the last held packet of the path leaves, 0 if none was held: packets of a path don't overtake each other. */
  lastRelease = new Float64Array(4);
  /** When its last packet arrived, or when it was set. Written by the code that removes idle paths. */
  lastSeen = new Float64Array(4);
  /** 1: the path was removed while its packets are held. Later packets are lost, and must not arrive before these. */
  isGone = new Uint8Array(4);
  /** 1: there is no such path now. */
  isAbsent = new Uint8Array(4);

  /** `seed`: of the hash that chooses between several paths from a source. */
  constructor(seed = 0) {
    this.#seed = seed;
  }

  /** Whether some source has had several paths. */
  get hasLanes(): boolean {
    return this.#indexes.length > 1;
  }

  /** The number of paths, including those removed while their packets are held. */
  get size(): number {
    return this.#size;
  }

  /** Whether GSO packets must be cut into segments: where some packets are lost or changed. Not needed where all are lost. */
  get needsFrames(): boolean {
    return this.#lossy + this.#framed > 0;
  }

  /** Whether all of the packets is needed, not only their headers. */
  get needsContent(): boolean {
    return this.#whole > 0;
  }

  /** Whether headers of the transport are needed. */
  get needsHeaders(): boolean {
    return this.#ruled > 0 || this.hasLanes;
  }

  /** The number of paths with too little delay for their packets to wait before they are received. */
  get quick(): number {
    return this.#quick;
  }

  /** Number of the path of a source address, as four words in network order; -1 when there is none. */
  find(a: number, b: number, c: number, d: number): number {
    return this.#indexes[0]!.find(a, b, c, d);
  }

  /**
   * Of the paths of a source address (its words), of which `first` is the first, the one that a packet takes. The packet's network
   * header is at `offset`, and `present` bytes of it are there.
   */
  choose(
    first: number,
    a: number,
    b: number,
    c: number,
    d: number,
    data: Uint8Array,
    offset: number,
    present: number,
  ): number {
    let lanes = 1;
    for (; lanes < this.#indexes.length; lanes++) {
      const path = this.#indexes[lanes]!.find(a, b, c, d);
      if (path < 0 || this.isAbsent[path] === 1 || this.isGone[path] === 1) break;
      this.#choice[lanes] = path;
    }
    const lane = lanes === 1 ? 0 : laneOf(this.#seed, lanes, data, offset, present);
    return lane === 0 ? first : this.#choice[lane]!;
  }

  /** The same for an address of 16 bytes. */
  pathOf(source: Uint8Array): number {
    return this.#indexes[0]!.get(source);
  }

  /**
   * Sets exactly these paths. A path that existed before keeps its order and its jitter; one that is not among them is
   * removed (`remove`).
   */
  replace(entries: readonly DelayEntry[], random: Random, nowMs: number): void {
    const named = new Set(entries.map((entry) => this.set(entry, random)));
    this.#sources.forEach((sources, path) => {
      if (sources.length > 0 && !named.has(path)) this.remove(path, nowMs);
    });
  }

  /**
   * Sets one path and returns its number. It continues the order of the earlier path of its addresses, and its jitter if
   * that is the same. Addresses of other paths are moved to this one.
   */
  set(entry: DelayEntry, random: Random): number {
    const { sources, latencyMs, jitterMs, loss, lane = 0, isAbsent = false } = entry;
    while (this.#indexes.length <= lane) this.#indexes.push(new AddressIndex());
    const index = this.#indexes[lane]!;
    const { transmissionNsPerByte = 0, spacingNsPerByte = 0 } = entry;
    let before: Treatment | undefined;
    const path = this.#free.pop() ?? this.#take();
    // A free number counts as no path.
    this.#quick++;
    this.#setDelay(path, latencyMs, loss);
    this.byteMs[path] = nanosToMillis(transmissionNsPerByte);
    this.spacingMs[path] = SPACING * nanosToMillis(spacingNsPerByte);
    const framing = framingOf(entry);
    if (framing) this.framings.set(path, framing);
    else this.framings.delete(path);
    this.lastRelease[path] = this.lastSeen[path] = this.isGone[path] = 0;
    this.isAbsent[path] = Number(isAbsent);
    this.#lanes[path] = lane;
    this.#sources[path] = [];
    this.#size++;
    for (const source of sources) {
      const old = index.get(source);
      before ??= this.treatments.get(old);
      if (old >= 0 && old !== path) this.#inherit(path, old, source, entry);
      if (old !== path) this.#sources[path]!.push(source);
      index.set(source, path);
    }
    if (jitterMs > 0 && !this.jitter.has(path))
      this.jitter.set(path, new Jitter(jitterMs, jitterShape(entry), random, entry.jitterCorrelation));
    this.#treat(path, treatmentOf(entry, before));
    return path;
  }

  /** Removes a path. While its packets are held, it stays, and later packets are lost. */
  remove(path: number, nowMs: number): void {
    const delays = this.treatments.get(path)?.delays;
    if (delays) this.lastRelease[path] = Math.max(this.lastRelease[path]!, delays.lastRelease);
    if (this.lastRelease[path]! > nowMs) {
      this.isGone[path] = 1;
      this.#setDelay(path, 0, 0);
      this.jitter.delete(path);
      this.#treat(path, undefined);
      return;
    }
    const index = this.#indexes[this.#lanes[path]!]!;
    for (const source of this.#sources[path]!) index.delete(source);
    this.#release(path);
  }

  /** Removes an address, which belongs to another endpoint now, or to none, from its path. */
  forgetAddress(address: Uint8Array): void {
    const path = this.pathOf(address);
    if (path < 0) return;
    this.#indexes[0]!.delete(address);
    this.#sources[path] = this.#sources[path]!.filter((one) => !isEqual(one, address));
    if (this.#sources[path]!.length === 0) this.#release(path);
  }

  #inherit(path: number, old: number, source: Uint8Array, entry: DelayEntry): void {
    this.lastRelease[path] = Math.max(this.lastRelease[path]!, this.lastRelease[old]!);
    this.lastSeen[path] = Math.max(this.lastSeen[path]!, this.lastSeen[old]!);
    const jitter = this.jitter.get(old);
    const isSame =
      jitter?.deviationMs === entry.jitterMs &&
      jitter.distribution === jitterShape(entry) &&
      jitter.correlation === entry.jitterCorrelation;
    if (isSame) this.jitter.set(path, jitter);
    this.#sources[old] = this.#sources[old]!.filter((one) => !isEqual(one, source));
    if (this.#sources[old]!.length === 0) this.#release(old);
  }

  #release(path: number): void {
    this.#sources[path] = [];
    this.#setDelay(path, 0, 0);
    this.#quick--;
    this.jitter.delete(path);
    this.framings.delete(path);
    this.#treat(path, undefined);
    this.#free.push(path);
    this.#size--;
  }

  #treat(path: number, treatment: Treatment | undefined): void {
    const before = this.treatments.get(path);
    this.#framed += Number(treatment?.needsFrames ?? false) - Number(before?.needsFrames ?? false);
    this.#whole += Number(treatment?.needsContent ?? false) - Number(before?.needsContent ?? false);
    this.#ruled += Number(treatment?.delays !== undefined) - Number(before?.delays !== undefined);
    if (treatment) this.treatments.set(path, treatment);
    else this.treatments.delete(path);
  }

  /** 1 if packets of this path can't wait before they are received. One that loses everything is not quick. */
  #setDelay(path: number, delayMs: number, loss: number): void {
    this.#lossy += Number(isLossy(loss)) - Number(isLossy(this.loss[path]!));
    this.#quick += Number(isQuick(delayMs, loss)) - Number(isQuick(this.delayMs[path]!, this.loss[path]!));
    this.delayMs[path] = delayMs;
    this.loss[path] = loss;
  }

  #take(): number {
    const path = this.#sources.push([]) - 1;
    const capacity = this.delayMs.length;
    if (path < capacity) return path;
    this.delayMs = grown(this.delayMs, new Float64Array(2 * capacity));
    this.loss = grown(this.loss, new Float64Array(2 * capacity));
    this.byteMs = grown(this.byteMs, new Float64Array(2 * capacity));
    this.spacingMs = grown(this.spacingMs, new Float64Array(2 * capacity));
    this.lastRelease = grown(this.lastRelease, new Float64Array(2 * capacity));
    this.lastSeen = grown(this.lastSeen, new Float64Array(2 * capacity));
    this.isAbsent = grown(this.isAbsent, new Uint8Array(2 * capacity));
    this.isGone = grown(this.isGone, new Uint8Array(2 * capacity));
    return path;
  }
}

const isLossy = (loss: number): boolean => loss > 0 && loss < 1;

function isQuick(delayMs: number, loss: number): boolean {
  return delayMs < QUICK_MS && loss < 1;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, index) => byte === b[index]);
}
