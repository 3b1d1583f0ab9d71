/**
 * A mesh's network in memory, with loss, delay, partitions and stopped processes. The same seed gives the same run.
 * Everything that agents send is counted by kind.
 */
import type { Clock, Timers } from '../../agent/clock/clock.ts';
import { REQUEST_TIMEOUT_MS, type RequestKind } from '../../agent/mesh/wire/transport.ts';
import { SeededRandom } from '../../topology/model/random.ts';
import { type MemoryMedium, MemoryTransport, type Published } from './memory-transport.ts';

export interface MemoryNetworkOptions {
  readonly clock: Clock & Timers;
  readonly seed: number;
  /** Probability that a message, request or answer is lost. */
  loss?: number;
  /** Latency, drawn for each message, so messages overtake each other. */
  delayMs?: Delay;
  /** Whether `published` keeps what was published. Default: yes. */
  keepsPublished?: boolean;
}

/** The least and the greatest latency, or a function that gives them for a direction. */
export type Delay = readonly [number, number] | ((from: string, to: string) => readonly [number, number]);

/** What was sent from one agent to another; `dial`: a connection that was made for a request, without bytes. */
export type Sent = Record<'gossip' | 'dial' | RequestKind, { messages: number; bytes: number }>;

export class MemoryNetwork implements MemoryMedium {
  loss: number;
  delayMs: Delay;
  /** Everything that was published, for tests that replay it. */
  readonly published: Published[] = [];
  readonly sent: Sent = {
    gossip: { messages: 0, bytes: 0 },
    state: { messages: 0, bytes: 0 },
    clock: { messages: 0, bytes: 0 },
    dial: { messages: 0, bytes: 0 },
  };
  readonly #clock: Clock & Timers;
  readonly #random: SeededRandom;
  readonly #keepsPublished: boolean;
  readonly #transports = new Map<string, MemoryTransport>();
  #groups: ReadonlySet<string>[] = [];
  #count = 0;

  constructor({ clock, seed, loss = 0, delayMs = [1, 1], keepsPublished = true }: MemoryNetworkOptions) {
    this.#clock = clock;
    this.#random = new SeededRandom(seed);
    this.#keepsPublished = keepsPublished;
    this.loss = loss;
    this.delayMs = delayMs;
  }

  /** How many messages were sent from one agent to another, or forwarded. */
  get gossiped(): number {
    return this.sent.gossip.messages;
  }

  transport(id: string): MemoryTransport {
    return new MemoryTransport(id, this);
  }

  /** From now on, only members of the same group can reach each other. */
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

  joins(from: string, to: string): boolean {
    if (!this.#transports.has(to)) return false;
    return this.#groups.length === 0 || this.#groups.some((group) => group.has(from) && group.has(to));
  }

  note(from: string, bytes: Uint8Array): Published {
    const published = { id: this.#count++, from, bytes };
    if (this.#keepsPublished) this.published.push(published);
    return published;
  }

  carry(from: string, to: string, kind: keyof Sent, bytes: number, deliver: Deliver): void {
    this.sent[kind].messages++;
    this.sent[kind].bytes += bytes;
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

  pick(peers: readonly string[], count: number): string[] {
    const rest = [...peers];
    return Array.from(
      { length: Math.min(count, rest.length) },
      () => rest.splice(this.#random.below(rest.length), 1)[0]!,
    );
  }
}

type Deliver = (receiver: MemoryTransport) => void;
