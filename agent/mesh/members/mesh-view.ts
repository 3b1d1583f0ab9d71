/**
 * What an agent knows of all agents: which hosts are present, which endpoints they have, and their flows. Pure state;
 * time is an argument. Each host announces only itself, and each message contains the digest of its table.
 */
import type { AgentMessage, TableUpdate } from '../wire/codec.ts';
import { sameDigest } from '../wire/digest.ts';
import { MAX_ADDRESSES_PER_ENDPOINT } from '../wire/limits.ts';
import { decodeRate } from '../wire/rate-code.ts';
import { type Rejection, reject } from '../wire/rejections.ts';
import { wrongUpdate } from '../wire/update-limits.ts';
import { AddressClaims } from './address-claims.ts';
import { CommandDoor, wrongCommands } from './command-door.ts';
import { CommandSet } from './command-set.ts';
import { EndpointClaims } from './endpoint-claims.ts';
import type { HostTable } from './host-table.ts';
import { type Host, type LostHost, Membership, type MembershipOptions } from './membership.ts';
import type { MeshConflict, MeshEndpoint, MeshHost, RemoteFlow } from './model.ts';

export interface Applied {
  /** The digest of the sender's table or commands differs from what is known here: request the whole. */
  readonly repair: boolean;
  /** A part that does not count, although the rest does. */
  readonly ignored?: Rejection;
}

/**
 * A host with other commands than this agent for so long is asked, though it has fewer: it may have what is newer, and so have
 * left out what is old. Two heartbeats and a half; at five commands a second, hosts have the same several times in it.
 */
const OTHERWISE_MS = 2500;
/** So many conflicts about addresses are shown of each host. */
const MAX_ADDRESS_CONFLICTS = 8;

export class MeshView {
  /** Increase with every change of remote flows, of endpoints, of hosts. */
  flowsVersion = 0;
  endpointsVersion = 0;
  hostsVersion = 0;
  /** Increases when the commands of a host are others than before. */
  commandsVersion = 0;
  readonly commands: CommandSet;
  /** The way of commands into the set. */
  readonly door: CommandDoor;

  /** Endpoints that their hosts withdrew, until a host has them again. */
  readonly #withdrawn = new Set<number>();
  readonly #options: MembershipOptions;
  readonly members: Membership;
  readonly #claims = new EndpointClaims<Host>();
  readonly #addresses: AddressClaims;
  #remoteFlows = 0;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.commands = new CommandSet(options.leftOut);
    this.members = new Membership(options);
    this.door = new CommandDoor(this.commands, options);
    this.#addresses = new AddressClaims((address) => options.admission.endpointOf(address));
  }

  /** The own table. Its endpoints are set with `setOwnEndpoint`. */
  get own(): HostTable {
    return this.members.self.table;
  }

  /** Whether others may take the experiment's time from this agent's clock. */
  setOwnTimed(timed: boolean): void {
    this.#setTimed(this.members.self, timed);
  }

  setOwnEndpoint(number: number, addresses: readonly string[] | undefined, isReady = false): boolean {
    return this.#announced(this.members.self, number, addresses, isReady);
  }

  /** Gives the own host another incarnation. */
  renew(incarnation: number): void {
    const { self } = this.members;
    const numbers = [...self.table.endpoints.keys()];
    for (const number of numbers) this.#claims.release(number, self);
    self.incarnation = incarnation;
    for (const number of numbers) this.#claims.claim(number, self);
    this.endpointsVersion++;
    this.flowsVersion++;
  }

  /**
   * Applies a message that `peer` sent. `direct`: it is an answer to a request just sent, so it can't be a replay.
   */
  apply(message: AgentMessage, peer: string, now: number, direct = false): Applied | Rejection {
    const unfit = this.members.refuse(message, peer, direct, now);
    if (unfit) return unfit;
    if (message.leaving) {
      this.#leave(message, peer, now);
      return { repair: false };
    }
    const known = this.members.get(message.host);
    const current = known?.incarnation === message.incarnation ? known : undefined;
    const wrong =
      wrongCommands(message) ?? (message.update && this.#refuseUpdate(message.update, message.host, current));
    if (wrong) return wrong;
    if (known && !current) this.#remove(known);
    const host = current ?? this.#add(message, peer);
    if (direct || message.sequence > host.sequence) {
      host.lastHeard = now;
      host.suspectedAt = undefined;
    }
    if (message.sequence >= host.sequence) this.#heard(host, message);
    if (message.update) this.#update(host, message.update, message.sequence);
    const refused = this.door.take(message.commands);
    const repair = !sameDigest(host.table.digest, message.digest);
    const ignored = refused ?? (message.update && this.#ignored(host, message.update));
    return {
      repair: repair || this.#mayGain(host, message, now),
      ...(ignored && { ignored }),
    };
  }

  /** Whether the sender may have commands that this agent has not. */
  #mayGain(host: Host, { commandDigest }: AgentMessage, now: number): boolean {
    if (this.commands.isSame(commandDigest)) {
      host.otherCommandsSince = undefined;
      return false;
    }
    host.otherCommandsSince ??= now;
    return this.commands.mayGainFrom(commandDigest) || now - host.otherCommandsSince > OTHERWISE_MS;
  }

  /** Drops hosts that were silent for too long, with their endpoints and flows; returns them. */
  expire(now: number): Host[] {
    const gone = this.members.gone(now);
    for (const host of gone) {
      const { name, peer, incarnation, sequence } = host;
      this.members.noteGone(peer, { host: name, incarnation, sequence, left: false }, now);
      this.#remove(host);
    }
    return gone;
  }

  /** Names of hosts that were dropped without having left, for ten minutes. */
  silentHosts(now: number): string[] {
    return this.members.silentHosts(now);
  }

  /** Hosts that may not have all commands that this agent has: present ones that lag behind, and those that were lost. */
  untold(): LostHost[] {
    const behind = [...this.members.others()].filter((host) => !this.commands.isSame(host.commandDigest));
    const present = behind.map(({ name, peer }) => ({
      name,
      peer,
      addresses: this.members.addressesOf(peer),
    }));
    return [...present.sort((a, b) => (a.name < b.name ? -1 : 1)), ...this.members.lost()];
  }

  /** Whether a peer had the same commands in its last message. */
  isInStep(peer: string): boolean {
    const host = this.members.ofPeer(peer);
    return host !== undefined && this.commands.isSame(host.commandDigest);
  }

  /** Of all other hosts that this agent has met, also of those that are gone. */
  addressesEver(): string[] {
    const present = this.hosts().filter(({ self }) => !self);
    const all = [...present.flatMap((host) => host.meshAddresses), ...this.members.addressesOfGone()];
    return [...new Set(all)];
  }

  /** Compensates for a time in which this agent itself didn't run: the others were not silent, it did not receive. */
  excuse(ms: number): void {
    for (const host of this.members.others()) host.lastHeard += ms;
  }

  /** Sorted by name, with the own host. */
  hosts(): MeshHost[] {
    const { self } = this.members;
    return [self, ...this.members.others()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((host) => ({
        name: host.name,
        peer: host.peer,
        incarnation: host.incarnation,
        sequence: host.sequence,
        lastHeard: host.lastHeard,
        self: host === self,
        endpoints: host.table.endpoints.size,
        flows: host.table.flows.size,
        meshAddresses: host.table.meshAddresses,
        inStep: host === self || this.commands.isSame(host.commandDigest),
        timed: host.timed,
        near: host.near,
      }));
  }

  /**
   * Whether its host announced that it no longer has it, and no host has it since. Not so for endpoints of a host that
   * left, fell silent or started again.
   */
  isWithdrawn(number: number): boolean {
    return this.#withdrawn.has(number);
  }

  /** Whether the host that has the endpoint says that its service is ready. */
  isReady(number: number): boolean {
    return this.#claims.owner(number)?.table.ready.has(number) ?? false;
  }

  /**
   * By number; each with the host that has it, and with those of its addresses that belong to it, up to
   * `addressesPerEndpoint`.
   */
  endpoints(): MeshEndpoint[] {
    return this.#claims.owned().map((number) => {
      const owner = this.#claims.owner(number)!;
      const name = this.#options.endpointNames[number]!;
      return { number, name, addresses: this.#addressesOf(owner, number), host: owner.name };
    });
  }

  #addressesOf(host: Host, number: number): readonly string[] {
    const { addressesPerEndpoint = MAX_ADDRESSES_PER_ENDPOINT } = this.#options;
    const announced = host.table.endpoints.get(number) ?? [];
    const good = announced.filter((address) => this.#addresses.holder(address) === number);
    return good.length > addressesPerEndpoint ? good.slice(0, addressesPerEndpoint) : good;
  }

  /** What of an update does not count, because the addresses belong to other endpoints, or are too many. */
  #ignored(host: Host, { endpoints }: TableUpdate): Rejection | undefined {
    for (const { number, addresses, gone } of endpoints) {
      if (gone || this.#addressesOf(host, number).length === addresses.length) continue;
      const name = this.#options.endpointNames[number];
      const foreign = addresses.find((address) => this.#addresses.holder(address) !== number);
      if (foreign === undefined)
        return reject('TOO_MANY_ADDRESSES', `${host.name} gives ${name} ${addresses.length} addresses`);
      const holder = this.#options.endpointNames[this.#addresses.holder(foreign)!];
      return reject('ADDRESS_FOREIGN', `${host.name} gives ${name} the address ${foreign} of ${holder}`);
    }
    return undefined;
  }

  /**
   * Calls `visit` with each flow whose source endpoint belongs to the host that announced it, and not to this host.
   */
  forEachRemoteFlow(
    visit: (source: number, destination: number, rateBps: number, greedy: boolean) => void,
  ): void {
    for (const host of this.members.others()) {
      for (const [key, state] of host.table.flows) {
        const source = host.table.sourceOf(key);
        if (this.#claims.owner(source) !== host) continue;
        visit(source, host.table.destinationOf(key), decodeRate(state >>> 1), (state & 1) === 1);
      }
    }
  }

  /** The flows of `forEachRemoteFlow`, sorted by source and destination. */
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
    return [...endpoints, ...this.#addressConflicts(), ...this.members.conflicts(now)];
  }

  #addressConflicts(): MeshConflict[] {
    const { endpointNames } = this.#options;
    return [this.members.self, ...this.members.others()].flatMap((host) => {
      const found: MeshConflict[] = [];
      for (const [number, addresses] of host.table.endpoints) {
        if (found.length >= MAX_ADDRESS_CONFLICTS) break;
        const address = addresses.find((one) => this.#addresses.holder(one) !== number);
        if (address === undefined) continue;
        const holder = endpointNames[this.#addresses.holder(address)!]!;
        found.push({ kind: 'address', host: host.name, endpoint: endpointNames[number]!, address, holder });
      }
      return found;
    });
  }

  #refuseUpdate(update: TableUpdate, name: string, host: Host | undefined): Rejection | undefined {
    return wrongUpdate(update, {
      endpointCount: this.#options.endpointNames.length,
      lanes: this.members.lanes,
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
    for (const { number, addresses, gone, ready = false } of update.endpoints) {
      this.#announced(host, number, gone ? undefined : addresses, ready);
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
      if (!numbers.has(number)) this.#announced(host, number, undefined, false);
    }
    const keys = new Set(flows.sources.map((source, at) => table.flowKey(source, flows.destinations[at]!)));
    for (const key of [...table.flows.keys()]) {
      if (!keys.has(key)) this.#setFlow(host, key, 0);
    }
  }

  /** What a host itself says of its endpoint. */
  #announced(
    host: Host,
    number: number,
    addresses: readonly string[] | undefined,
    isReady: boolean,
  ): boolean {
    if (!this.#setEndpoint(host, number, addresses, isReady)) return false;
    if (addresses === undefined && this.#claims.owner(number) === undefined) this.#withdrawn.add(number);
    else this.#withdrawn.delete(number);
    return true;
  }

  #setEndpoint(
    host: Host,
    number: number,
    addresses: readonly string[] | undefined,
    isReady = false,
  ): boolean {
    const before = host.table.endpoints.get(number) ?? [];
    if (!host.table.setEndpoint(number, addresses, isReady)) return false;
    const isOwn = host === this.members.self;
    // In this order, what it keeps stays first of all claims.
    for (const address of addresses ?? []) this.#addresses.claim(address, number, isOwn);
    for (const address of before)
      this.#addresses.release(address, number, isOwn && !addresses?.includes(address));
    if (addresses === undefined) this.#claims.release(number, host);
    else this.#claims.claim(number, host);
    this.endpointsVersion++;
    // Which flows count depends on the owners of their sources.
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
    if (!sameDigest(host.commandDigest, commandDigest)) this.commandsVersion++;
    host.commandDigest = commandDigest;
    this.#setTimed(host, timed);
  }

  #setTimed(host: Host, timed: boolean): void {
    if (host.timed !== timed) this.hostsVersion++;
    host.timed = timed;
  }

  #add({ host: name, incarnation }: AgentMessage, peer: string): Host {
    this.hostsVersion++;
    return this.members.add(name, peer, incarnation);
  }

  #leave({ host, incarnation, sequence }: AgentMessage, peer: string, now: number): void {
    const known = this.members.get(host);
    this.members.noteGone(peer, { host, incarnation, sequence, left: true }, now);
    if (known) this.#remove(known);
  }

  #remove(host: Host): void {
    for (const number of [...host.table.endpoints.keys()]) this.#setEndpoint(host, number, undefined);
    if (host.table.flows.size > 0) this.flowsVersion++;
    this.#remoteFlows -= host.table.flows.size;
    this.members.remove(host);
    this.hostsVersion++;
  }
}
