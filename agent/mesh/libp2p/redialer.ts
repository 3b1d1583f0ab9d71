/** Keeps connections: dials targets that are not connected, again and again, until they are removed. */
import type { Clock, Timers } from '../../clock/clock.ts';

/** A lost connection is dialled again after this time; then after twice the time, and so on. */
export const FIRST_REDIAL_MS = 250;
/**
 * A link between hosts that has healed is used again within this time plus the rest of a dial that began before: 2 s,
 * as TCP sends only at its beginning and a second later. A host that left costs a packet or two each time.
 */
export const MAX_REDIAL_MS = 1000;
/**
 * A random part of each wait, up to this. Otherwise two hosts that have lost each other would dial at the same time
 * again and again, and have two connections each time.
 */
export const JITTER = 0.5;
/** With more connections than this, none is dialled: gossip needs a few, and a request dials its peer anyway. */
export const ENOUGH_CONNECTIONS = 64;
export const MAX_TARGETS = 1024;
/**
 * A target that failed so often, 4 s and more, is replaced by a new one if there is no more room: it may be invented.
 */
const GIVES_WAY_AFTER = 5;

export interface RedialerPorts<Target> {
  readonly dial: (target: Target) => Promise<void>;
  readonly isConnected: (target: Target) => boolean;
  /** Whether a connection has to be kept now; other targets are only remembered. */
  readonly isWanted?: (target: Target) => boolean;
  /** How many peers are connected now. */
  readonly connections: () => number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** From 0 up to 1; default `Math.random`. */
  readonly random?: () => number;
}

interface Entry<Target> {
  target: Target;
  failures: number;
  nextAt: number;
  dialling: boolean;
}

export class Redialer<Target> {
  readonly #ports: RedialerPorts<Target>;
  readonly #entries = new Map<string, Entry<Target>>();
  #cancel: (() => void) | undefined;

  constructor(ports: RedialerPorts<Target>) {
    this.#ports = ports;
  }

  start(): void {
    this.#cancel = this.#ports.timers.every(FIRST_REDIAL_MS, () => this.#redial());
  }

  stop(): void {
    this.#cancel?.();
    this.#entries.clear();
  }

  /** Keeps a connection to `target` from now on. Beyond `MAX_TARGETS`, only by replacing one that always fails. */
  keep(key: string, target: Target): void {
    const known = this.#entries.get(key);
    if (known) {
      known.target = target;
      return;
    }
    if (this.#entries.size >= MAX_TARGETS) this.#dropWorst();
    if (this.#entries.size >= MAX_TARGETS) return;
    this.#entries.set(key, { target, failures: 0, nextAt: this.#ports.clock.now(), dialling: false });
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  get(key: string): Target | undefined {
    return this.#entries.get(key)?.target;
  }

  /** Targets whose latest dial has failed. */
  failing(): Target[] {
    const entries = [...this.#entries.values()];
    return entries
      .filter(({ failures, target }) => failures > 0 && !this.#ports.isConnected(target))
      .map(({ target }) => target);
  }

  #dropWorst(): void {
    let worst: string | undefined;
    let failures = GIVES_WAY_AFTER - 1;
    for (const [key, entry] of this.#entries) {
      if (entry.failures <= failures) continue;
      worst = key;
      failures = entry.failures;
    }
    if (worst !== undefined) this.#entries.delete(worst);
  }

  #redial(): void {
    const { clock, isConnected, isWanted, connections } = this.#ports;
    const now = clock.now();
    let room = ENOUGH_CONNECTIONS - connections();
    for (const entry of this.#entries.values()) {
      if (isConnected(entry.target)) {
        entry.failures = 0;
        entry.nextAt = now;
      } else if (isWanted?.(entry.target) === false) {
        entry.failures = 0;
      } else if (!entry.dialling && now >= entry.nextAt && room-- > 0) {
        void this.#dial(entry);
      }
    }
  }

  async #dial(entry: Entry<Target>): Promise<void> {
    entry.dialling = true;
    try {
      await this.#ports.dial(entry.target);
      entry.failures = 0;
    } catch {
      entry.failures++;
    }
    entry.dialling = false;
    const { clock, random = Math.random } = this.#ports;
    const wait = Math.min(MAX_REDIAL_MS, FIRST_REDIAL_MS * 2 ** entry.failures);
    entry.nextAt = clock.now() + wait * (1 - JITTER * random());
  }
}
