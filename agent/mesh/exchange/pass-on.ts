/**
 * Whether others are to get from here what was heard. News always; heartbeats only where somebody misses some, because
 * every agent sends its own to all that it is connected to: passing them on as well was two thirds of all traffic.
 */

import type { Host } from '../members/membership.ts';
import { type AgentMessage, isHeartbeat } from '../wire/codec.ts';

/**
 * In heartbeats: a host that was not heard from itself for this long is missed, and its heartbeats are asked of others.
 * Then they are here within another heartbeat and a quarter, before it would be dropped.
 */
const MISSED_AFTER = 1.25;
/** In heartbeats: for this long a host's heartbeats are passed on, so that those that can't connect to it hear of it. */
const NEW_FOR = 10;
/**
 * In heartbeats: who is missed for so long is connected to anew, and again after as long. Two that dial each other at
 * the same time can end with a connection on which gossipsub has no stream in one direction, for ever.
 */
const RENEW_AFTER = 5;

export interface PassOnOptions {
  readonly heartbeatMs: number;
  readonly silentAfterMs: number;
  /** Says that somebody is missed. */
  readonly ask: () => void;
  /** Closes the connections to a peer, so that others are made. */
  readonly renew: (peer: string) => void;
  /** Most hosts are not to be heard from themselves (watch.ts): then nobody passes heartbeats on. */
  readonly isSparse?: () => boolean;
}

interface Hearing {
  readonly since: number;
  /** When something came from it without anybody in between. */
  direct: number;
  renewedAt: number;
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

  /** Sees who of the others is missed; to be called several times in a heartbeat. */
  check(hosts: Iterable<Pick<Host, 'peer' | 'near'>>, now: number): void {
    const { heartbeatMs } = this.#options;
    // If this agent didn't run for a while, the others were not silent: it was deaf.
    const wasDeaf = now - this.#checkedAt > heartbeatMs;
    this.#checkedAt = now;
    const peers = new Set([...hosts].filter(({ near }) => near).map(({ peer }) => peer));
    for (const peer of this.#hearings.keys()) if (!peers.has(peer)) this.#hearings.delete(peer);
    for (const peer of peers)
      if (!this.#hearings.has(peer)) this.#hearings.set(peer, { since: now, direct: now, renewedAt: now });
    const hearings = [...this.#hearings.values()];
    if (wasDeaf) for (const hearing of hearings) hearing.direct = now;
    const before = this.asked;
    this.asked = hearings.some(({ direct }) => now - direct > heartbeatMs * MISSED_AFTER);
    if (this.#options.isSparse?.()) this.asked = false;
    if (this.asked && !before) this.#options.ask();
    this.#renew(now);
  }

  #renew(now: number): void {
    const patience = this.#options.heartbeatMs * RENEW_AFTER;
    for (const [peer, hearing] of this.#hearings) {
      if (now - Math.max(hearing.direct, hearing.renewedAt) <= patience) continue;
      hearing.renewedAt = now;
      this.#options.renew(peer);
    }
  }

  /** Whether a message of `peer`, which was taken, is to be passed on. */
  isWanted(message: AgentMessage, peer: string, now: number): boolean {
    const { heartbeatMs, silentAfterMs, isSparse } = this.#options;
    if (isSparse?.()) return !isHeartbeat(message);
    if (message.passOn) this.#until = now + silentAfterMs;
    if (!isHeartbeat(message) || now < this.#until) return true;
    const hearing = this.#hearings.get(peer);
    return hearing === undefined || now - hearing.since < heartbeatMs * NEW_FOR;
  }
}
