/**
 * An agent's part in the mesh: tells the others what changed here, learns from them, notices what was lost and asks
 * for it. Steady traffic costs one heartbeat a second.
 */
import type { Clock, Timers } from '../clock.ts';
import {
  decodeAgentMessage,
  decodeStateReply,
  decodeStateRequest,
  type EndpointChange,
  encodeAgentMessage,
  encodeStateReply,
  encodeStateRequest,
  type FlowColumns,
  HOST_NAME,
  isRejection,
  type KnownAgent,
  type StateReply,
  type TableUpdate,
} from './codec.ts';
import { MeshError } from './errors.ts';
import { MAX_GOSSIP_BYTES, MAX_HOST_NAME_LENGTH } from './limits.ts';
import { MeshCounters, type MeshLog, type MeshStats } from './mesh-counters.ts';
import { MeshView } from './mesh-view.ts';
import { encodeRate } from './rate-code.ts';
import { StateRequests } from './state-requests.ts';
import type { MeshTransport } from './transport.ts';

/** A third of `SILENT_AFTER_MS`: two may be lost in a row. Halving it doubles what steady traffic costs. */
export const HEARTBEAT_MS = 1000;
/** A dead host's flows hold back others' for as long; a shorter time drops hosts that only stutter. */
export const SILENT_AFTER_MS = 3000;
/** How often silence is looked for, in parts of a heartbeat. */
const CHECKS_PER_HEARTBEAT = 4;
/** Answers to one peer per heartbeat; one that repairs needs one. */
const MAX_ANSWERS_PER_HEARTBEAT = 8;
/** More than one, as one may be gone. */
const REMEMBERED_ANSWERS = 4;

export interface MeshOptions {
  /** First 8 bytes of the topology's content hash, as 16 hexadecimal digits. */
  readonly topology: string;
  /** `Graph.endpoints` */
  readonly endpointNames: readonly string[];
  /** Name of this host, which is unique among the hosts; 1 to 64 printable ASCII characters. */
  readonly host: string;
  /** Default `HEARTBEAT_MS`. */
  readonly heartbeatMs?: number;
  /** Default `SILENT_AFTER_MS`. */
  readonly silentAfterMs?: number;
}

export interface MeshPorts {
  readonly transport: MeshTransport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log?: MeshLog;
}

export interface OwnEndpoint {
  readonly number: number;
  /** IPv4 or IPv6, at most 8. */
  readonly addresses: readonly string[];
}

export interface FlowChange {
  readonly source: number;
  readonly destination: number;
  /** bit/s, announced as `announcedRate` has it; 0: the flow has stopped. */
  readonly rateBps: number;
  readonly greedy: boolean;
}

export class Mesh {
  readonly view: MeshView;
  readonly #ports: MeshPorts;
  readonly #options: Required<MeshOptions>;
  readonly #requests: StateRequests;
  readonly #listeners = new Set<() => void>();
  readonly #answers = new Map<string, number>();
  readonly #counters: MeshCounters;
  #incarnation: number;
  #sequence = 0;
  #lastCheck = 0;
  /** When another agent was last heard under the own host's name. */
  #claimedAt = Number.NEGATIVE_INFINITY;
  /** Peers that answered, the latest first; and when one of them was asked for others' addresses. */
  #answered: string[] = [];
  #askedAroundAt = Number.NEGATIVE_INFINITY;
  #notified = '';
  #cancelTimers: (() => void)[] = [];
  #running = false;

  /** Throws `MeshError` (`MESH_HOST_NAME`). */
  constructor(ports: MeshPorts, options: MeshOptions) {
    checkHostName(options.host);
    this.#ports = ports;
    this.#options = {
      ...options,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      silentAfterMs: options.silentAfterMs ?? SILENT_AFTER_MS,
    };
    this.#counters = new MeshCounters(ports.log);
    this.#incarnation = ports.clock.wallNow();
    this.view = new MeshView({
      ...this.#options,
      peer: ports.transport.selfId,
      incarnation: this.#incarnation,
    });
    this.#requests = new StateRequests(
      (peer) => this.#request(peer),
      () => ports.clock.now(),
    );
  }

  get stats(): MeshStats {
    return this.#counters.stats;
  }

  async start(): Promise<void> {
    const { transport, timers, clock } = this.#ports;
    this.#running = true;
    await transport.start({
      onGossip: (bytes, peer) => this.#onGossip(bytes, peer),
      onRequest: (bytes, peer) => this.#onRequest(bytes, peer),
      onPeer: (peer) => this.#requests.wantAnew(peer),
    });
    this.#lastCheck = clock.now();
    this.#heartbeat();
    const { heartbeatMs } = this.#options;
    this.#cancelTimers = [
      timers.every(heartbeatMs, () => this.#heartbeat()),
      timers.every(heartbeatMs / CHECKS_PER_HEARTBEAT, () => this.#check()),
    ];
  }

  /** Says that this host leaves, so that the others need not wait for its silence. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    for (const cancel of this.#cancelTimers) cancel();
    this.#requests.clear();
    this.#publish(undefined, true);
    await this.#ports.transport.stop();
  }

  /** Tells which endpoints this host has now: all of them, each time. */
  announceEndpoints(endpoints: readonly OwnEndpoint[]): void {
    const changes: EndpointChange[] = [];
    const kept = new Set(endpoints.map(({ number }) => number));
    for (const number of [...this.view.own.endpoints.keys()]) {
      if (kept.has(number)) continue;
      this.view.setOwnEndpoint(number, undefined);
      changes.push({ number, addresses: [], gone: true });
    }
    for (const { number, addresses } of endpoints) {
      if (this.view.setOwnEndpoint(number, [...addresses])) changes.push({ number, addresses, gone: false });
    }
    if (changes.length > 0) this.#tell(changes, { sources: [], destinations: [], states: [] });
  }

  /** Tells of flows from own endpoints that started, changed or stopped. What is known already is not repeated. */
  announceFlows(changes: readonly FlowChange[]): void {
    const flows = { sources: [] as number[], destinations: [] as number[], states: [] as number[] };
    const { own } = this.view;
    for (const { source, destination, rateBps, greedy } of changes) {
      const state = rateBps > 0 ? 2 * encodeRate(rateBps) + (greedy ? 1 : 0) : 0;
      if (!own.setFlow(own.flowKey(source, destination), state)) continue;
      flows.sources.push(source);
      flows.destinations.push(destination);
      flows.states.push(state);
    }
    if (flows.sources.length === 0) return;
    this.#counters.announced(flows.sources.length);
    this.#tell([], flows);
  }

  /** Calls `listener` after hosts, endpoints or remote flows have changed; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(endpoints: readonly EndpointChange[], flows: FlowColumns): void {
    if (this.#running) this.#publish({ whole: false, meshAddresses: [], endpoints, flows }, false);
    this.#notify();
  }

  #heartbeat(): void {
    this.view.own.setMeshAddresses(this.#ports.transport.addresses);
    this.#answers.clear();
    this.#publish(undefined, false);
  }

  #check(): void {
    const now = this.#ports.clock.now();
    const { heartbeatMs, silentAfterMs } = this.#options;
    const late = now - this.#lastCheck - heartbeatMs / CHECKS_PER_HEARTBEAT;
    this.#lastCheck = now;
    if (late > heartbeatMs) this.view.excuse(late);
    for (const host of this.view.expire(now)) this.#ports.log?.warn({ host }, 'host is silent, dropped');
    // A host may be silent because gossip doesn't reach here: two thirds into its time, ask it.
    for (const peer of this.view.silentPeers(now, (silentAfterMs * 2) / 3)) this.#requests.want(peer);
    this.#requests.proceed();
    this.#notify();
  }

  #publish(update: TableUpdate | undefined, leaving: boolean): void {
    this.#sequence++;
    const bytes = encodeAgentMessage({ ...this.#header(), ...(update && { update }), leaving });
    // Too much at once: the digest alone makes everyone ask for the whole, which is sent in one piece to each.
    const sent =
      bytes.length <= MAX_GOSSIP_BYTES ? bytes : encodeAgentMessage({ ...this.#header(), leaving });
    this.#counters.sent(sent);
    this.#ports.transport.publish(sent);
  }

  #header() {
    const { topology, host } = this.#options;
    const digest = this.view.own.digest;
    return { topology, host, incarnation: this.#incarnation, sequence: this.#sequence, digest };
  }

  #onGossip(bytes: Uint8Array, peer: string): boolean {
    if (!this.#running) return false;
    this.#counters.received(bytes);
    const message = decodeAgentMessage(bytes);
    if (isRejection(message)) return this.#counters.rejected(message, peer);
    const result = this.view.apply(message, peer, this.#ports.clock.now());
    if (isRejection(result)) {
      if (result.rejected === 'HOST_CLAIMED' && message.host === this.#options.host) {
        this.#claimedAt = this.#ports.clock.now();
      }
      this.#counters.rejected(result, peer);
      return result.rejected === 'STALE_SEQUENCE';
    }
    if (message.leaving) this.#ports.transport.learn(peer, []);
    if (result.repair) this.#requests.want(peer);
    this.#notify();
    return true;
  }

  #onRequest(bytes: Uint8Array, peer: string): Uint8Array | undefined {
    if (!this.#running) return undefined;
    this.#counters.received(bytes);
    const answers = this.#answers.get(peer) ?? 0;
    const asking = decodeStateRequest(bytes);
    const refused = isRejection(asking)
      ? asking
      : answers >= MAX_ANSWERS_PER_HEARTBEAT
        ? { rejected: 'REQUEST_RATE' as const, reason: `more than ${answers} questions in a heartbeat` }
        : undefined;
    if (refused || isRejection(asking)) {
      this.#counters.rejected(refused!, peer);
      return undefined;
    }
    this.#answers.set(peer, answers + 1);
    const reply = encodeStateReply({
      state: { ...this.#header(), update: this.view.own.toUpdate(), leaving: false },
      known: this.#knownAgents(peer),
      yourIncarnation: this.view.incarnationOf(asking.host),
    });
    this.#counters.sent(reply);
    return reply;
  }

  #knownAgents(asking: string): KnownAgent[] {
    return this.view
      .hosts()
      .filter(({ self, peer, meshAddresses }) => !self && peer !== asking && meshAddresses.length > 0)
      .map(({ peer, meshAddresses }) => ({ peer, addresses: meshAddresses }));
  }

  async #request(peer: string): Promise<void> {
    const { topology, host } = this.#options;
    const question = encodeStateRequest({ topology, host, incarnation: this.#incarnation });
    this.#counters.sent(question);
    try {
      const bytes = await this.#ports.transport.request(peer, question);
      if (!this.#running) return;
      this.#counters.received(bytes);
      const reply = decodeStateReply(bytes);
      if (isRejection(reply)) this.#counters.rejected(reply, peer);
      else this.#onReply(reply, peer);
    } catch {
      this.#askAround(peer);
    }
  }

  /**
   * `silent` can't be asked, perhaps because only its gossip has come here, through others, and not its address. Those
   * that answered before may know it. Otherwise it will be asked again when it is heard, and dropped when it is not.
   */
  #askAround(silent: string): void {
    const now = this.#ports.clock.now();
    const other = this.#answered.find((peer) => peer !== silent);
    if (!this.#running || other === undefined || now - this.#askedAroundAt < this.#options.heartbeatMs)
      return;
    this.#askedAroundAt = now;
    this.#requests.want(other);
  }

  #onReply({ state, known, yourIncarnation }: StateReply, peer: string): void {
    const { clock, transport } = this.#ports;
    const result = this.view.apply(state, peer, clock.now(), true);
    if (isRejection(result)) {
      this.#counters.rejected(result, peer);
      return;
    }
    this.#counters.repaired();
    this.#answered = [peer, ...this.#answered.filter((other) => other !== peer)].slice(0, REMEMBERED_ANSWERS);
    if (state.update) transport.learn(peer, state.update.meshAddresses);
    this.#pass(yourIncarnation);
    for (const agent of known) {
      if (agent.peer === transport.selfId || this.view.isComplete(agent.peer)) continue;
      transport.learn(agent.peer, agent.addresses);
      this.#requests.wantAnew(agent.peer);
    }
    this.#notify();
  }

  /**
   * The others ignore this agent if they have heard a later incarnation of its host, as happens after a restart with
   * the clock set back. It takes the next one then, unless another agent is using the name now.
   */
  #pass(incarnation: number): void {
    const disputed = this.#ports.clock.now() - this.#claimedAt <= this.#options.silentAfterMs;
    if (incarnation <= this.#incarnation || disputed) return;
    this.#incarnation = incarnation + 1;
    this.view.renew(this.#incarnation);
    this.#heartbeat();
  }

  #notify(): void {
    const { hostsVersion, endpointsVersion, flowsVersion } = this.view;
    const versions = `${hostsVersion} ${endpointsVersion} ${flowsVersion}`;
    if (versions === this.#notified) return;
    this.#notified = versions;
    for (const listener of this.#listeners) listener();
  }
}

function checkHostName(host: string): void {
  if (HOST_NAME.test(host)) return;
  throw new MeshError('MESH_HOST_NAME', `${JSON.stringify(host)} can't be the name of a host`, {
    remedy: `use 1 to ${MAX_HOST_NAME_LENGTH} printable ASCII characters without spaces`,
    blame: 'input',
  });
}
