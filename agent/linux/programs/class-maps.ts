/** The maps of the classifier (bpf/netfold.bpf.c): the class of each destination, and the buffers in front of classes. */
import { isIP } from 'node:net';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { MOST_LANES } from '../../../proto/lanes.ts';
import { aqmOf } from '../../../proto/queue.ts';
import { nanosToSeconds, toNanos } from '../../../proto/units.ts';
import { NO_PATH, type ShapedClass } from '../../enforce/interface-state.ts';
import { laneAddress, readLaneAddress } from '../../enforce/lanes.ts';
import type { Party } from '../../enforce/ports.ts';
import type { BatchMap } from '../../kernel/bpf/libbpf.ts';
import { addressBytes } from '../../kernel/netlink/addresses.ts';
import { KernelError } from '../../kernel/sys/errors.ts';
import {
  BACKLOG,
  BUFFER,
  CLASS_DROP,
  MANAGER,
  MANAGERS,
  PAIR,
  PARTITIONS,
  PARTY,
  TARGET,
} from '../objects/bpf-layout.ts';
import { InterfaceRules, RuleMap } from './rule-map.ts';

/** The unit of a buffer's drain in the program: bytes per 2^30 ns. */
const DRAIN_SECONDS = nanosToSeconds(2 ** 30);

export interface ClassMapsOptions {
  readonly targets: BatchMap;
  readonly buffers: BatchMap;
  readonly backlogs: BatchMap;
  readonly managers: BatchMap;
  readonly rules: BatchMap;
  readonly parties: BatchMap;
  /** The number of buffers that the map can hold. */
  readonly rows: number;
}

/** Shared by all interfaces of an agent. `InterfaceMaps` is the part of one interface. */
export class ClassMaps {
  readonly targets: BatchMap;
  readonly buffers: BatchMap;
  readonly backlogs: BatchMap;
  readonly managers: BatchMap;
  readonly rules: RuleMap;
  readonly #parties: BatchMap;
  readonly #free: number[] = [];
  readonly #rows: number;
  #used = 0;

  constructor({ targets, buffers, backlogs, managers, rules, parties, rows }: ClassMapsOptions) {
    this.#parties = parties;
    this.targets = targets;
    this.buffers = buffers;
    this.backlogs = backlogs;
    this.managers = managers;
    this.rules = new RuleMap(rules);
    this.#rows = rows;
  }

  takeRow(): number {
    const row = this.#free.pop() ?? this.#used++;
    if (row < this.#rows) return row;
    throw new KernelError({
      code: 'BPF_REFUSED',
      message: `all ${this.#rows} rows of the BPF map "buffers" are in use`,
      remedy: 'spread the endpoints over more hosts',
    });
  }

  giveRow(row: number): void {
    this.#free.push(row);
  }

  /** What the classifier does with pairs without a target, by the addresses of their endpoints. `gone`: addresses to remove. */
  setParties(parties: readonly Party[], gone: readonly string[]): void {
    this.#parties.remove(Buffer.concat(gone.map(addressBytes)), gone.length);
    const entries = parties.flatMap((party) => party.addresses.map((address) => ({ address, party })));
    const values = new Uint8Array(entries.length * PARTY.size);
    const view = new DataView(values.buffer);
    for (const [index, { party }] of entries.entries()) {
      const at = index * PARTY.size;
      view.setUint32(at + PARTY.island, party.island, true);
      view.setUint32(at + PARTY.first, party.firstMinor, true);
      values.set(party.sides.slice(0, PARTITIONS), at + PARTY.sides);
    }
    const keys = Buffer.concat(entries.map(({ address }) => addressBytes(address)));
    this.#parties.update(keys, values, entries.length);
  }
}

export class InterfaceMaps {
  readonly #maps: ClassMaps;
  readonly #addresses: readonly string[];
  /** The targets that were set, since the map can't be searched by source. */
  readonly #targets = new Map<string, number>();
  /** Whether any destination has had several lanes: where none has, nobody looks for them. */
  #areSeveral = false;
  /** Minor number of a class → its row. */
  readonly #rows = new Map<number, number>();
  /** Likewise → how its buffer is managed. */
  readonly #managed = new Map<number, string>();
  /** And its MTU, if it has one. */
  readonly #mtus = new Map<number, number>();
  readonly rules: InterfaceRules;

  constructor(maps: ClassMaps, { addresses }: LocalEndpoint) {
    this.#maps = maps;
    this.rules = new InterfaceRules(maps.rules);
    this.#addresses = addresses;
  }

  /** Sets the buffers, MTUs and rules of these classes. To be called before the targets are set that lead to them. */
  setClasses(classes: readonly ShapedClass[]): void {
    const ruled = classes.filter(({ minor, rules }) => this.rules.set(minor, rules));
    const others = new Set([...this.#setMtus(classes), ...ruled.map(({ minor }) => minor)]);
    const buffered = classes.filter(({ minor, bufferBytes }) => bufferBytes > 0 || this.#rows.has(minor));
    const isNew = new Set(buffered.map(({ minor }) => minor).filter((minor) => !this.#rows.has(minor)));
    const keys = new Uint32Array(buffered.length);
    const values = new Uint8Array(buffered.length * BUFFER.size);
    const view = new DataView(values.buffer);
    for (const [index, shaped] of buffered.entries()) {
      const { minor, bytesPerSecond, bufferBytes, overheadBytes = 0, inCells = false } = shaped;
      const at = index * BUFFER.size;
      keys[index] = this.#row(minor);
      // Without a drain it never fills.
      view.setBigUint64(at + BUFFER.drain, bufferBytes === 0 ? 0n : drainOf(bytesPerSecond), true);
      view.setBigUint64(at + BUFFER.limit, BigInt(bufferBytes), true);
      view.setUint32(at + BUFFER.overhead, overheadBytes, true);
      view.setUint32(at + BUFFER.cells, Number(inCells), true);
    }
    this.#maps.buffers.update(bytesOf(keys), values, buffered.length);
    for (const { minor, aqm } of buffered) this.#manage(minor, aqm);
    // Targets of a class that had no buffer, or no rules, don't contain its row yet, and those of another MTU have the old one.
    for (const minor of isNew) others.add(minor);
    if (others.size > 0) this.setTargets([...this.#targets].filter(([, minor]) => others.has(minor)));
  }

  /** The classes that have another one now. */
  #setMtus(classes: readonly ShapedClass[]): number[] {
    return classes.flatMap(({ minor, mtu }) => {
      if (this.#mtus.get(minor) === mtu) return [];
      if (mtu === undefined) this.#mtus.delete(minor);
      else this.#mtus.set(minor, mtu);
      return [minor];
    });
  }

  /** What a manager knows of its buffer is lost when it changes, so only then: rates change many times a second. */
  #manage(minor: number, aqm: string | undefined): void {
    if (this.#managed.get(minor) === aqm) return;
    const row = bytesOf(Uint32Array.of(this.#row(minor)));
    if (aqm === undefined) {
      this.#maps.managers.remove(row, 1);
      this.#managed.delete(minor);
      return;
    }
    this.#maps.managers.update(row, managerOf(aqm), 1);
    this.#managed.set(minor, aqm);
  }

  /** Destination (`laneAddress`) → minor number, or `NO_PATH`. */
  setTargets(targets: readonly (readonly [string, number])[]): void {
    for (const [destination, minor] of targets) this.#targets.set(destination, minor);
    this.#areSeveral ||= targets.some(([destination]) => isFurther(destination));
    if (!this.#areSeveral) {
      this.#writeTargets(targets);
      return;
    }
    // Last: they say how many lanes there are.
    this.#writeTargets([
      ...targets.filter(([destination]) => isFurther(destination)),
      ...this.#firstOf(targets),
    ]);
  }

  #writeTargets(targets: readonly (readonly [string, number])[]): void {
    const entries = targets.flatMap(([destination, minor]) => {
      const value = this.#valueOf(destination, minor);
      return this.#keys(destination).map((key) => ({ key, value }));
    });
    const values = new Uint32Array((entries.length * TARGET.size) / 4);
    for (const [index, { value }] of entries.entries()) values.set(value, (index * TARGET.size) / 4);
    this.#maps.targets.update(Buffer.concat(entries.map(({ key }) => key)), bytesOf(values), entries.length);
  }

  /** The targets of the first lanes to the addresses that some of these are about. */
  #firstOf(targets: readonly (readonly [string, number])[]): (readonly [string, number])[] {
    const addresses = new Set(targets.map(([destination]) => readLaneAddress(destination).address));
    return [...addresses].flatMap((address) => {
      const minor = this.#targets.get(address);
      return minor === undefined ? [] : [[address, minor] as const];
    });
  }

  removeTargets(destinations: readonly string[]): void {
    for (const destination of destinations) this.#targets.delete(destination);
    const further = destinations.filter(isFurther).map((destination) => [destination, 0] as const);
    if (further.length > 0) this.#writeTargets(this.#firstOf(further));
    const keys = destinations.flatMap((destination) => this.#keys(destination));
    this.#maps.targets.remove(Buffer.concat(keys), keys.length);
  }

  /** How many lanes an address has now; 0: a single path, as far as the classifier is concerned. */
  #lanesOf(address: string): number {
    if (!this.#areSeveral) return 0;
    let lanes = 1;
    for (; lanes < MOST_LANES; lanes++) {
      const minor = this.#targets.get(laneAddress(address, lanes));
      if (minor === undefined || minor === NO_PATH) break;
    }
    return lanes === 1 ? 0 : lanes;
  }

  /** As it was set here; `undefined` without one, or if an earlier agent has set it. */
  mtuOf(minor: number): number | undefined {
    return this.#mtus.get(minor);
  }

  /** Frees the row of a class that was deleted. */
  removeClass(minor: number): void {
    this.#mtus.delete(minor);
    this.rules.remove(minor);
    const row = this.#rows.get(minor);
    if (row === undefined) return;
    this.#manage(minor, undefined);
    this.#rows.delete(minor);
    this.#maps.giveRow(row);
  }

  /** Of the targets that were set, those that the kernel has. */
  readTargets(): Map<string, number> {
    const found = new Map<string, number>();
    for (const [destination, minor] of this.#targets) {
      const isThere = this.#keys(destination).every((key) => {
        const value = this.#maps.targets.lookup(key);
        const view = value && new DataView(value.buffer, value.byteOffset);
        return this.#valueOf(destination, minor).every(
          (word, index) => view?.getUint32(4 * index, true) === word,
        );
      });
      if (isThere) found.set(destination, minor);
    }
    return found;
  }

  /** The size of a class's buffer in the kernel; 0 without a buffer, or where its drain differs from the class's rate. */
  readBuffer(minor: number, bytesPerSecond: number): number {
    const row = this.#rows.get(minor);
    const value = row === undefined ? undefined : this.#maps.buffers.lookup(bytesOf(Uint32Array.of(row)));
    if (!value) return 0;
    const view = new DataView(value.buffer, value.byteOffset);
    const drain = BigInt(Math.ceil(bytesPerSecond * DRAIN_SECONDS));
    return view.getBigUint64(BUFFER.drain, true) === drain
      ? Number(view.getBigUint64(BUFFER.limit, true))
      : 0;
  }

  /** How the buffer of a class is managed in the kernel; `undefined`: it is not, or not as it was set. */
  readAqm(minor: number): string | undefined {
    const [row, aqm] = [this.#rows.get(minor), this.#managed.get(minor)];
    if (row === undefined || aqm === undefined) return undefined;
    const found = this.#maps.managers.lookup(bytesOf(Uint32Array.of(row)));
    const wanted = managerOf(aqm).subarray(0, MANAGER.average);
    return found && Buffer.from(found.subarray(0, MANAGER.average)).equals(wanted) ? aqm : undefined;
  }

  /** Frames that were dropped because a buffer of the interface was full. */
  dropped(): number {
    let sum = 0;
    for (const row of this.#rows.values()) {
      const value = this.#maps.backlogs.lookup(bytesOf(Uint32Array.of(row)));
      if (value)
        sum += Number(new DataView(value.buffer, value.byteOffset).getBigUint64(BACKLOG.dropped, true));
    }
    return sum;
  }

  /** Removes everything of the interface from the maps. */
  clear(): void {
    this.removeTargets([...this.#targets.keys()]);
    for (const minor of [...this.#rows.keys()]) this.removeClass(minor);
    this.#mtus.clear();
    this.rules.clear();
  }

  #row(minor: number): number {
    const known = this.#rows.get(minor);
    if (known !== undefined) return known;
    const row = this.#maps.takeRow();
    // The row may have held another class's backlog.
    this.#maps.backlogs.update(bytesOf(Uint32Array.of(row)), new Uint8Array(BACKLOG.size), 1);
    this.#rows.set(minor, row);
    return row;
  }

  /** The fields of a target in their order. */
  #valueOf(destination: string, minor: number): readonly number[] {
    const row = this.#rows.get(minor);
    const target = minor === NO_PATH ? CLASS_DROP : minor;
    const buffer = row === undefined ? 0 : row + 1;
    const lanes = isFurther(destination) ? 0 : this.#lanesOf(destination);
    return [target, buffer, this.#mtus.get(minor) ?? 0, this.rules.targetOf(minor), lanes];
  }

  /** Keys of the targets for one destination: one for each own address of the same family. */
  #keys(destination: string): Uint8Array[] {
    const { address: to, lane } = readLaneAddress(destination);
    const family = isIP(to);
    return this.#addresses
      .filter((address) => isIP(address) === family)
      .map((address) => {
        const key = new Uint8Array(PAIR.size);
        key.set(addressBytes(address), PAIR.source);
        key.set(addressBytes(to), PAIR.destination);
        key[PAIR.lane] = lane;
        return key;
      });
  }
}

const isFurther = (destination: string): boolean => readLaneAddress(destination).lane > 0;

/** Its parameters, and nothing known yet. */
function managerOf(text: string): Uint8Array {
  const aqm = aqmOf(text);
  const bytes = new Uint8Array(MANAGER.size);
  const view = new DataView(bytes.buffer);
  const isRed = aqm.kind === 'red';
  view.setUint32(MANAGER.kind, MANAGERS[aqm.kind] | (aqm.ecn ? MANAGERS.ecn : 0), true);
  view.setUint32(MANAGER.shift, isRed ? aqm.weightShift : 0, true);
  const [low, high] = isRed ? [aqm.minBytes, aqm.maxBytes] : [toNanos(aqm.target), toNanos(aqm.interval)];
  view.setBigUint64(MANAGER.low, BigInt(Math.round(low)), true);
  view.setBigUint64(MANAGER.high, BigInt(Math.round(high)), true);
  view.setBigUint64(MANAGER.slope, BigInt(isRed ? Math.round(aqm.probability * 2 ** 32) : 0), true);
  return bytes;
}

function drainOf(bytesPerSecond: number): bigint {
  return BigInt(Math.ceil(bytesPerSecond * DRAIN_SECONDS));
}

function bytesOf(array: Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
