/**
 * Finds the agents of an experiment whose machines start alike: behind one name of DNS are the addresses of all, as behind
 * `tasks.SERVICE` of Docker Swarm and behind a headless service of Kubernetes. The agent of this machine is told those that it was not
 * told yet, again and again: agents come and move.
 */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { callJson } from '../../proto/http-json.ts';
import { type MeshAddress, multiaddrOf } from '../mesh-address.ts';
import { agentSocket } from '../names.ts';

/** Agents that start together find each other within this time; later on one comes now and then. */
const SOON_MS = 1000;
const LATER_MS = 10_000;
/** So long it is soon. */
const SOON_FOR_MS = 60_000;

export interface FinderPorts {
  /** All addresses behind a name; rejects if there is none yet. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
  /** This machine's. */
  readonly own: () => readonly string[];
  /** Rejects while the agent restarts. */
  readonly tell: (addresses: readonly string[]) => Promise<void>;
}

export class AgentFinder {
  readonly #find: MeshAddress;
  readonly #ports: FinderPorts;
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #startedAt = 0;

  /** `host`: of this machine. `find`: the name, and the port that all listen at. */
  constructor(experiment: string, host: string, find: MeshAddress, ports: Partial<FinderPorts> = {}) {
    this.#find = find;
    this.#ports = { resolve: addressesOf, own: ownAddresses, tell: tellAgent(experiment, host), ...ports };
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#again(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #again(ms: number): void {
    this.#timer = setTimeout(async () => {
      const { length } = await this.look();
      if (this.#timer === undefined) return;
      const isSoon = length > 0 || performance.now() - this.#startedAt < SOON_FOR_MS;
      this.#again(isSoon ? SOON_MS : LATER_MS);
    }, ms);
  }

  /** Tells the agent what is new; returns it. Never rejects. */
  async look(): Promise<readonly string[]> {
    const { resolve, own, tell } = this.#ports;
    const found = await resolve(this.#find.address).catch((): string[] => []);
    const mine = new Set(own());
    const fresh = found.filter((address) => !mine.has(address) && !this.#told.has(address));
    if (fresh.length === 0) return [];
    const { port } = this.#find;
    try {
      await tell(fresh.map((address) => multiaddrOf({ address, port })));
    } catch {
      return [];
    }
    for (const address of fresh) this.#told.add(address);
    return fresh;
  }
}

const addressesOf = async (name: string): Promise<string[]> =>
  (await lookup(name, { all: true })).map(({ address }) => address);

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address));

const tellAgent =
  (experiment: string, host: string) =>
  async (addresses: readonly string[]): Promise<void> => {
    await callJson(`unix:${agentSocket(experiment, host)}`, '/peers', { addresses });
  };
