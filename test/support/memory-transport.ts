/**
 * A mesh's network in memory: gossip from neighbour to neighbour, questions and answers, with loss, delay, partitions
 * and stopped processes. The same seed gives the same run.
 */
import type { Clock, Timers } from '../../agent/clock.ts';
import {
  type MeshTransport,
  REQUEST_TIMEOUT_MS,
  type RequestKind,
  type TransportHandlers,
} from '../../agent/mesh/transport.ts';
import { type Random, seededRandom } from './random.ts';

export interface MemoryNetworkOptions {
  readonly clock: Clock & Timers;
  readonly seed: number;
  /** Chance that a message, question or answer is lost. */
  loss?: number;
  /** Time on the way; it is drawn for each, so messages overtake each other. */
  delayMs?: Delay;
}

/** The least and the greatest, or what gives them for a direction. */
export type Delay = readonly [number, number] | ((from: string, to: string) => readonly [number, number]);

/** To how many neighbours gossip is passed on. */
const FORWARD_TO = 3;

export class MemoryNetwork {
  loss: number;
  delayMs: Delay;
  /** Everything that was published, for tests that play it again. */
  readonly published: { readonly from: string; readonly bytes: Uint8Array }[] = [];
  /** How many messages were sent from one to another, or passed on. */
  gossiped = 0;
  readonly #clock: Clock & Timers;
  readonly #random: Random;
  readonly #transports = new Map<string, MemoryTransport>();
  #groups: ReadonlySet<string>[] = [];

  constructor({ clock, seed, loss = 0, delayMs = [1, 1] }: MemoryNetworkOptions) {
    this.#clock = clock;
    this.#random = seededRandom(seed);
    this.loss = loss;
    this.delayMs = delayMs;
  }

  transport(id: string): MemoryTransport {
    return new MemoryTransport(id, this);
  }

  /** From now on, only members of the same group hear each other. */
  partition(...groups: (readonly string[])[]): void {
    this.#groups = groups.map((group) => new Set(group));
  }

  heal(): void {
    this.#groups = [];
  }

  add(transport: MemoryTransport): void {
    this.#transports.set(transport.selfId, transport);
  }

  remove(transport: MemoryTransport): void {
    if (this.#transports.get(transport.selfId) === transport) this.#transports.delete(transport.selfId);
  }

  find(id: string): MemoryTransport | undefined {
    return this.#transports.get(id);
  }

  /** Whether a message from one to the other would get through if it weren't lost. */
  joins(from: string, to: string): boolean {
    if (!this.#transports.has(to)) return false;
    return this.#groups.length === 0 || this.#groups.some((group) => group.has(from) && group.has(to));
  }

  /** Delivers after a delay, or never. */
  carry(from: string, to: string, deliver: (receiver: MemoryTransport) => void): void {
    if (this.#random.next() < this.loss) return;
    const [least, greatest] = typeof this.delayMs === 'function' ? this.delayMs(from, to) : this.delayMs;
    this.#clock.after(least + this.#random.next() * (greatest - least), () => {
      const receiver = this.#transports.get(to);
      if (receiver && this.joins(from, to)) receiver.receive(() => deliver(receiver));
    });
  }

  timeout(run: () => void): () => void {
    return this.#clock.after(REQUEST_TIMEOUT_MS, run);
  }

  /** Some of `peers`. */
  pick(peers: readonly string[], count: number): string[] {
    const rest = [...peers];
    return Array.from(
      { length: Math.min(count, rest.length) },
      () => rest.splice(this.#random.below(rest.length), 1)[0]!,
    );
  }
}

export class MemoryTransport implements MeshTransport {
  readonly selfId: string;
  readonly addresses: readonly string[];
  readonly #network: MemoryNetwork;
  readonly #neighbours = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #held: (() => void)[] = [];
  #handlers: TransportHandlers | undefined;
  #published = 0;
  #paused = false;

  constructor(id: string, network: MemoryNetwork) {
    this.selfId = id;
    this.addresses = [`/memory/${id}`];
    this.#network = network;
  }

  /** Peers that gossip goes to. */
  get neighbours(): readonly string[] {
    return [...this.#neighbours];
  }

  async start(handlers: TransportHandlers): Promise<void> {
    this.#handlers = handlers;
    this.#network.add(this);
  }

  async stop(): Promise<void> {
    this.kill();
  }

  /** Ends without a word. */
  kill(): void {
    this.#handlers = undefined;
    this.#network.remove(this);
  }

  /** Stops as by SIGSTOP: what arrives waits. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const deliver of this.#held.splice(0)) deliver();
  }

  receive(deliver: () => void): void {
    if (this.#paused) this.#held.push(deliver);
    else deliver();
  }

  publish(bytes: Uint8Array): void {
    if (!this.#handlers) return;
    const id = `${this.selfId} ${this.#published++} ${this.#network.published.length}`;
    this.#network.published.push({ from: this.selfId, bytes });
    this.#seen.add(id);
    for (const peer of this.#neighbours) this.#gossip(peer, id, this.selfId, bytes);
  }

  async request(kind: RequestKind, peer: string, question: () => Uint8Array): Promise<Uint8Array> {
    if (!this.#neighbours.has(peer)) throw new Error(`${peer} is not known`);
    const bytes = question();
    return new Promise((resolve, reject) => {
      const cancel = this.#network.timeout(() => reject(new Error(`${peer} does not answer`)));
      this.#network.carry(this.selfId, peer, (receiver) => {
        const answer = receiver.#handlers?.onRequest(kind, bytes, this.selfId);
        if (answer === undefined) return;
        this.#network.carry(peer, this.selfId, () => {
          cancel();
          resolve(answer);
        });
      });
    });
  }

  async connect(address: string): Promise<void> {
    const peer = address.replace('/memory/', '');
    if (!this.#network.joins(this.selfId, peer)) throw new Error(`${peer} can't be reached`);
    this.#join(peer);
  }

  learn(peer: string, addresses: readonly string[]): void {
    if (addresses.length === 0) this.#neighbours.delete(peer);
    else if (this.#network.joins(this.selfId, peer)) this.#join(peer);
  }

  #join(peer: string): void {
    const other = this.#network.find(peer);
    if (!other || this.#neighbours.has(peer)) return;
    this.#neighbours.add(peer);
    other.#neighbours.add(this.selfId);
    this.#handlers?.onPeer(peer);
    other.#handlers?.onPeer(this.selfId);
  }

  #gossip(to: string, id: string, publisher: string, bytes: Uint8Array): void {
    this.#network.gossiped++;
    this.#network.carry(this.selfId, to, (receiver) => receiver.#onGossip(id, publisher, bytes, this.selfId));
  }

  #onGossip(id: string, publisher: string, bytes: Uint8Array, from: string): void {
    this.#handlers?.onHeard?.(from);
    if (this.#seen.has(id) || !this.#handlers) return;
    this.#seen.add(id);
    if (!this.#handlers.onGossip(bytes, publisher)) return;
    const others = [...this.#neighbours].filter((peer) => peer !== publisher && peer !== from);
    for (const peer of this.#network.pick(others, FORWARD_TO)) this.#gossip(peer, id, publisher, bytes);
  }
}
