/**
 * The end of an endpoint's life, as the end of a machine: afterwards there is none of its processes and none of its
 * sockets, whoever started them and however they detached themselves.
 *
 * A namespace that netfold made belongs to the endpoint, and so does everything in it. In a namespace that was there
 * before, only what netfold has started is ended: its environment, which children inherit, says so.
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Timers } from '../clock/clock.ts';

/** The machine's processes and sockets, for an endpoint. */
export interface LifePort {
  /** Numbers of the endpoint's processes. They may end, and start others, meanwhile. */
  find(endpoint: LocalEndpoint): Promise<number[]>;
  /** Sends a signal to those that are still the endpoint's. */
  signal(endpoint: LocalEndpoint, pids: Iterable<number>, signal: NodeJS.Signals): void;
  /** Destroys the endpoint's TCP sockets. Throws where the kernel can't. */
  destroySockets(endpoint: LocalEndpoint): void;
}

/** So often new processes are looked for, while others are stopped before they can start more. */
const STOP_PASSES = 50;
/** A process that ends while it starts the next one may be missed by a look. */
const QUIET_LOOKS = 2;
/** A killed process takes a moment to end, or never ends while it waits for a device. */
const KILL_PASSES = 100;
const KILL_MS = 20;
const LOOK_MS = 100;
/** How long a process may take to end after SIGTERM. */
export const TERM_MS = 2000;

export class FormerLife {
  readonly #port: LifePort;
  readonly #timers: Timers;

  constructor(port: LifePort, timers: Timers) {
    this.#port = port;
    this.#timers = timers;
  }

  /**
   * Kills everything at once. All are stopped first, so that none starts another, and sockets are destroyed while they
   * still have a process: older kernels can't destroy others. Returns what could not be done, in words; never rejects.
   */
  async kill(endpoint: LocalEndpoint): Promise<string | undefined> {
    try {
      await this.#stopAll(endpoint);
      const problem = this.#destroySockets(endpoint);
      const left = await this.#killAll(endpoint);
      // Those that were left to the kernel, for instance a time-wait.
      const later = this.#destroySockets(endpoint);
      return left ?? later ?? problem;
    } catch (error) {
      return `${endpoint.name}: its former life could not be ended: ${(error as Error).message}`;
    }
  }

  /** Asks everything to end, and waits for it. Returns how many have not ended in time. */
  async ask(endpoint: LocalEndpoint): Promise<number> {
    for (let waited = 0; ; waited += LOOK_MS) {
      const found = await this.#port.find(endpoint);
      if (found.length === 0 || waited >= TERM_MS) return found.length;
      // Once: what is started later, to end others, is not asked.
      if (waited === 0) this.#port.signal(endpoint, found, 'SIGTERM');
      await this.#pause(LOOK_MS);
    }
  }

  async #stopAll(endpoint: LocalEndpoint): Promise<void> {
    const stopped = new Set<number>();
    let quiet = 0;
    for (let pass = 0; pass < STOP_PASSES && quiet < QUIET_LOOKS; pass++) {
      const running = (await this.#port.find(endpoint)).filter((pid) => !stopped.has(pid));
      quiet = running.length === 0 ? quiet + 1 : 0;
      this.#port.signal(endpoint, running, 'SIGSTOP');
      for (const pid of running) stopped.add(pid);
    }
  }

  async #killAll(endpoint: LocalEndpoint): Promise<string | undefined> {
    let found: number[] = [];
    let quiet = 0;
    for (let pass = 0; pass < KILL_PASSES; pass++) {
      found = await this.#port.find(endpoint);
      quiet = found.length === 0 ? quiet + 1 : 0;
      if (quiet === QUIET_LOOKS) return undefined;
      this.#port.signal(endpoint, found, 'SIGKILL');
      if (found.length > 0) await this.#pause(KILL_MS);
    }
    const some = found.slice(0, 5).join(' ');
    return `${endpoint.name}: ${found.length} of its processes can't be killed: ${some}`;
  }

  #destroySockets(endpoint: LocalEndpoint): string | undefined {
    try {
      this.#port.destroySockets(endpoint);
      return undefined;
    } catch (error) {
      return `${endpoint.name}: sockets of its former life may remain: ${(error as Error).message}`;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#timers.after(ms, resolve));
  }
}
