/**
 * Detects hosts that left, if not all hosts are neighbours (neighbours.ts). A silent neighbour is announced as
 * suspected, a suspected host answers to all, and all drop it if it doesn't (SWIM: Das, Gupta, Motivala, DSN 2002).
 * If many neighbours are silent, the network may be partitioned, and hosts without a neighbour in this part would be
 * missed by none: then all are asked to announce themselves.
 */

import type { Host } from '../members/membership.ts';
import type { MeshView } from '../members/mesh-view.ts';
import { neighboursOf } from '../members/neighbours.ts';
import type { AgentMessage, Suspicion } from '../wire/codec.ts';
import { sameDigest } from '../wire/digest.ts';
import { MAX_SUSPICIONS } from '../wire/limits.ts';
import type { MeshTransport } from '../wire/transport.ts';
import type { Said } from './speaker.ts';

/** After this part of the time until it is dropped, a silent host is suspected; it can answer in the rest. */
const SUSPECTED_AFTER = 0.75;
/**
 * After this part of that time since a suspicion was received, the host is asked directly; after twice as long, it is
 * dropped.
 */
const ASKED_AFTER = 1 / 8;
/**
 * If more than this part of the neighbours is silent, all are asked. Of 2 × log2(hosts), a few may fail at a time.
 */
const MANY_SILENT = 1 / 3;
/** In heartbeats: a neighbour whose digest differs for this long is asked for what it knows. */
const DIFFERS_FOR = 1;
/** In heartbeats: how often neighbours are asked for that; the answer covers all hosts. */
const ASKED_EVERY = 3;
/**
 * The neighbours of a host notice its return. Of its former neighbours, an agent dials so many until they are back.
 */
const MOST_MISSED = 32;

export interface WatchPorts {
  readonly view: MeshView;
  readonly transport: MeshTransport;
  readonly host: string;
  readonly heartbeatMs: number;
  readonly silentAfterMs: number;
  readonly say: (said: Said) => void;
  /** Requests a peer's table, and the hosts that it knows. */
  readonly ask: (peer: string) => void;
}

export class Watch {
  readonly #ports: WatchPorts;
  #near: ReadonlySet<string> | undefined;
  #seenHosts = -1;
  /** Former neighbours that became silent, the latest last. */
  readonly #missed = new Set<string>();
  /** Since when a neighbour's digest differs. */
  readonly #differs = new Map<string, number>();
  #askedAt = Number.NEGATIVE_INFINITY;
  #rollAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #mustAnswer = false;

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  /** Whether there are too many hosts for all to be neighbours. */
  get isSparse(): boolean {
    return this.#near !== undefined;
  }

  /** Checks which hosts are present. Call it several times in a heartbeat. */
  check(now: number): void {
    this.#choose(now);
    if (!this.#near) return;
    this.#answer(now);
    this.#suspect(now);
  }

  /** Peers that others suspect and that are no neighbours. Some of their answers may have been lost. */
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

  /** Processes what an applied message contains about other hosts. */
  receive(message: AgentMessage, peer: string, now: number): void {
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

  /** Announces that hosts have left that others list as present. */
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
    // Hosts that are no neighbours will not receive this agent's heartbeats. They need no request if this message
    // goes to all.
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

  /** Announces to all that this agent is present. */
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

  /** Neighbours that know the same hosts with the same tables have the same digest. */
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
