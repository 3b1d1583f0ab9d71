/**
 * Which hosts are present, which have left, and which peer may use which name. Pure state; time is an argument. The
 * tables of hosts are kept in their records for `MeshView`, which interprets them.
 */

import type { LeftOut } from '../../../proto/command.ts';
import { Lanes } from '../../../proto/lanes.ts';
import type { Admission } from '../trust/admission.ts';
import type { CommandGuard } from '../trust/command-guard.ts';
import type { AgentMessage, KnownAgent, Suspicion } from '../wire/codec.ts';
import { type Digest, EMPTY_DIGEST, mix, RunningSum } from '../wire/digest.ts';
import * as limits from '../wire/limits.ts';
import { type Rejection, reject } from '../wire/rejections.ts';
import { HostTable } from './host-table.ts';
import type { MeshConflict } from './model.ts';
import { ALL_HEAR_ALL } from './neighbours.ts';
import { Remembered } from './remembered.ts';

export interface MembershipOptions {
  /** Hash of the topology, 16 hexadecimal digits. */
  readonly topology: string;
  /** Names of the endpoints, by their numbers (`Graph.endpoints`). */
  readonly endpointNames: readonly string[];
  /** How flows say their paths. Default: each pair has one. */
  readonly lanes?: Lanes;
  /** Name of the own host, unique among hosts. */
  readonly host: string;
  /** Id of the own agent on the mesh. */
  readonly peer: string;
  readonly incarnation: number;
  /** A host that is silent for longer is dropped. */
  readonly silentAfterMs: number;
  readonly admission: Admission;
  /** Who may give which commands; absent: every member may give all, and nobody signs. */
  readonly guard?: CommandGuard | undefined;
  /** Which commands of a set are left out as old; absent: none. */
  readonly leftOut?: LeftOut | undefined;
  /** The experiment's time in microseconds; `undefined`: not known. */
  readonly time?: () => number | undefined;
  /** How many addresses of an endpoint count; default `MAX_ADDRESSES_PER_ENDPOINT`. */
  readonly addressesPerEndpoint?: number;
}

export interface Host {
  readonly name: string;
  readonly peer: string;
  /** Of the name. */
  readonly nameSum: Pick<Digest, 'low' | 'high'>;
  /** Only that of the own host ever changes. */
  incarnation: number;
  readonly table: HostTable;
  /** The highest sequence number received, and that of the last message that changed the table. */
  sequence: number;
  tableSequence: number;
  lastHeard: number;
  /** Whether it is a neighbour, from which messages come directly (neighbours.ts). */
  near: boolean;
  /** Since when it is suspected. */
  suspectedAt: number | undefined;
  complete: boolean;
  /** Of the latest message; and since when it is another one than this agent's. */
  commandDigest: Digest;
  otherCommandsSince: number | undefined;
  timed: boolean;
}

interface Gone {
  readonly host: string;
  readonly incarnation: number;
  readonly sequence: number;
  readonly left: boolean;
}

/** A host that was dropped without having left. */
export interface LostHost {
  readonly name: string;
  readonly peer: string;
  /** Where it could be dialled. */
  readonly addresses: readonly string[];
}

/** How long a repeated conflict is shown after its last message: ten heartbeats. */
const CONFLICT_SHOWN_MS = 10_000;
/** A host that has not returned by then no longer counts for the acknowledgement of commands. */
const SILENCE_SHOWN_MS = 600_000;

export class Membership {
  readonly lanes: Lanes;
  readonly self: Host;
  readonly #options: MembershipOptions;
  readonly #hosts = new Map<string, Host>();
  readonly #hostOfPeer = new Map<string, Host>();
  /**
   * Peers that have left: without them, a late message would bring one back. By peer rather than by host, so that no
   * peer can use up a host's name with the highest incarnation.
   */
  readonly #gone = new Remembered<Gone>();
  /** Of peers that are gone, or were once: a late message may bring one back that has not announced its addresses again. */
  readonly #addresses = new Remembered<readonly string[]>();
  readonly #conflicts = new Remembered<MeshConflict>();

  constructor(options: MembershipOptions) {
    this.lanes = options.lanes ?? new Lanes(options.endpointNames.length);
    this.#options = options;
    this.self = this.#newHost(options.host, options.peer, options.incarnation);
  }

  /** How many hosts are present, with the own one. */
  get count(): number {
    return this.#hosts.size + 1;
  }

  /** All but the own host. */
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

  /** Remembers that a peer has left, so that its earlier messages are no longer accepted. */
  noteGone(peer: string, gone: Gone, now: number): void {
    this.#gone.set(peer, gone, now);
    const addresses = this.addressesOf(peer);
    if (addresses.length > 0) this.#addresses.set(peer, addresses, now);
  }

  /** Why a message is not accepted as `peer`'s. `direct`: it is an answer to a request just sent. */
  refuse(message: AgentMessage, peer: string, direct: boolean, now: number): Rejection | undefined {
    return this.#refuseSender(message, peer, now) ?? this.#refuseStale(message, peer, direct, now);
  }

  /** Neighbours that were silent for that long. */
  silentFor(now: number, ms: number): Host[] {
    return [...this.#hosts.values()].filter(({ near, lastHeard }) => near && now - lastHeard > ms);
  }

  /** Those that are silent, and those that were suspected for a quarter of that time and didn't answer. */
  gone(now: number): Host[] {
    const { silentAfterMs } = this.#options;
    const suspected = [...this.#hosts.values()].filter(
      ({ near, suspectedAt }) => !near && suspectedAt !== undefined && now - suspectedAt > silentAfterMs / 4,
    );
    return [...this.silentFor(now, silentAfterMs), ...suspected];
  }

  /** Of all hosts, sorted. */
  names(): string[] {
    return [this.self.name, ...this.#hosts.keys()].sort();
  }

  /**
   * Sets which hosts are neighbours; `undefined`: all. A host that becomes one has the whole time from now. Returns
   * whether this changed anything.
   */
  setNear(names: ReadonlySet<string> | undefined, now: number): boolean {
    let changed = false;
    for (const host of this.#hosts.values()) {
      const near = names?.has(host.name) ?? true;
      if (near && !host.near) {
        host.lastHeard = now;
        host.suspectedAt = undefined;
      }
      changed ||= host.near !== near;
      host.near = near;
    }
    return changed;
  }

  /**
   * Another host has not received messages of a host. If this agent has received later ones recently, the suspicion
   * is outdated.
   */
  suspect({ host: name, incarnation, sequence }: Suspicion, now: number): void {
    const host = this.#hosts.get(name);
    if (host?.incarnation !== incarnation) return;
    const isOld = now - host.lastHeard > this.#options.silentAfterMs;
    if (isOld || host.sequence <= sequence) host.suspectedAt ??= now;
  }

  /** All hosts that are no neighbours have to announce themselves. */
  suspectFar(now: number): void {
    for (const host of this.#hosts.values()) if (!host.near) host.suspectedAt ??= now;
  }

  /** Of the present hosts and their tables. */
  get digest(): Digest {
    const sum = new RunningSum();
    for (const { nameSum, incarnation, table } of [this.self, ...this.#hosts.values()]) {
      const { low, high } = table.digest;
      // `mix` takes the last 32 bits of the incarnation.
      const [started, lowOf, highOf] = [incarnation >>> 0, nameSum.low, nameSum.high];
      sum.add(mix(mix(lowOf + started) + low), mix(mix(highOf + started) + high), 1);
    }
    return { entries: this.#hosts.size + 1, low: sum.low, high: sum.high };
  }

  /** The hosts, for the answers to agents that are not their neighbours. */
  known(): KnownAgent[] {
    return [...this.#hosts.values()]
      .filter(({ table }) => table.meshAddresses.length > 0)
      .map(({ peer, incarnation, tableSequence, table }) => ({
        ...{ peer, incarnation, tableSequence },
        ...{ addresses: table.meshAddresses, digestLow: table.digest.low },
      }));
  }

  /** Whether another agent knows something of an agent that is missing here. */
  isBehind({ peer, incarnation, tableSequence, digestLow }: KnownAgent): boolean {
    const host = this.#hostOfPeer.get(peer);
    if (!host?.complete) return true;
    // With the same last change, one of the two may have missed an earlier one.
    const isNoNewer = host.incarnation === incarnation && host.tableSequence <= tableSequence;
    return host.incarnation < incarnation || (isNoNewer && host.table.digest.low !== digestLow);
  }

  /** How an agent left that another one lists as present. */
  endOf({ peer, incarnation }: KnownAgent): Suspicion | undefined {
    const gone = this.#hostOfPeer.has(peer) ? undefined : this.#gone.get(peer);
    return gone?.incarnation === incarnation ? gone : undefined;
  }

  /** Names of hosts that were dropped without having left, for ten minutes. */
  silentHosts(now: number): string[] {
    const silent = this.#gone.since(now - SILENCE_SHOWN_MS).filter(({ left }) => !left);
    const names = new Set(silent.map(({ host }) => host));
    // A host that returned with another identity is not missed.
    return [...names].filter((name) => !this.#hosts.has(name)).sort();
  }

  /** Those that were dropped without having left and have not returned, however long ago. */
  lost(): LostHost[] {
    return this.absent().filter(({ peer }) => !this.#gone.get(peer)!.left);
  }

  /** The same with those that have left: the latest of each name. */
  absent(): LostHost[] {
    const absent = new Map<string, LostHost>();
    for (const [peer, { host: name }] of this.#gone.entries()) {
      absent.delete(name);
      if (!this.#hosts.has(name)) absent.set(name, { name, peer, addresses: this.addressesOf(peer) });
    }
    return [...absent.values()];
  }

  /** Where a peer can be dialled, or could be at last. */
  addressesOf(peer: string): readonly string[] {
    const now = this.#hostOfPeer.get(peer)?.table.meshAddresses ?? [];
    return now.length > 0 ? now : (this.#addresses.get(peer) ?? []);
  }

  /** Where those that are not here any more could be dialled, also those that left. */
  addressesOfGone(): string[] {
    return this.#addresses.entries().flatMap(([, addresses]) => addresses);
  }

  /** The highest incarnation received of a peer, also of one that left; 0 for none. */
  incarnationOf(peer: string): number {
    return Math.max(this.#hostOfPeer.get(peer)?.incarnation ?? 0, this.#gone.get(peer)?.incarnation ?? 0);
  }

  /** Conflicts whose messages repeat; for those of endpoints see `EndpointClaims`. */
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
    // The present owner of a name keeps it until it leaves or is silent, whatever incarnation another peer states.
    if (known && peer !== known.peer) return this.#claimed(host, peer, now);
    if (known && incarnation === known.incarnation) {
      // A heartbeat may have overtaken an update, but another update may not.
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
    const table = new HostTable(this.lanes.numbers);
    const nameSum = new RunningSum();
    nameSum.addText(name, 1);
    return {
      ...{ name, peer, nameSum, incarnation, table },
      ...{
        sequence: 0,
        tableSequence: 0,
        lastHeard: 0,
        near: this.#hosts.size + 2 <= ALL_HEAR_ALL,
        suspectedAt: undefined,
        complete: false,
      },
      ...{ commandDigest: EMPTY_DIGEST, otherCommandsSince: undefined, timed: false },
    };
  }
}
