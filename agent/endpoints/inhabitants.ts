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
import type { EndpointGroups } from './endpoint-groups.ts';
import { LIFE, lifeOf } from './environment.ts';
import type { LifePort } from './former-life.ts';

/** So many processes are looked at before other work has its turn; each takes some hundredths of a millisecond. */
const AT_ONCE = 128;

/** What one look has found: processes by what they have been asked for. */
type Look = ReadonlyMap<string, readonly number[]>;

/** Hundreds of endpoints may crash at once: they share a look. */
class SharedLook {
  readonly #timers: Timers;
  readonly #keyOf: (pid: number) => string;
  #next: Promise<Look> | undefined;

  constructor(timers: Timers, keyOf: (pid: number) => string) {
    this.#timers = timers;
    this.#keyOf = keyOf;
  }

  async find(key: string): Promise<readonly number[]> {
    this.#next ??= this.#look();
    return (await this.#next).get(key) ?? [];
  }

  async #look(): Promise<Look> {
    await this.#timers.turn();
    // Who asks from now on wants to know what happens from now on.
    this.#next = undefined;
    const found = new Map<string, number[]>();
    for (const [index, pid] of allProcesses().entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await this.#timers.turn();
      note(found, this.#keyOf(pid), pid);
    }
    return found;
  }
}

export class Inhabitants implements LifePort {
  readonly #experiment: string;
  readonly #groups: Pick<EndpointGroups, 'processes' | 'standing'>;
  readonly #networks: SharedLook;
  readonly #lives: SharedLook;

  constructor(experiment: string, timers: Timers, groups: Pick<EndpointGroups, 'processes' | 'standing'>) {
    this.#experiment = experiment;
    this.#groups = groups;
    this.#networks = new SharedLook(timers, networkOf);
    this.#lives = new SharedLook(timers, (pid) => environmentOf(pid).get(LIFE) ?? '');
  }

  async find(endpoint: LocalEndpoint): Promise<number[]> {
    const inside = endpoint.outlivesAgent ? [] : this.#networks.find(networkAt(endpoint.namespace));
    const marked = this.#hasGroup(endpoint) ? [] : this.#lives.find(lifeOf(this.#experiment, endpoint.name));
    const found = (await Promise.all([inside, marked])).flat();
    const grouped = this.#grouped(endpoint);
    const others = found.filter((pid) => !grouped.has(pid));
    return [...grouped, ...new Set(others.filter((pid) => this.#isOf(endpoint, pid)))];
  }

  signal(endpoint: LocalEndpoint, pids: Iterable<number>, signal: NodeJS.Signals): void {
    const grouped = this.#grouped(endpoint);
    for (const pid of pids) if (grouped.has(pid) || this.#isOf(endpoint, pid)) send(pid, signal);
  }

  /**
   * All that it has started is in its group then, and nobody's environment is read: a process that forks for ever holds the
   * lock that this takes (mmap_lock), for seconds on a crowded processor, and the agent would wait for it.
   */
  #hasGroup({ name }: LocalEndpoint): boolean {
    return this.#groups.standing(name) !== undefined;
  }

  /** Those in its control group, if it has one: wherever they have gone, and whatever they call themselves. */
  #grouped({ name }: LocalEndpoint): Set<number> {
    return new Set(this.#groups.processes(name).filter((pid) => pid !== process.pid));
  }

  /** None in a namespace that was there before: other programs have theirs in it. */
  destroySockets({ namespace, outlivesAgent }: LocalEndpoint): void {
    if (!outlivesAgent && networkAt(namespace) !== '') destroyTcpSockets(namespace);
  }

  /** Asked again before each signal, since numbers are used again. */
  #isOf(endpoint: LocalEndpoint, pid: number): boolean {
    const { name, namespace, outlivesAgent } = endpoint;
    if (pid === process.pid) return false;
    if (!outlivesAgent && isWhollyIn(pid, networkAt(namespace))) return true;
    if (this.#hasGroup(endpoint)) return false;
    return environmentOf(pid).get(LIFE) === lifeOf(this.#experiment, name);
  }
}

function note(found: Map<string, number[]>, key: string, pid: number): void {
  if (key === '') return;
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
