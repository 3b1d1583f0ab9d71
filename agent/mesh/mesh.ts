/**
 * An agent's part in the mesh: tells the others what changed here, learns from them, notices what was lost and asks
 * for it. Steady traffic costs one heartbeat a second.
 */
import type { Command } from '../../proto/control.ts';
import { ClockSync } from '../clock/clock-sync.ts';
import { ExperimentClock } from '../clock/experiment-clock.ts';
import type { Clock, Timers } from '../clock.ts';
import { Admission } from './admission.ts';
import { Answers } from './answers.ts';
import {
  type AgentMessage,
  decodeAgentMessage,
  type EndpointChange,
  encodeAgentMessage,
  type FlowColumns,
  type StateReply,
  type TableUpdate,
} from './codec.ts';
import type { CommandSet } from './command-set.ts';
import { requireHostName } from './host-name.ts';
import { MAX_GOSSIP_BYTES } from './limits.ts';
import { MeshCounters, type MeshLog, type MeshStats } from './mesh-counters.ts';
import { MeshView } from './mesh-view.ts';
import { type NewCommand, newCommand } from './new-command.ts';
import { PassOn } from './pass-on.ts';
import { PeerLimits } from './peer-limits.ts';
import { Questions } from './questions.ts';
import { encodeRate } from './rate-code.ts';
import { isRejection, reject } from './rejections.ts';
import { StateRequests } from './state-requests.ts';
import type { MeshTransport } from './transport.ts';

/** A third of `SILENT_AFTER_MS`: two may be lost in a row. Halving it doubles what steady traffic costs. */
export const HEARTBEAT_MS = 1000;
/** A dead host's flows hold back others' for as long; a shorter time drops hosts that only stutter. */
export const SILENT_AFTER_MS = 3000;
/** How often silence is looked for, in parts of a heartbeat. */
const CHECKS_PER_HEARTBEAT = 4;
/** Commands that come together are acknowledged once. */
const ACKNOWLEDGE_MS = 20;
/** A clock that was set back by more between two runs of an agent keeps it from being heard: one year. */
export const MAX_CLOCK_BACK_MS = 365 * 86_400_000;
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
  /** Default: everybody, with all endpoints. */
  readonly admission?: Admission;
}

export interface MeshPorts {
  readonly transport: MeshTransport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log?: MeshLog;
  /** The experiment's clock, which is kept with the others'; if absent, one is made. */
  readonly time?: ExperimentClock;
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
  readonly time: ExperimentClock;
  readonly clocks: ClockSync;
  readonly #ports: MeshPorts;
  readonly #options: Required<MeshOptions>;
  readonly #requests: StateRequests;
  readonly #listeners = new Set<() => void>();
  readonly #answers: Answers;
  readonly #questions: Questions;
  readonly #limits: PeerLimits;
  readonly #counters: MeshCounters;
  readonly #passOn: PassOn;
  #incarnation: number;
  #sequence = 0;
  #commandNumber = 0;
  #seenHosts = -1;
  #lastCheck = 0;
  /** When another agent was last heard under the own host's name. */
  #claimedAt = Number.NEGATIVE_INFINITY;
  /** Peers that answered, the latest first; and when one of them was asked for others' addresses. */
  #answered: string[] = [];
  #askedAroundAt = Number.NEGATIVE_INFINITY;
  #notified = '';
  #cancelTimers: (() => void)[] = [];
  #cancelAcknowledgement: () => void = () => {};
  #running = false;

  /** Throws `MeshError` (`MESH_HOST_NAME`). */
  constructor(ports: MeshPorts, options: MeshOptions) {
    requireHostName(options.host);
    this.#ports = ports;
    this.#options = {
      ...options,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      silentAfterMs: options.silentAfterMs ?? SILENT_AFTER_MS,
      admission: options.admission ?? new Admission(),
    };
    const { clock, transport } = ports;
    const now = (): number => clock.now();
    this.#counters = new MeshCounters(ports.log, now);
    this.#limits = new PeerLimits(now);
    this.#incarnation = clock.wallNow();
    this.view = new MeshView({
      ...this.#options,
      peer: transport.selfId,
      incarnation: this.#incarnation,
    });
    const renew = (peer: string): void => transport.renew?.(peer);
    this.#passOn = new PassOn({ ...this.#options, ask: () => this.#publish(undefined, false), renew });
    this.#requests = new StateRequests((peer) => this.#request(peer), now);
    const header = () => this.#header(false);
    const parts = { clock, counters: this.#counters, limits: this.#limits };
    this.#questions = new Questions({ ...parts, transport, asking: header });
    this.time = ports.time ?? new ExperimentClock(clock);
    this.clocks = new ClockSync(
      { clock, time: this.time, probe: (peer) => this.#questions.time(peer), onTimed: () => this.#onTimed() },
      options.host,
    );
    this.commands.onChange(() => this.#acknowledge());
    const { view, time, clocks } = this;
    this.#answers = new Answers({ ...parts, ...this.#options, view, time, clocks, header });
  }

  /** What users have told all agents, in the order in which it takes effect. */
  get commands(): CommandSet {
    return this.view.commands;
  }

  get stats(): MeshStats {
    return this.#counters.stats;
  }

  async start(): Promise<void> {
    const { transport, timers, clock } = this.#ports;
    this.#running = true;
    await transport.start({
      onGossip: (bytes, peer, via) => this.#onGossip(bytes, peer, via),
      onHeard: (peer) => this.#passOn.heard(peer, clock.now()),
      onRequest: (kind, bytes, peer) => (this.#running ? this.#answers.answer(kind, bytes, peer) : undefined),
      onPeer: (peer) => this.#requests.wantAnew(peer),
      onRefused: (rejection, origin) => this.#counters.rejected(rejection, origin),
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
    this.#cancelAcknowledgement();
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

  /** Tells all agents, those that come later too. Throws `MeshError` (`MESH_COMMAND`, `MESH_COMMANDS_FULL`). */
  command(what: NewCommand): Command {
    const { host: origin } = this.#options;
    const incarnation = this.#incarnation;
    const number = this.#commandNumber + 1;
    const command = newCommand(what, { origin, incarnation, number }, this.commands.size);
    this.#commandNumber++;
    this.commands.take([command]);
    if (this.#running) this.#publish(undefined, false, [command]);
    return command;
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
    this.#publish(undefined, false);
    this.clocks.beat();
  }

  #onTimed(): void {
    this.view.setOwnTimed(true);
    if (this.#running) this.#publish(undefined, false);
  }

  /** Says that it has new commands: users wait for it. */
  #acknowledge(): void {
    this.#cancelAcknowledgement();
    this.#cancelAcknowledgement = this.#ports.timers.after(ACKNOWLEDGE_MS, () => {
      if (this.#running) this.#publish(undefined, false);
    });
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
    this.#passOn.check(this.view.hosts(), now);
    this.#notify();
  }

  #publish(update: TableUpdate | undefined, leaving: boolean, commands: readonly Command[] = []): void {
    this.#sequence++;
    const header = { ...this.#header(leaving), passOn: this.#passOn.asked };
    const bytes = encodeAgentMessage({ ...header, ...(update && { update }), commands });
    // Too much at once: the digest alone makes everyone ask for the whole, which is sent in one piece to each.
    const sent = bytes.length <= MAX_GOSSIP_BYTES ? bytes : encodeAgentMessage(header);
    this.#counters.sent(sent, 'gossip');
    this.#ports.transport.publish(sent);
  }

  #header(leaving: boolean): AgentMessage {
    const { topology, host } = this.#options;
    const { own, commands } = this.view;
    return {
      ...{ topology, host, incarnation: this.#incarnation, sequence: this.#sequence },
      ...{ digest: own.digest, leaving, timed: this.clocks.timed },
      ...{ commands: [], commandDigest: commands.digest },
    };
  }

  #onGossip(bytes: Uint8Array, peer: string, via = peer): boolean {
    if (!this.#running) return false;
    this.#counters.received(bytes, 'gossip');
    const origin = via === peer ? { peer } : { peer, via };
    const refused = this.#options.admission.refusePeer(peer) ?? this.#limits.refuseGossip(peer, bytes.length);
    const message = refused ?? decodeAgentMessage(bytes);
    if (isRejection(message)) return this.#counters.rejected(message, origin);
    const now = this.#ports.clock.now();
    const result = this.view.apply(message, peer, now);
    if (isRejection(result)) {
      if (result.rejected === 'HOST_CLAIMED' && message.host === this.#options.host) {
        this.#claimedAt = now;
      }
      this.#counters.rejected(result, origin);
      return result.rejected === 'STALE_SEQUENCE';
    }
    if (message.leaving) this.#ports.transport.learn(peer, []);
    if (result.repair) this.#requests.want(peer);
    this.#notify();
    return this.#passOn.isWanted(message, peer, now);
  }

  async #request(peer: string): Promise<void> {
    try {
      const reply = await this.#questions.state(peer);
      if (reply && this.#running) this.#onReply(reply, peer);
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

  #onReply({ state, known, yourIncarnation, commands }: StateReply, peer: string): void {
    const { clock, transport } = this.#ports;
    const result = this.view.apply(state, peer, clock.now(), true);
    const isCurrent = !isRejection(result) || result.rejected === 'STALE_SEQUENCE';
    // Commands don't become stale: where flows change all the time, an answer may always be late.
    if (isCurrent) this.commands.take(commands);
    if (isRejection(result)) {
      this.#counters.rejected(result, { peer });
      return;
    }
    this.#counters.repaired();
    this.#answered = [peer, ...this.#answered.filter((other) => other !== peer)].slice(0, REMEMBERED_ANSWERS);
    if (state.update) transport.learn(peer, state.update.meshAddresses);
    this.#pass(yourIncarnation, peer);
    for (const agent of known) {
      if (agent.peer === transport.selfId || this.view.isComplete(agent.peer)) continue;
      // Hearsay: without addresses it would make this agent forget a peer.
      if (agent.addresses.length === 0 || !this.#options.admission.admits(agent.peer)) continue;
      transport.learn(agent.peer, agent.addresses);
      this.#requests.wantAnew(agent.peer);
    }
    this.#notify();
  }

  /**
   * The others ignore this agent if they have heard a later incarnation of it, as happens after a restart with the clock
   * set back. It takes the next one then, unless another agent is using its host's name now, or who answers lies: from an
   * incarnation near the largest number there would be no next.
   */
  #pass(incarnation: number, peer: string): void {
    const disputed = this.#ports.clock.now() - this.#claimedAt <= this.#options.silentAfterMs;
    if (incarnation <= this.#incarnation || disputed) return;
    if (incarnation > this.#ports.clock.wallNow() + MAX_CLOCK_BACK_MS) {
      this.#counters.rejected(reject('INCARNATION_FUTURE', `this agent is said to be ${incarnation}`), {
        peer,
      });
      return;
    }
    this.#incarnation = incarnation + 1;
    this.view.renew(this.#incarnation);
    this.#heartbeat();
  }

  #notify(): void {
    const { hostsVersion, endpointsVersion, flowsVersion } = this.view;
    if (hostsVersion !== this.#seenHosts) {
      this.#seenHosts = hostsVersion;
      this.clocks.setPeers(this.view.hosts().filter(({ self }) => !self));
    }
    const versions = `${hostsVersion} ${endpointsVersion} ${flowsVersion}`;
    if (versions === this.#notified) return;
    this.#notified = versions;
    for (const listener of this.#listeners) listener();
  }
}
