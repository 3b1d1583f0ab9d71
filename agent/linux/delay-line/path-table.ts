/**
 * What the delay line does with packets of each source, per queue (that is, per destination endpoint). Looked up once
 * per packet: typed arrays, no allocation. A change of one path costs the same however many there are.
 */
import type { Distribution, EncodedPacketImpairment } from '../../../proto/impairment.ts';
import { AddressIndex, grown } from './address-index.ts';
import { Jitter } from './jitter.ts';
import { QUICK_MS } from './pace.ts';
import type { Random } from './random.ts';

/** One path, as it is told to the thread: times in milliseconds, the unit of its clock. */
export interface DelayEntry extends EncodedPacketImpairment {
  /** The addresses of its source, 16 bytes each, IPv4 as ::ffff:a.b.c.d. Packets of all of them are one sequence. */
  readonly sources: readonly Uint8Array[];
}

export class PathTable {
  /** Address → the path that it belongs to. */
  readonly #index = new AddressIndex();
  /** By path: its addresses; empty where the number is free. */
  readonly #sources: Uint8Array[][] = [];
  readonly #free: number[] = [];
  #size = 0;
  #lossy = 0;
  #quick = 0;
  /** By path, only of those that have jitter. */
  readonly jitter = new Map<number, Jitter>();
  delayMs = new Float64Array(4);
  loss = new Float64Array(4);
  /** When the path's last packet leaves, 0 where none was held: packets of one path don't overtake each other. */
  lastRelease = new Float64Array(4);
  /** When a packet of it arrived last, or when it was set. Written by whoever forgets what is idle. */
  lastSeen = new Float64Array(4);
  /** 1: the path is gone, but packets of it are held. What comes after them is lost, and must not arrive before them. */
  isGone = new Uint8Array(4);

  /** How many paths it has, those that are gone included. */
  get size(): number {
    return this.#size;
  }

  /** True where some packets get lost: then GSO packets must be taken apart. Where all do, they need not. */
  get hasLoss(): boolean {
    return this.#lossy > 0;
  }

  /** How many paths delay their packets too little for these to lie about. */
  get quick(): number {
    return this.#quick;
  }

  /** Number of the path of a source address, as four words in network order; -1 when there is none. */
  find(a: number, b: number, c: number, d: number): number {
    return this.#index.find(a, b, c, d);
  }

  /** The same of an address of 16 bytes. */
  pathOf(source: Uint8Array): number {
    return this.#index.get(source);
  }

  /**
   * Sets exactly these paths. Of one that was there before, order and jitter go on where they are; one that is not named
   * is gone, as `remove` says.
   */
  replace(entries: readonly DelayEntry[], random: Random, nowMs: number): void {
    const named = new Set(entries.map((entry) => this.set(entry, random)));
    this.#sources.forEach((sources, path) => {
      if (sources.length > 0 && !named.has(path)) this.remove(path, nowMs);
    });
  }

  /**
   * Sets one path and gives its number. Order goes on where that of its addresses was, and jitter where it is the same.
   * An address that was another path's is this one's from now on.
   */
  set(entry: DelayEntry, random: Random): number {
    const { sources, latencyMs, jitterMs, distribution = 'normal', loss } = entry;
    const path = this.#free.pop() ?? this.#take();
    // A number that is free counts as nothing.
    this.#quick++;
    this.#setDelay(path, latencyMs, loss);
    this.lastRelease[path] = this.lastSeen[path] = this.isGone[path] = 0;
    this.#sources[path] = [];
    this.#size++;
    for (const source of sources) {
      const old = this.#index.get(source);
      if (old >= 0 && old !== path) this.#inherit(path, old, source, jitterMs, distribution);
      if (old !== path) this.#sources[path]!.push(source);
      this.#index.set(source, path);
    }
    if (jitterMs > 0 && !this.jitter.has(path))
      this.jitter.set(path, new Jitter(jitterMs, distribution, random));
    return path;
  }

  /** Forgets a path, or, while packets of it are held, loses what follows them. */
  remove(path: number, nowMs: number): void {
    if (this.lastRelease[path]! > nowMs) {
      this.isGone[path] = 1;
      this.#setDelay(path, 0, 0);
      this.jitter.delete(path);
      return;
    }
    for (const source of this.#sources[path]!) this.#index.delete(source);
    this.#release(path);
  }

  /** An address that is another endpoint's, or nobody's, from now on: packets from there are not this path's. */
  forgetAddress(address: Uint8Array): void {
    const path = this.#index.get(address);
    if (path < 0) return;
    this.#index.delete(address);
    this.#sources[path] = this.#sources[path]!.filter((one) => !isSame(one, address));
    if (this.#sources[path]!.length === 0) this.#release(path);
  }

  #inherit(
    path: number,
    old: number,
    source: Uint8Array,
    jitterMs: number,
    distribution: Distribution,
  ): void {
    this.lastRelease[path] = Math.max(this.lastRelease[path]!, this.lastRelease[old]!);
    this.lastSeen[path] = Math.max(this.lastSeen[path]!, this.lastSeen[old]!);
    const jitter = this.jitter.get(old);
    if (jitter?.deviationMs === jitterMs && jitter.distribution === distribution)
      this.jitter.set(path, jitter);
    this.#sources[old] = this.#sources[old]!.filter((one) => !isSame(one, source));
    if (this.#sources[old]!.length === 0) this.#release(old);
  }

  #release(path: number): void {
    this.#sources[path] = [];
    this.#setDelay(path, 0, 0);
    this.#quick--;
    this.jitter.delete(path);
    this.#free.push(path);
    this.#size--;
  }

  /** Of a path that has a number; one that loses everything is in no hurry. */
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
    this.lastRelease = grown(this.lastRelease, new Float64Array(2 * capacity));
    this.lastSeen = grown(this.lastSeen, new Float64Array(2 * capacity));
    this.isGone = grown(this.isGone, new Uint8Array(2 * capacity));
    return path;
  }
}

const isLossy = (loss: number): boolean => loss > 0 && loss < 1;

function isQuick(delayMs: number, loss: number): boolean {
  return delayMs < QUICK_MS && loss < 1;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, index) => byte === b[index]);
}
