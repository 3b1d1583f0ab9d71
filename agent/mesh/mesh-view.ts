/**
 * What an agent knows of all agents: who is here, which endpoints they have, and what those send. Pure state; time is
 * an argument. Each host tells about itself only, and each message says what its table must add up to.
 */
import type { Admission } from './admission.ts';
import type { AgentMessage, Sender, TableUpdate } from './codec.ts';
import { CommandSet } from './command-set.ts';
import { type Digest, EMPTY_DIGEST, sameDigest } from './digest.ts';
import { EndpointClaims } from './endpoint-claims.ts';
import { HostTable } from './host-table.ts';
import * as limits from './limits.ts';
import type { MeshConflict, MeshEndpoint, MeshHost, RemoteFlow } from './model.ts';
import { decodeRate } from './rate-code.ts';
import { type Rejection, reject } from './rejections.ts';
import { Remembered } from './remembered.ts';
import { wrongUpdate } from './update-limits.ts';

export interface MeshViewOptions {
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

export interface Applied {
  /** The sender's table differs from what is known of it, or it has other commands: ask it for the whole. */
  readonly repair: boolean;
}

interface Host {
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

export class MeshView {
  /** Increase with every change of remote flows, of endpoints, of hosts. */
  flowsVersion = 0;
  endpointsVersion = 0;
  hostsVersion = 0;
  readonly commands = new CommandSet();

  readonly #options: MeshViewOptions;
  readonly #self: Host;
  readonly #hosts = new Map<string, Host>();
  readonly #hostOfPeer = new Map<string, Host>();
  readonly #claims = new EndpointClaims<Host>();
  /**
   * Peers that are gone: without them, a late message would bring one back. By peer rather than by host, so that nobody
   * can use up a host's name with an incarnation that nothing comes after.
   */
  readonly #gone = new Remembered<{ host: string; incarnation: number; sequence: number; left: boolean }>();
  readonly #conflicts = new Remembered<MeshConflict>();
  #remoteFlows = 0;

  constructor(options: MeshViewOptions) {
    this.#options = options;
    const { host: name, peer, incarnation } = options;
    this.#self = this.#newHost(name, peer, incarnation);
  }

  /** The own table. Its endpoints are set with `setOwnEndpoint`. */
  get own(): HostTable {
    return this.#self.table;
  }

  /** Whether the own clock is one to learn the experiment's time from. */
  setOwnTimed(timed: boolean): void {
    this.#setTimed(this.#self, timed);
  }

  setOwnEndpoint(number: number, addresses: readonly string[] | undefined): boolean {
    return this.#setEndpoint(this.#self, number, addresses);
  }

  /** Gives the own host another incarnation. */
  renew(incarnation: number): void {
    const numbers = [...this.own.endpoints.keys()];
    for (const number of numbers) this.#claims.release(number, this.#self);
    this.#self.incarnation = incarnation;
    for (const number of numbers) this.#claims.claim(number, this.#self);
    this.endpointsVersion++;
    this.flowsVersion++;
  }

  /** Applies what `peer` sent. `direct`: it is its answer to a question just asked, so it can't be a replay. */
  apply(message: AgentMessage, peer: string, now: number, direct = false): Applied | Rejection {
    const refused = this.#refuse(message, peer, now) ?? this.#refuseStale(message, peer, direct, now);
    if (refused) return refused;
    if (message.leaving) {
      this.#leave(message, peer, now);
      return { repair: false };
    }
    const known = this.#hosts.get(message.host);
    const current = known?.incarnation === message.incarnation ? known : undefined;
    const wrong =
      foreignCommand(message) ??
      (message.update && this.#refuseUpdate(message.update, message.host, current));
    if (wrong) return wrong;
    if (known && !current) this.#remove(known);
    const host = current ?? this.#add(message, peer);
    if (direct || message.sequence > host.sequence) host.lastHeard = now;
    if (message.sequence >= host.sequence) this.#heard(host, message);
    if (message.update) this.#update(host, message.update, message.sequence);
    this.commands.take(message.commands);
    const repair = !sameDigest(host.table.digest, message.digest);
    return { repair: repair || this.commands.mayGainFrom(message.commandDigest) };
  }

  /** Drops hosts that were silent for too long, with their endpoints and flows; returns their names. */
  expire(now: number): string[] {
    const silent = this.#silentFor(now, this.#options.silentAfterMs);
    for (const host of silent) {
      const { name, peer, incarnation, sequence } = host;
      this.#gone.set(peer, { host: name, incarnation, sequence, left: false }, now);
      this.#remove(host);
    }
    return silent.map(({ name }) => name);
  }

  /** Peers that have been silent for `ms`. */
  silentPeers(now: number, ms: number): string[] {
    return this.#silentFor(now, ms).map(({ peer }) => peer);
  }

  /** Names of hosts that were dropped without having left, for ten minutes. */
  silentHosts(now: number): string[] {
    const silent = this.#gone.since(now - SILENCE_SHOWN_MS).filter(({ left }) => !left);
    const names = new Set(silent.map(({ host }) => host));
    // One that is back under another identity is not missed.
    return [...names].filter((name) => !this.#hosts.has(name)).sort();
  }

  /** Makes up for a time in which this agent itself didn't run: the others were not silent, it was deaf. */
  excuse(ms: number): void {
    for (const host of this.#hosts.values()) host.lastHeard += ms;
  }

  /** The highest incarnation heard of a peer, also of one that is gone; 0 for none. */
  incarnationOf(peer: string): number {
    return Math.max(this.#hostOfPeer.get(peer)?.incarnation ?? 0, this.#gone.get(peer)?.incarnation ?? 0);
  }

  /** Whether the whole table of `peer` was taken once, which only the peer itself gives. */
  isComplete(peer: string): boolean {
    return this.#hostOfPeer.get(peer)?.complete ?? false;
  }

  /** Sorted by name, the own host among them. */
  hosts(): MeshHost[] {
    return [this.#self, ...this.#hosts.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((host) => ({
        name: host.name,
        peer: host.peer,
        incarnation: host.incarnation,
        sequence: host.sequence,
        lastHeard: host.lastHeard,
        self: host === this.#self,
        endpoints: host.table.endpoints.size,
        flows: host.table.flows.size,
        meshAddresses: host.table.meshAddresses,
        inStep: host === this.#self || this.commands.isSame(host.commandDigest),
        timed: host.timed,
      }));
  }

  /** By number; each with the host that has it. */
  endpoints(): MeshEndpoint[] {
    return this.#claims.owned().map((number) => {
      const owner = this.#claims.owner(number)!;
      const name = this.#options.endpointNames[number]!;
      return { number, name, addresses: owner.table.endpoints.get(number)!, host: owner.name };
    });
  }

  /** Calls `visit` with each flow that starts at an endpoint of the host that announced it, and not at an own one. */
  forEachRemoteFlow(
    visit: (source: number, destination: number, rateBps: number, greedy: boolean) => void,
  ): void {
    for (const host of this.#hosts.values()) {
      for (const [key, state] of host.table.flows) {
        const source = host.table.sourceOf(key);
        if (this.#claims.owner(source) !== host) continue;
        visit(source, host.table.destinationOf(key), decodeRate(state >>> 1), (state & 1) === 1);
      }
    }
  }

  /** What `forEachRemoteFlow` visits, sorted by source and destination. */
  remoteFlows(): RemoteFlow[] {
    const flows: RemoteFlow[] = [];
    this.forEachRemoteFlow((source, destination, rateBps, greedy) =>
      flows.push({ source, destination, rateBps, greedy }),
    );
    return flows.sort((a, b) => a.source - b.source || a.destination - b.destination);
  }

  conflicts(now: number): MeshConflict[] {
    const endpoints = this.#claims.disputes().map(({ endpoint, hosts }) => ({
      kind: 'endpoint' as const,
      endpoint: this.#options.endpointNames[endpoint]!,
      hosts: hosts.map(({ name }) => name),
    }));
    return [...endpoints, ...this.#conflicts.since(now - CONFLICT_SHOWN_MS)];
  }

  #refuse(message: AgentMessage, peer: string, now: number): Rejection | undefined {
    const { topology, host } = message;
    if (peer === this.#self.peer) return this.#ownPeer(host, peer, now);
    const foreign = this.#options.admission.refuseHost(peer, host);
    if (foreign) return foreign;
    if (topology !== this.#options.topology) {
      this.#conflicts.set(`topology ${host}`, { kind: 'topology', host, peer, topology }, now);
      return reject('TOPOLOGY_DIFFERS', `${host} has topology ${topology}, not ${this.#options.topology}`);
    }
    if (host === this.#self.name) return this.#claimed(host, peer, now);
    const other = this.#hostOfPeer.get(peer);
    if (other && other.name !== host) {
      return reject('PEER_HAS_OTHER_HOST', `${peer} says that it is ${host}, before it was ${other.name}`);
    }
    return undefined;
  }

  #ownPeer(host: string, peer: string, now: number): Rejection {
    if (host === this.#self.name) return reject('STALE_SEQUENCE', 'an own message came back');
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

  #refuseUpdate(update: TableUpdate, name: string, host: Host | undefined): Rejection | undefined {
    return wrongUpdate(update, {
      endpointCount: this.#options.endpointNames.length,
      refuse: (endpoint) => this.#options.admission.refuseEndpoint(name, endpoint),
      hasRoom: (endpoint) => this.#claims.hasRoom(endpoint, host),
      hasFlow: (source, destination) =>
        host?.table.flows.has(host.table.flowKey(source, destination)) ?? false,
      hostFlows: host?.table.flows.size ?? 0,
      allFlows: this.#remoteFlows,
    });
  }

  #update(host: Host, update: TableUpdate, sequence: number): void {
    const { table } = host;
    host.tableSequence = sequence;
    host.complete ||= update.whole;
    if (update.whole) this.#removeUnlisted(host, update);
    for (const { number, addresses, gone } of update.endpoints) {
      this.#setEndpoint(host, number, gone ? undefined : addresses);
    }
    const { sources, destinations, states } = update.flows;
    for (let at = 0; at < sources.length; at++) {
      this.#setFlow(host, table.flowKey(sources[at]!, destinations[at]!), states[at]!);
    }
    if (update.whole && table.setMeshAddresses(update.meshAddresses)) this.hostsVersion++;
  }

  #removeUnlisted(host: Host, { endpoints, flows }: TableUpdate): void {
    const { table } = host;
    const numbers = new Set(endpoints.map(({ number }) => number));
    for (const number of [...table.endpoints.keys()]) {
      if (!numbers.has(number)) this.#setEndpoint(host, number, undefined);
    }
    const keys = new Set(flows.sources.map((source, at) => table.flowKey(source, flows.destinations[at]!)));
    for (const key of [...table.flows.keys()]) {
      if (!keys.has(key)) this.#setFlow(host, key, 0);
    }
  }

  #setEndpoint(host: Host, number: number, addresses: readonly string[] | undefined): boolean {
    if (!host.table.setEndpoint(number, addresses)) return false;
    if (addresses === undefined) this.#claims.release(number, host);
    else this.#claims.claim(number, host);
    this.endpointsVersion++;
    // Which flows count depends on who has their sources.
    this.flowsVersion++;
    return true;
  }

  #setFlow(host: Host, key: number, state: number): void {
    const before = host.table.flows.size;
    if (!host.table.setFlow(key, state)) return;
    this.#remoteFlows += host.table.flows.size - before;
    this.flowsVersion++;
  }

  #heard(host: Host, { sequence, commandDigest, timed }: AgentMessage): void {
    host.sequence = sequence;
    host.commandDigest = commandDigest;
    this.#setTimed(host, timed);
  }

  #setTimed(host: Host, timed: boolean): void {
    if (host.timed !== timed) this.hostsVersion++;
    host.timed = timed;
  }

  #newHost(name: string, peer: string, incarnation: number): Host {
    const table = new HostTable(this.#options.endpointNames.length);
    const heard = { sequence: 0, tableSequence: 0, lastHeard: 0, complete: false };
    return { name, peer, incarnation, table, ...heard, commandDigest: EMPTY_DIGEST, timed: false };
  }

  #add({ host: name, incarnation }: Sender, peer: string): Host {
    const host = this.#newHost(name, peer, incarnation);
    this.#hosts.set(name, host);
    this.#hostOfPeer.set(peer, host);
    this.#gone.delete(peer);
    this.hostsVersion++;
    return host;
  }

  #leave({ host, incarnation, sequence }: AgentMessage, peer: string, now: number): void {
    const known = this.#hosts.get(host);
    if (known) this.#remove(known);
    this.#gone.set(peer, { host, incarnation, sequence, left: true }, now);
  }

  #remove(host: Host): void {
    for (const number of [...host.table.endpoints.keys()]) this.#setEndpoint(host, number, undefined);
    if (host.table.flows.size > 0) this.flowsVersion++;
    this.#remoteFlows -= host.table.flows.size;
    this.#hosts.delete(host.name);
    this.#hostOfPeer.delete(host.peer);
    this.hostsVersion++;
  }

  #silentFor(now: number, ms: number): Host[] {
    return [...this.#hosts.values()].filter(({ lastHeard }) => now - lastHeard > ms);
  }
}

/** Who issues a command tells of it himself; others give it only to those who ask. */
function foreignCommand({ host, commands }: AgentMessage): Rejection | undefined {
  const foreign = commands.find(({ origin }) => origin !== host);
  return foreign && reject('COMMAND_FOREIGN', `${host} speaks for ${foreign.origin}`);
}

/** How long a conflict that was announced is shown after it was last seen: ten heartbeats. */
const CONFLICT_SHOWN_MS = 10_000;
/** Whoever has not come back by then has gone for good, as far as others' commands are concerned. */
const SILENCE_SHOWN_MS = 600_000;
