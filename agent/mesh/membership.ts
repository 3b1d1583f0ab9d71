/**
 * Who is here, who was, and who may speak as whom. Pure state; time is an argument. What hosts tell of themselves is kept in
 * their records for `MeshView`, which makes sense of it.
 */
import type { Admission } from './admission.ts';
import type { AgentMessage } from './codec.ts';
import { type Digest, EMPTY_DIGEST } from './digest.ts';
import { HostTable } from './host-table.ts';
import * as limits from './limits.ts';
import type { MeshConflict } from './model.ts';
import { type Rejection, reject } from './rejections.ts';
import { Remembered } from './remembered.ts';

export interface MembershipOptions {
  /** Hash of the topology, 16 hexadecimal digits. */
  readonly topology: string;
  /** Names of the endpoints, by their numbers (`Graph.endpoints`). */
  readonly endpointNames: readonly string[];
  /** Name of the own host, which is unique among hosts. */
  readonly host: string;
  /** Id of the own agent on the mesh. */
  readonly peer: string;
  readonly incarnation: number;
  /** A host that is silent for longer is dropped. */
  readonly silentAfterMs: number;
  readonly admission: Admission;
}

export interface Host {
  readonly name: string;
  readonly peer: string;
  /** Only the own one ever changes. */
  incarnation: number;
  readonly table: HostTable;
  /** The highest sequence heard, and that of the last message that changed the table. */
  sequence: number;
  tableSequence: number;
  lastHeard: number;
  complete: boolean;
  /** Of the latest message. */
  commandDigest: Digest;
  timed: boolean;
}

interface Gone {
  readonly host: string;
  readonly incarnation: number;
  readonly sequence: number;
  readonly left: boolean;
}

/** How long a conflict that was announced is shown after it was last seen: ten heartbeats. */
const CONFLICT_SHOWN_MS = 10_000;
/** Whoever has not come back by then has gone for good, as far as others' commands are concerned. */
const SILENCE_SHOWN_MS = 600_000;

export class Membership {
  readonly self: Host;
  readonly #options: MembershipOptions;
  readonly #hosts = new Map<string, Host>();
  readonly #hostOfPeer = new Map<string, Host>();
  /**
   * Peers that are gone: without them, a late message would bring one back. By peer rather than by host, so that nobody
   * can use up a host's name with an incarnation that nothing comes after.
   */
  readonly #gone = new Remembered<Gone>();
  readonly #conflicts = new Remembered<MeshConflict>();

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.self = this.#newHost(options.host, options.peer, options.incarnation);
  }

  /** All but the own one. */
  others(): Iterable<Host> {
    return this.#hosts.values();
  }

  get(name: string): Host | undefined {
    return this.#hosts.get(name);
  }

  ofPeer(peer: string): Host | undefined {
    return this.#hostOfPeer.get(peer);
  }

  add(name: string, peer: string, incarnation: number): Host {
    const host = this.#newHost(name, peer, incarnation);
    this.#hosts.set(name, host);
    this.#hostOfPeer.set(peer, host);
    this.#gone.delete(peer);
    return host;
  }

  remove(host: Host): void {
    this.#hosts.delete(host.name);
    this.#hostOfPeer.delete(host.peer);
  }

  /** Remembers that a peer is gone, so that what it said before is not taken any more. */
  noteGone(peer: string, gone: Gone, now: number): void {
    this.#gone.set(peer, gone, now);
  }

  /** Why a message is not to be taken as `peer`'s. `direct`: it is its answer to a question just asked. */
  refuse(message: AgentMessage, peer: string, direct: boolean, now: number): Rejection | undefined {
    return this.#refuseSender(message, peer, now) ?? this.#refuseStale(message, peer, direct, now);
  }

  silentFor(now: number, ms: number): Host[] {
    return [...this.#hosts.values()].filter(({ lastHeard }) => now - lastHeard > ms);
  }

  /** Names of hosts that were dropped without having left, for ten minutes. */
  silentHosts(now: number): string[] {
    const silent = this.#gone.since(now - SILENCE_SHOWN_MS).filter(({ left }) => !left);
    const names = new Set(silent.map(({ host }) => host));
    // One that is back under another identity is not missed.
    return [...names].filter((name) => !this.#hosts.has(name)).sort();
  }

  /** The highest incarnation heard of a peer, also of one that is gone; 0 for none. */
  incarnationOf(peer: string): number {
    return Math.max(this.#hostOfPeer.get(peer)?.incarnation ?? 0, this.#gone.get(peer)?.incarnation ?? 0);
  }

  /** Those that are announced again and again; of endpoints, see `EndpointClaims`. */
  conflicts(now: number): MeshConflict[] {
    return this.#conflicts.since(now - CONFLICT_SHOWN_MS);
  }

  #refuseSender(message: AgentMessage, peer: string, now: number): Rejection | undefined {
    const { topology, host } = message;
    if (peer === this.self.peer) return this.#ownPeer(host, peer, now);
    const foreign = this.#options.admission.refuseHost(peer, host);
    if (foreign) return foreign;
    if (topology !== this.#options.topology) {
      this.#conflicts.set(`topology ${host}`, { kind: 'topology', host, peer, topology }, now);
      return reject('TOPOLOGY_DIFFERS', `${host} has topology ${topology}, not ${this.#options.topology}`);
    }
    if (host === this.self.name) return this.#claimed(host, peer, now);
    const other = this.#hostOfPeer.get(peer);
    if (other && other.name !== host) {
      return reject('PEER_HAS_OTHER_HOST', `${peer} says that it is ${host}, before it was ${other.name}`);
    }
    return undefined;
  }

  #ownPeer(host: string, peer: string, now: number): Rejection {
    if (host === this.self.name) return reject('STALE_SEQUENCE', 'an own message came back');
    this.#conflicts.set(`identity ${host}`, { kind: 'identity', host, peer }, now);
    return reject('IDENTITY_SHARED', `${host} has a copy of this agent's identity`);
  }

  #claimed(host: string, peer: string, now: number): Rejection {
    this.#conflicts.set(`host ${host}`, { kind: 'host', host, peer }, now);
    return reject('HOST_CLAIMED', `${peer} says that it is ${host}, which another agent is`);
  }

  #refuseStale(message: AgentMessage, peer: string, direct: boolean, now: number): Rejection | undefined {
    const { host, incarnation, sequence, update } = message;
    const known = this.#hosts.get(host);
    const gone = this.#gone.get(peer);
    const newest = this.incarnationOf(peer);
    if (incarnation < newest)
      return reject('STALE_INCARNATION', `${host}: ${incarnation}, already ${newest}`);
    if (gone && incarnation === gone.incarnation) {
      if (gone.left) return reject('HOST_LEFT', `${host} has left`);
      if (!direct && sequence <= gone.sequence) {
        return reject('STALE_SEQUENCE', `${host}: ${sequence}, already ${gone.sequence}`);
      }
    }
    // Whoever has the name keeps it until he leaves or is silent, whatever incarnation another one gives himself.
    if (known && peer !== known.peer) return this.#claimed(host, peer, now);
    if (known && incarnation === known.incarnation) {
      // An update may have been overtaken by a heartbeat, but not by another update.
      const latest = update ? known.tableSequence : known.sequence;
      const replay = update?.whole && direct ? sequence < latest : sequence <= latest;
      return replay ? reject('STALE_SEQUENCE', `${host}: ${sequence}, already ${latest}`) : undefined;
    }
    if (!known && this.#hosts.size >= limits.MAX_HOSTS) {
      return reject('TOO_MANY_HOSTS', `${host} would be number ${limits.MAX_HOSTS + 1}`);
    }
    return undefined;
  }

  #newHost(name: string, peer: string, incarnation: number): Host {
    const table = new HostTable(this.#options.endpointNames.length);
    const heard = { sequence: 0, tableSequence: 0, lastHeard: 0, complete: false };
    return { name, peer, incarnation, table, ...heard, commandDigest: EMPTY_DIGEST, timed: false };
  }
}
