/** The processes and sockets of endpoints on this machine. */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Timers } from '../clock/clock.ts';
import { destroyTcpSockets } from '../kernel/netlink/tcp-sockets-of-namespace.ts';
import {
  allProcesses,
  environmentOf,
  isWhollyIn,
  networkAt,
  networkOf,
} from '../kernel/sys/process-table.ts';
import { LIFE, lifeOf } from './environment.ts';
import type { LifePort } from './former-life.ts';

/** So many processes are looked at before other work has its turn; each takes some hundredths of a millisecond. */
const AT_ONCE = 128;

/** The processes that one look has found, by network namespace and by mark. */
interface Look {
  readonly networks: ReadonlyMap<string, readonly number[]>;
  readonly lives: ReadonlyMap<string, readonly number[]>;
}

export class Inhabitants implements LifePort {
  readonly #experiment: string;
  readonly #timers: Timers;
  /** Hundreds of endpoints may crash at once: they share a look. */
  #next: Promise<Look> | undefined;

  constructor(experiment: string, timers: Timers) {
    this.#experiment = experiment;
    this.#timers = timers;
  }

  async find(endpoint: LocalEndpoint): Promise<number[]> {
    this.#next ??= this.#look();
    const { networks, lives } = await this.#next;
    const inside = endpoint.outlivesAgent ? [] : (networks.get(networkAt(endpoint.namespace)) ?? []);
    const marked = lives.get(lifeOf(this.#experiment, endpoint.name)) ?? [];
    return [...new Set([...inside, ...marked])].filter((pid) => this.#isOf(endpoint, pid));
  }

  signal(endpoint: LocalEndpoint, pids: Iterable<number>, signal: NodeJS.Signals): void {
    for (const pid of pids) if (this.#isOf(endpoint, pid)) send(pid, signal);
  }

  /** None in a namespace that was there before: other programs have theirs in it. */
  destroySockets({ namespace, outlivesAgent }: LocalEndpoint): void {
    if (!outlivesAgent && networkAt(namespace) !== '') destroyTcpSockets(namespace);
  }

  /** Asked again before each signal, since numbers are used again. */
  #isOf({ name, namespace, outlivesAgent }: LocalEndpoint, pid: number): boolean {
    if (pid === process.pid) return false;
    if (!outlivesAgent && isWhollyIn(pid, networkAt(namespace))) return true;
    return environmentOf(pid).get(LIFE) === lifeOf(this.#experiment, name);
  }

  async #look(): Promise<Look> {
    await this.#timers.turn();
    // Who asks from now on wants to know what happens from now on.
    this.#next = undefined;
    const networks = new Map<string, number[]>();
    const lives = new Map<string, number[]>();
    for (const [index, pid] of allProcesses().entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await this.#timers.turn();
      note(networks, networkOf(pid), pid);
      note(lives, environmentOf(pid).get(LIFE), pid);
    }
    return { networks, lives };
  }
}

function note(found: Map<string, number[]>, key: string | undefined, pid: number): void {
  if (key === undefined || key === '') return;
  const others = found.get(key);
  if (others) others.push(pid);
  else found.set(key, [pid]);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
