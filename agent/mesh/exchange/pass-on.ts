/**
 * Whether this agent forwards a message that it received. Changes always; heartbeats only while some agent misses
 * heartbeats, because every agent sends its own heartbeats to all that it is connected to. Forwarding all of them was
 * two thirds of all traffic.
 */

import type { Host } from '../members/membership.ts';
import { type AgentMessage, isHeartbeat } from '../wire/codec.ts';

/**
 * In heartbeats: if no message came directly from a host for this long, it is missed, and others are asked to forward
 * its heartbeats. These then arrive within another heartbeat and a quarter, before the host would be dropped.
 */
const MISSED_AFTER = 1.25;
/**
 * In heartbeats: the heartbeats of a new host are forwarded for this long, so that agents that can't connect to it
 * receive them.
 */
const NEW_FOR = 10;
/**
 * In heartbeats: an agent reconnects to a host that it misses for this long, and again after the same time. If two
 * hosts dial each other at the same time, the resulting connection may never have a gossipsub stream in one
 * direction.
 */
const RENEW_AFTER = 5;

export interface PassOnOptions {
  readonly heartbeatMs: number;
  readonly silentAfterMs: number;
  /** Announces that a host is missed. */
  readonly ask: () => void;
  /** Closes the connections to a peer, so that new ones are made. */
  readonly renew: (peer: string) => void;
  /** Whether most hosts are no neighbours (watch.ts): then heartbeats are not forwarded. */
  readonly isSparse?: () => boolean;
}

interface Hearing {
  readonly since: number;
  /** When a message last came directly from it. */
  direct: number;
  renewedAt: number;
}

export class PassOn {
  readonly #options: PassOnOptions;
  readonly #hearings = new Map<string, Hearing>();
  /** Until when others' heartbeats are forwarded. */
  #until = Number.NEGATIVE_INFINITY;
  #checkedAt = Number.POSITIVE_INFINITY;
  /** Whether this agent misses direct messages of a host, and asks the others to forward. */
  asked = false;

  constructor(options: PassOnOptions) {
    this.#options = options;
  }

  /** Gossip came directly from `peer`, whichever agent published it. */
  heard(peer: string, now: number): void {
    const hearing = this.#hearings.get(peer);
    if (hearing) hearing.direct = now;
  }

  /** Finds the hosts that are missed. Call it several times in a heartbeat. */
  check(hosts: Iterable<Pick<Host, 'peer' | 'near'>>, now: number): void {
    const { heartbeatMs } = this.#options;
    // If this agent didn't run for a while, the others were not silent: it did not receive.
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

  /** Whether an accepted message of `peer` has to be forwarded. */
  isWanted(message: AgentMessage, peer: string, now: number): boolean {
    const { heartbeatMs, silentAfterMs, isSparse } = this.#options;
    if (isSparse?.()) return !isHeartbeat(message);
    if (message.passOn) this.#until = now + silentAfterMs;
    if (!isHeartbeat(message) || now < this.#until) return true;
    const hearing = this.#hearings.get(peer);
    return hearing === undefined || now - hearing.since < heartbeatMs * NEW_FOR;
  }
}
