/**
 * How many messages and requests are accepted of each peer: token buckets. Messages beyond that are ignored; digests
 * repair the difference.
 */

import { MAX_ALL_COMMANDS } from '../../../proto/command.ts';
import { MAX_HOSTS, MAX_STATE_BYTES } from '../wire/limits.ts';
import { type Rejection, reject } from '../wire/rejections.ts';
import { TokenBucket } from '../wire/token-bucket.ts';
import type { RequestKind } from '../wire/transport.ts';

/** An agent sends at most one message a tick and a heartbeat: 21 a second. The rest is for shorter ticks. */
export const GOSSIP_PER_SECOND = 100;
/** Messages that waited while this process or the network paused arrive at once; digests repair what exceeds this. */
export const GOSSIP_BURST = 500;
/** A thousand flows that change in every tick are 100 KB/s. */
export const BYTES_PER_SECOND = 1 << 20;
/** Two whole tables of the largest size. */
export const BYTES_BURST = 2 * MAX_STATE_BYTES;
/** Of each kind. A repair needs one, the first contact of two clocks a few. */
export const QUESTIONS_PER_SECOND = 8;

/**
 * Of commands that are not known, each of which has a signature to verify: 0.1 ms. A script gives some ten a second; an agent
 * that joins takes all that there are from one peer.
 */
export const COMMANDS_PER_SECOND = 100;
export const COMMANDS_BURST = MAX_ALL_COMMANDS + COMMANDS_PER_SECOND;

interface Allowance {
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  readonly commands: TokenBucket;
  readonly questions: Readonly<Record<RequestKind, TokenBucket>>;
}

export class PeerLimits {
  readonly #now: () => number;
  readonly #peers = new Map<string, Allowance>();
  /** Shared by all peers for which there is no room: peer ids cost nothing. */
  readonly #others: Allowance;

  constructor(now: () => number) {
    this.#now = now;
    this.#others = this.#full();
  }

  /** How many peers have an allowance of their own. */
  get size(): number {
    return this.#peers.size;
  }

  /** Spends `bytes` of the publisher's allowance for a gossiped message, or refuses the message. */
  refuseGossip(peer: string, bytes: number): Rejection | undefined {
    const now = this.#now();
    const { messages, bytes: volume } = this.#of(peer);
    if (messages.left(now) < 1)
      return reject('GOSSIP_RATE', `more than ${GOSSIP_PER_SECOND} messages a second`);
    if (volume.left(now) < bytes)
      return reject('GOSSIP_RATE', `more than ${BYTES_PER_SECOND} bytes a second`);
    messages.spend(1);
    volume.spend(bytes);
    return undefined;
  }

  /** Spends the peer's allowance for commands, or refuses all of them. */
  refuseCommands(peer: string, count: number): Rejection | undefined {
    if (count === 0) return undefined;
    const { commands } = this.#of(peer);
    if (commands.left(this.#now()) < count)
      return reject('COMMAND_RATE', `more than ${COMMANDS_PER_SECOND} commands a second`);
    commands.spend(count);
    return undefined;
  }

  refuseQuestion(kind: RequestKind, peer: string): Rejection | undefined {
    const questions = this.#of(peer).questions[kind];
    if (questions.left(this.#now()) < 1)
      return reject('REQUEST_RATE', `more than ${QUESTIONS_PER_SECOND} questions a second`);
    questions.spend(1);
    return undefined;
  }

  /** Whether another whole table may be accepted of the peer now. */
  mayAsk(peer: string): boolean {
    return this.#of(peer).bytes.left(this.#now()) > 0;
  }

  /** Spends the peer's allowance for a whole table, whatever its size. */
  took(peer: string, bytes: number): void {
    this.#of(peer).bytes.spend(bytes);
  }

  #of(peer: string): Allowance {
    const known = this.#peers.get(peer);
    if (known) return known;
    if (this.#peers.size >= MAX_HOSTS) this.#forgetIdle();
    if (this.#peers.size >= MAX_HOSTS) return this.#others;
    const fresh = this.#full();
    this.#peers.set(peer, fresh);
    return fresh;
  }

  /** A peer with a full allowance has sent nothing recently, so it loses nothing. */
  #forgetIdle(): void {
    const now = this.#now();
    for (const [peer, { messages, bytes, commands, questions }] of this.#peers) {
      const buckets = [messages, bytes, commands, questions.state, questions.clock];
      if (buckets.every((bucket) => bucket.isFull(now))) this.#peers.delete(peer);
    }
  }

  #full(): Allowance {
    const now = this.#now();
    return {
      messages: new TokenBucket(GOSSIP_PER_SECOND, GOSSIP_BURST, now),
      bytes: new TokenBucket(BYTES_PER_SECOND, BYTES_BURST, now),
      commands: new TokenBucket(COMMANDS_PER_SECOND, COMMANDS_BURST, now),
      questions: {
        state: new TokenBucket(QUESTIONS_PER_SECOND, QUESTIONS_PER_SECOND, now),
        clock: new TokenBucket(QUESTIONS_PER_SECOND, QUESTIONS_PER_SECOND, now),
      },
    };
  }
}
