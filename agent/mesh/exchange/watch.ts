/**
 * Notices who has gone where not all hear all (neighbours.ts): a neighbour that is silent is suspected aloud, whoever is
 * suspected says that it is here, and who doesn't is dropped by all (SWIM: Das, Gupta, Motivala, DSN 2002). Where many
 * neighbours are silent, the network may have come apart, and hosts without a neighbour on this side would be missed by
 * nobody: then all are asked to say that they are here.
 */

import type { Host } from '../members/membership.ts';
import type { MeshView } from '../members/mesh-view.ts';
import { neighboursOf } from '../members/neighbours.ts';
import type { AgentMessage, Suspicion } from '../wire/codec.ts';
import { sameDigest } from '../wire/digest.ts';
import { MAX_SUSPICIONS } from '../wire/limits.ts';
import type { MeshTransport } from '../wire/transport.ts';
import type { Said } from './speaker.ts';

/** Part of the time after which a silent host is dropped; the rest is left to it, to say that it is here. */
const SUSPECTED_AFTER = 0.75;
/** Part of it, after a suspicion was heard: whoever has not answered is asked; a quarter, and he is dropped. */
const ASKED_AFTER = 1 / 8;
/** Part of the neighbours: if more are silent, all are asked. Of 2 × log2(hosts), a few may die at a time. */
const MANY_SILENT = 1 / 3;
/** In heartbeats: a neighbour that knows something else for so long is asked what. */
const DIFFERS_FOR = 1;
/** In heartbeats: how often neighbours are asked for that; the answer tells of all hosts. */
const ASKED_EVERY = 3;
/** Whoever was away is heard again by its neighbours; of its former ones so many are dialled until they are back. */
const MOST_MISSED = 32;

export interface WatchPorts {
  readonly view: MeshView;
  readonly transport: MeshTransport;
  readonly host: string;
  readonly heartbeatMs: number;
  readonly silentAfterMs: number;
  readonly say: (said: Said) => void;
  /** Asks a peer for its table, and whom it knows. */
  readonly ask: (peer: string) => void;
}

export class Watch {
  readonly #ports: WatchPorts;
  #near: ReadonlySet<string> | undefined;
  #seenHosts = -1;
  /** Former neighbours that fell silent, the latest last. */
  readonly #missed = new Set<string>();
  /** Since when a neighbour knows something else. */
  readonly #differs = new Map<string, number>();
  #askedAt = Number.NEGATIVE_INFINITY;
  #rollAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #mustAnswer = false;

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  /** Whether the others are too many for all to hear all. */
  get isSparse(): boolean {
    return this.#near !== undefined;
  }

  /** Sees who is here; to be called several times in a heartbeat. */
  check(now: number): void {
    this.#choose(now);
    if (!this.#near) return;
    this.#answer(now);
    this.#suspect(now);
  }

  /** Peers that others suspect and that are not heard from themselves: some may have answered unheard. */
  doubtful(now: number): string[] {
    const { view, silentAfterMs } = this.#ports;
    return [...view.members.others()]
      .filter(({ near, suspectedAt }) => !near && now - (suspectedAt ?? now) > silentAfterMs * ASKED_AFTER)
      .map(({ peer }) => peer);
  }

  /** Hosts that were dropped because they were silent. */
  noteDropped(dropped: readonly Host[]): void {
    if (!this.#near) return;
    for (const { near, peer } of dropped) if (near) this.#missed.add(peer);
    for (const peer of this.#missed) {
      if (this.#missed.size <= MOST_MISSED) break;
      this.#missed.delete(peer);
    }
  }

  /** Takes what a message that was applied says of other hosts. */
  hear(message: AgentMessage, peer: string, now: number): void {
    const { view, host } = this.#ports;
    this.#missed.delete(peer);
    for (const suspicion of message.suspected ?? []) {
      if (suspicion.host === host)
        this.#mustAnswer ||= suspicion.incarnation === view.members.self.incarnation;
      else view.members.suspect(suspicion, now);
    }
    if (message.rollCall && now - this.#rollAt > this.#ports.heartbeatMs) this.#roll(now);
    this.#answer(now);
    if (this.#near && view.members.ofPeer(peer)?.near) this.#compare(message, peer, now);
  }

  /** Says that hosts seem to be gone that others believe to be here. */
  doubt(gone: readonly Suspicion[]): void {
    if (this.#near && gone.length > 0) this.#ports.say({ suspected: gone.slice(0, MAX_SUSPICIONS) });
  }

  /** Peers to be connected to. */
  #wanted(): ReadonlySet<string> {
    const near = [...this.#ports.view.members.others()].filter((host) => host.near);
    return new Set([...near.map(({ peer }) => peer), ...this.#missed]);
  }

  #choose(now: number): void {
    const { view, transport, host, say } = this.#ports;
    if (view.hostsVersion === this.#seenHosts) return;
    const wasSparse = this.isSparse;
    this.#near = neighboursOf(host, view.members.names());
    if (view.members.setNear(this.#near, now)) view.hostsVersion++;
    this.#seenHosts = view.hostsVersion;
    if (this.#near) transport.choose?.(this.#wanted());
    else if (wasSparse) transport.choose?.(undefined);
    // Those that are far will not hear this agent's heartbeats: they need no question if they are told all now.
    if (this.#near && !wasSparse) say({ update: view.own.toUpdate() });
  }

  #suspect(now: number): void {
    const { view, silentAfterMs, heartbeatMs } = this.#ports;
    const silent = view.members.silentFor(now, silentAfterMs * SUSPECTED_AFTER);
    const fresh = silent
      .filter(({ suspectedAt }) => suspectedAt === undefined)
      .map(({ name, incarnation, sequence }) => ({ host: name, incarnation, sequence }));
    if (fresh.length === 0) return;
    for (const suspicion of fresh) view.members.suspect(suspicion, now);
    const isRoll = silent.length > this.#near!.size * MANY_SILENT && now - this.#rollAt > heartbeatMs;
    if (isRoll) {
      this.#roll(now);
      this.#ports.say({ rollCall: true });
    } else this.doubt(fresh);
  }

  /** That this agent is here, to all. */
  #answer(now: number): void {
    if (!this.#mustAnswer || !this.#near || now - this.#answeredAt < this.#ports.heartbeatMs / 2) return;
    this.#mustAnswer = false;
    this.#answeredAt = now;
    this.#ports.say({ spread: true });
  }

  #roll(now: number): void {
    this.#rollAt = now;
    this.#mustAnswer = true;
    this.#ports.view.members.suspectFar(now);
  }

  /** Neighbours that know the same hosts, with the same tables, have the same digest. */
  #compare({ viewDigest }: AgentMessage, peer: string, now: number): void {
    const { view, heartbeatMs, ask } = this.#ports;
    if (viewDigest === undefined) return;
    if (sameDigest(viewDigest, view.members.digest)) {
      this.#differs.delete(peer);
      return;
    }
    const since = this.#differs.get(peer) ?? now;
    if (this.#differs.size > MOST_MISSED) this.#differs.clear();
    this.#differs.set(peer, since);
    if (now - since < heartbeatMs * DIFFERS_FOR || now - this.#askedAt < heartbeatMs * ASKED_EVERY) return;
    this.#askedAt = now;
    this.#differs.delete(peer);
    ask(peer);
  }
}
