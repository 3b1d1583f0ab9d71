/**
 * How much gossip is taken of each neighbour, before it is decoded and before signatures are verified: a signature takes a
 * hundred times as long as all other checks. What publishers may send is checked afterwards (exchange/peer-limits.ts),
 * when it is known who they are.
 */
import { MAX_GOSSIP_BYTES, MAX_HOSTS } from '../wire/limits.ts';
import { type Rejection, reject } from '../wire/rejections.ts';
import { TokenBucket } from '../wire/token-bucket.ts';

/** A neighbour forwards what other members may publish (`GOSSIP_PER_SECOND`), also that of one who floods. */
export const MESSAGES_PER_SECOND = 150;
/** An agent sends a message a tick and a heartbeat, and its neighbours may forward it. */
export const MESSAGES_PER_HOST = 25;
/** What waited while this process paused. */
const BURST_SECONDS = 5;
/** A thousand flows that change in every tick are 100 KB/s; of each host, since neighbours forward. */
export const BYTES_PER_HOST = 1 << 20;
/** Whole tables, which an agent sends to all when it joins many hosts. */
const BYTES_BURST = 16 * MAX_GOSSIP_BYTES;

interface Allowance {
  hosts: number;
  readonly frames: TokenBucket;
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
}

export class EdgeLimits {
  readonly #now: () => number;
  readonly #hosts: () => number;
  readonly #neighbours = new Map<string, Allowance>();

  /** `hosts`: how many are known. */
  constructor(now: () => number, hosts: () => number) {
    this.#now = now;
    this.#hosts = hosts;
  }

  /** For a frame that has arrived; one that is refused is not decoded. */
  refuseFrame(peer: string, length: number): Rejection | undefined {
    const now = this.#now();
    const { frames, bytes } = this.#of(peer);
    if (frames.left(now) < 1) return reject('GOSSIP_RATE', 'more frames than all hosts may send');
    if (bytes.left(now) < length) return reject('GOSSIP_RATE', 'more bytes than all hosts may send');
    frames.spend(1);
    bytes.spend(length);
    return undefined;
  }

  /** How many of a frame's messages are taken. */
  take(peer: string, messages: number): number {
    const bucket = this.#of(peer).messages;
    const taken = Math.min(messages, Math.max(0, Math.floor(bucket.left(this.#now()))));
    bucket.spend(taken);
    return taken;
  }

  #of(peer: string): Allowance {
    const hosts = Math.min(MAX_HOSTS, Math.max(1, this.#hosts()));
    const now = this.#now();
    const rate = MESSAGES_PER_SECOND + MESSAGES_PER_HOST * hosts;
    const burst = rate * BURST_SECONDS;
    let known = this.#neighbours.get(peer);
    if (!known) {
      // Neighbours have connections, which are limited: this is for those that come and go.
      if (this.#neighbours.size >= MAX_HOSTS) this.#neighbours.delete(this.#neighbours.keys().next().value!);
      known = {
        hosts,
        frames: new TokenBucket(rate, burst, now),
        messages: new TokenBucket(rate, burst, now),
        bytes: new TokenBucket(BYTES_PER_HOST * hosts, BYTES_BURST, now),
      };
      this.#neighbours.set(peer, known);
    } else if (known.hosts !== hosts) {
      known.hosts = hosts;
      known.frames.change(rate, burst, now);
      known.messages.change(rate, burst, now);
      known.bytes.change(BYTES_PER_HOST * hosts, BYTES_BURST, now);
    }
    return known;
  }
}
