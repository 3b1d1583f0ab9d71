/** An agent's end of a network in memory: gossip from neighbour to neighbour, requests and answers. */
import type { MeshTransport, RequestKind, TransportHandlers } from '../../agent/mesh/wire/transport.ts';

/** Gossip that was published; `id` counts them. */
export interface Published {
  readonly id: number;
  readonly from: string;
  readonly bytes: Uint8Array;
}

/** What carries the bytes of all transports (memory-network.ts). */
export interface MemoryMedium {
  /** How much was sent, by kind. */
  readonly sent: Record<'gossip' | 'dial' | RequestKind, { messages: number; bytes: number }>;
  add(transport: MemoryTransport): void;
  remove(transport: MemoryTransport): void;
  find(id: string): MemoryTransport | undefined;
  /** Whether a message from one to the other would arrive if it weren't lost. */
  joins(from: string, to: string): boolean;
  note(from: string, bytes: Uint8Array): Published;
  /** Delivers after a delay, or not at all. */
  carry(
    from: string,
    to: string,
    kind: 'gossip' | 'dial' | RequestKind,
    bytes: number,
    deliver: (receiver: MemoryTransport) => void,
  ): void;
  timeout(run: () => void): () => void;
  /** Some of `peers`. */
  pick(peers: readonly string[], count: number): string[];
}

/** With up to so many neighbours, gossip is forwarded to all; with more, to so many chosen ones, and to those that chose this agent. */
const ALL_PASS_ON = 4;
const CHOSEN = 2;
/** Ids of seen messages are remembered in two sets of this size: more than are ever under way. */
const SEEN_AT_ONCE = 20_000;

export class MemoryTransport implements MeshTransport {
  readonly selfId: string;
  readonly addresses: readonly string[];
  readonly #network: MemoryMedium;
  readonly #neighbours = new Set<string>();
  /** The peers to which gossip is forwarded, as in gossipsub's mesh: in both directions. */
  readonly #mesh = new Set<string>();
  /** The peers to which connections are kept, if not to all; and the peers with a known address. */
  #chosen: ReadonlySet<string> | undefined;
  readonly #book = new Set<string>();
  #seen = new Set<number>();
  #seenBefore = new Set<number>();
  readonly #held: (() => void)[] = [];
  #handlers: TransportHandlers | undefined;
  #paused = false;

  constructor(id: string, network: MemoryMedium) {
    this.selfId = id;
    this.addresses = [`/memory/${id}`];
    this.#network = network;
  }

  /** Peers that receive gossip from this one. */
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

  /** Ends without sending anything. */
  kill(): void {
    this.#handlers = undefined;
    this.#network.remove(this);
  }

  /** Stops as by SIGSTOP: arriving messages wait. */
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
    const published = this.#network.note(this.selfId, bytes);
    this.#see(published.id);
    for (const peer of this.#neighbours) this.#gossip(peer, published);
  }

  async request(kind: RequestKind, peer: string, question: () => Uint8Array): Promise<Uint8Array> {
    const network = this.#network;
    if (!this.#neighbours.has(peer)) {
      if (!this.#book.has(peer)) throw new Error(`${peer} is not known`);
      network.sent.dial.messages++;
    }
    const bytes = question();
    return new Promise((resolve, reject) => {
      const cancel = network.timeout(() => reject(new Error(`${peer} does not answer`)));
      network.carry(this.selfId, peer, kind, bytes.length, (receiver) => {
        const answer = receiver.#handlers?.onRequest(kind, bytes, this.selfId);
        if (answer === undefined) return;
        network.carry(peer, this.selfId, kind, answer.length, () => {
          cancel();
          resolve(answer);
        });
      });
    });
  }

  async connect(address: string): Promise<void> {
    const peer = address.replace('/memory/', '');
    if (!this.#network.joins(this.selfId, peer)) throw new Error(`${peer} can't be reached`);
    this.#book.add(peer);
    this.#join(peer);
  }

  learn(peer: string, addresses: readonly string[]): void {
    if (addresses.length === 0) {
      this.#neighbours.delete(peer);
      this.#book.delete(peer);
    } else {
      this.#book.add(peer);
      if (this.#chosen?.has(peer) ?? true) this.#reach(peer);
    }
  }

  choose(peers: ReadonlySet<string> | undefined): void {
    this.#chosen = peers;
    for (const peer of this.#neighbours) if (peers && !peers.has(peer)) this.#part(peer);
    for (const peer of peers ?? this.#book) if (this.#book.has(peer)) this.#reach(peer);
  }

  /** If the other end wants to keep the connection, it stays. */
  #part(peer: string): void {
    const other = this.#network.find(peer);
    if (other && (other.#chosen?.has(this.selfId) ?? true)) return;
    this.#neighbours.delete(peer);
    if (other) other.#neighbours.delete(this.selfId);
  }

  #reach(peer: string): void {
    if (this.#network.joins(this.selfId, peer)) this.#join(peer);
  }

  #join(peer: string): void {
    const other = this.#network.find(peer);
    if (!other || this.#neighbours.has(peer)) return;
    this.#neighbours.add(peer);
    other.#neighbours.add(this.selfId);
    this.#passedOnTo();
    this.#handlers?.onPeer(peer);
    other.#handlers?.onPeer(this.selfId);
  }

  #gossip(to: string, published: Published): void {
    const { length } = published.bytes;
    this.#network.carry(this.selfId, to, 'gossip', length, (receiver) =>
      receiver.#onGossip(published, this.selfId),
    );
  }

  #onGossip(published: Published, via: string): void {
    this.#handlers?.onHeard?.(via);
    if (this.#isSeen(published.id) || !this.#handlers) return;
    this.#see(published.id);
    if (!this.#handlers.onGossip(published.bytes, published.from)) return;
    for (const peer of this.#passedOnTo())
      if (peer !== published.from && peer !== via) this.#gossip(peer, published);
  }

  #passedOnTo(): ReadonlySet<string> {
    if (this.#neighbours.size <= ALL_PASS_ON) return this.#neighbours;
    for (const peer of this.#mesh) if (!this.#neighbours.has(peer)) this.#mesh.delete(peer);
    while (this.#mesh.size < CHOSEN) {
      const [peer] = this.#network.pick(
        [...this.#neighbours].filter((one) => !this.#mesh.has(one)),
        1,
      );
      this.#mesh.add(peer!);
      this.#network.find(peer!)?.graft(this.selfId);
    }
    return this.#mesh;
  }

  graft(peer: string): void {
    this.#mesh.add(peer);
  }

  #isSeen(id: number): boolean {
    return this.#seen.has(id) || this.#seenBefore.has(id);
  }

  #see(id: number): void {
    this.#seen.add(id);
    if (this.#seen.size < SEEN_AT_ONCE) return;
    this.#seenBefore = this.#seen;
    this.#seen = new Set();
  }
}
