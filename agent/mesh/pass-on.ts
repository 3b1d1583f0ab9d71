/**
 * Whether others are to get from here what was heard. News always; heartbeats only where somebody misses some, because
 * every agent sends its own to all that it is connected to: passing them on as well was two thirds of all traffic.
 */
import { type AgentMessage, isHeartbeat } from './codec.ts';
import type { MeshHost } from './model.ts';

/**
 * In heartbeats: a host that was not heard from itself for this long is missed, and its heartbeats are asked of others.
 * Then they are here within another heartbeat and a quarter, before it would be dropped.
 */
const MISSED_AFTER = 1.25;
/** In heartbeats: for this long a host's heartbeats are passed on, so that those that can't connect to it hear of it. */
const NEW_FOR = 10;

export interface PassOnOptions {
  readonly heartbeatMs: number;
  readonly silentAfterMs: number;
}

interface Hearing {
  readonly since: number;
  /** When something came from it without anybody in between. */
  direct: number;
}

export class PassOn {
  readonly #options: PassOnOptions;
  readonly #hearings = new Map<string, Hearing>();
  /** Until when others' heartbeats are passed on. */
  #until = Number.NEGATIVE_INFINITY;
  #checkedAt = Number.POSITIVE_INFINITY;
  /** Whether this agent misses what some host says itself, and has the others pass on what they hear. */
  asked = false;

  constructor(options: PassOnOptions) {
    this.#options = options;
  }

  /** Gossip came from `peer` itself, whoever published it. */
  heard(peer: string, now: number): void {
    const hearing = this.#hearings.get(peer);
    if (hearing) hearing.direct = now;
  }

  /** To be called several times in a heartbeat. True where somebody is missed as of now, which is to be said at once. */
  check(hosts: readonly MeshHost[], now: number): boolean {
    const { heartbeatMs } = this.#options;
    // If this agent didn't run for a while, the others were not silent: it was deaf.
    const wasDeaf = now - this.#checkedAt > heartbeatMs;
    this.#checkedAt = now;
    const peers = new Set(hosts.filter(({ self }) => !self).map(({ peer }) => peer));
    for (const peer of this.#hearings.keys()) if (!peers.has(peer)) this.#hearings.delete(peer);
    for (const peer of peers)
      if (!this.#hearings.has(peer)) this.#hearings.set(peer, { since: now, direct: now });
    const hearings = [...this.#hearings.values()];
    if (wasDeaf) for (const hearing of hearings) hearing.direct = now;
    const before = this.asked;
    this.asked = hearings.some(({ direct }) => now - direct > heartbeatMs * MISSED_AFTER);
    return this.asked && !before;
  }

  /** Whether a message of `peer`, which was taken, is to be passed on. */
  isWanted(message: AgentMessage, peer: string, now: number): boolean {
    const { heartbeatMs, silentAfterMs } = this.#options;
    if (message.passOn) this.#until = now + silentAfterMs;
    if (!isHeartbeat(message) || now < this.#until) return true;
    const hearing = this.#hearings.get(peer);
    return hearing === undefined || now - hearing.since < heartbeatMs * NEW_FOR;
  }
}
