/**
 * An agent's part in the mesh: tells the others what changed here, learns from them, notices what was lost and asks
 * for it. Steady traffic costs one heartbeat a second.
 */
import type { Command, NewCommand } from '../../../proto/command.ts';
import type { Clock, Timers } from '../../clock/clock.ts';
import { ClockSync } from '../../clock/clock-sync.ts';
import { ExperimentClock } from '../../clock/experiment-clock.ts';
import type { CommandSet } from '../members/command-set.ts';
import { MeshView } from '../members/mesh-view.ts';
import { Admission } from '../trust/admission.ts';
import { requireHostName } from '../trust/host-name.ts';
import { decodeAgentMessage, type EndpointChange, type FlowColumns } from '../wire/codec.ts';
import { isRejection, reject } from '../wire/rejections.ts';
import type { MeshTransport } from '../wire/transport.ts';
import { Answers } from './answers.ts';
import { MeshCounters, type MeshStats } from './mesh-counters.ts';
import { newCommand } from './new-command.ts';
import { changeEndpoints, changeFlows, type FlowChange, type OwnEndpoint } from './own-table.ts';
import { PassOn } from './pass-on.ts';
import { PeerLimits } from './peer-limits.ts';
import { Questions } from './questions.ts';
import type { MeshLog } from './rejection-log.ts';
import { Repairs } from './repairs.ts';
import { type Said, Speaker } from './speaker.ts';
import { Watch } from './watch.ts';

/** Two may be lost in a row before a host is silent. Halving it doubles what steady traffic costs. */
export const HEARTBEAT_MS = 1000;
/**
 * A dead host's flows hold back others' for as long; a shorter time drops hosts that only stutter. With what it takes to
 * notice (`CHECKS_PER_HEARTBEAT`) all have dropped it 3 s after it was heard last.
 */
export const SILENT_AFTER_MS = 2750;
/** How often silence is looked for, in parts of a heartbeat. */
const CHECKS_PER_HEARTBEAT = 4;
/** Commands that come together are acknowledged once. */
const ACKNOWLEDGE_MS = 20;
/** A clock that was set back by more between two runs of an agent keeps it from being heard: one year. */
export const MAX_CLOCK_BACK_MS = 365 * 86_400_000;

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

export class Mesh {
  readonly view: MeshView;
  readonly time: ExperimentClock;
  readonly clocks: ClockSync;
  readonly #ports: MeshPorts;
  readonly #options: Required<MeshOptions>;
  readonly #speaker: Speaker;
  readonly #repairs: Repairs;
  readonly #listeners = new Set<() => void>();
  readonly #answers: Answers;
  readonly #limits: PeerLimits;
  readonly #counters: MeshCounters;
  readonly #passOn: PassOn;
  readonly #watch: Watch;
  #commandNumber = 0;
  #seenHosts = -1;
  #lastCheck = 0;
  /** When another agent was last heard under the own host's name. */
  #claimedAt = Number.NEGATIVE_INFINITY;
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
      admission: options.admission ?? new Admission({}, options.endpointNames),
    };
    const { clock, transport } = ports;
    const now = (): number => clock.now();
    this.#counters = new MeshCounters(ports.log, now);
    this.#limits = new PeerLimits(now);
    const incarnation = clock.wallNow();
    this.view = new MeshView({ ...this.#options, peer: transport.selfId, incarnation });
    this.time = ports.time ?? new ExperimentClock(clock);
    const parts = { clock, counters: this.#counters, limits: this.#limits };
    const questions = new Questions({ ...parts, transport, asking: () => this.#speaker.header() });
    this.clocks = new ClockSync(
      { clock, time: this.time, probe: (peer) => questions.time(peer), onTimed: () => this.#onTimed() },
      options.host,
    );
    const renew = (peer: string): void => transport.renew?.(peer);
    const isSparse = (): boolean => this.#watch.isSparse;
    this.#passOn = new PassOn({ ...this.#options, ask: () => this.#speaker.say(), renew, isSparse });
    this.#speaker = this.#createSpeaker(incarnation);
    this.#repairs = this.#createRepairs(questions);
    this.#watch = this.#createWatch();
    this.commands.onChange(() => {
      this.#acknowledge();
      this.#notify();
    });
    const { view, time, clocks } = this;
    const header = () => this.#speaker.header();
    this.#answers = new Answers({ ...parts, ...this.#options, view, time, clocks, header });
  }

  #createSpeaker(incarnation: number): Speaker {
    const ports = {
      transport: this.#ports.transport,
      view: this.view,
      counters: this.#counters,
      isTimed: () => this.clocks.timed,
      isPassOnAsked: () => this.#passOn.asked,
      isSparse: () => this.#watch.isSparse,
    };
    return new Speaker(ports, this.#options, incarnation);
  }

  #createRepairs(questions: Questions): Repairs {
    return new Repairs({
      ...this.#options,
      ...this.#ports,
      view: this.view,
      questions,
      counters: this.#counters,
      isRunning: () => this.#running,
      doubt: (gone) => this.#watch.doubt(gone),
      onAnswer: (incarnation, peer) => {
        this.#pass(incarnation, peer);
        this.#notify();
      },
    });
  }

  #createWatch(): Watch {
    return new Watch({
      ...this.#options,
      transport: this.#ports.transport,
      view: this.view,
      say: (said) => this.#speaker.say(said),
      ask: (peer) => this.#repairs.want(peer),
    });
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
      onPeer: (peer) => this.#onPeer(peer),
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
    this.#repairs.stop();
    this.#speaker.say({ leaving: true });
    await this.#ports.transport.stop();
  }

  /**
   * Tells which endpoints this host has now: all of them, each time. What changed is announced, and what is not among them
   * any more is withdrawn; both at any time while the agent runs. Throws `MeshError` (`MESH_ENDPOINT`).
   */
  announceEndpoints(endpoints: readonly OwnEndpoint[]): void {
    const changes = changeEndpoints(this.view, endpoints, this.#options.endpointNames);
    if (changes.length > 0) this.#tell(changes, { sources: [], destinations: [], states: [] });
  }

  /**
   * From now on, only `host` may have the endpoint, whichever was its host before; every agent has to be told. A move goes
   * in this order: withdrawn by the former host, assigned to the next one everywhere, announced there.
   */
  assign(endpoint: number, host: string): void {
    this.#options.admission.assign(endpoint, host);
  }

  /** Tells of flows from own endpoints that started, changed or stopped. What is known already is not repeated. */
  announceFlows(changes: readonly FlowChange[]): void {
    const flows = changeFlows(this.view, changes);
    if (flows.sources.length === 0) return;
    this.#counters.announced(flows.sources.length);
    this.#tell([], flows);
  }

  /** Tells all agents, those that come later too. Throws `MeshError` (`MESH_COMMAND`, `MESH_COMMANDS_FULL`). */
  command(what: NewCommand): Command {
    const { host: origin } = this.#options;
    const { incarnation } = this.#speaker;
    const number = this.#commandNumber + 1;
    const command = newCommand(what, { origin, incarnation, number }, this.commands.size);
    this.#commandNumber++;
    this.commands.take([command]);
    if (this.#running) this.#speaker.say({ commands: [command] });
    return command;
  }

  /** Calls `listener` after hosts, their commands, endpoints or flows have changed; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(endpoints: readonly EndpointChange[], flows: FlowColumns): void {
    if (this.#running) this.#speaker.say({ update: { whole: false, meshAddresses: [], endpoints, flows } });
    this.#notify();
  }

  #heartbeat(): void {
    this.view.own.setMeshAddresses(this.#ports.transport.addresses);
    this.#speaker.say();
    this.clocks.beat();
  }

  #onTimed(): void {
    this.view.setOwnTimed(true);
    if (this.#running) this.#speaker.say(this.#toAll());
  }

  /** Says that it has new commands: users wait for it. */
  #acknowledge(): void {
    this.#cancelAcknowledgement();
    this.#cancelAcknowledgement = this.#ports.timers.after(ACKNOWLEDGE_MS, () => {
      if (this.#running) this.#speaker.say(this.#toAll());
    });
  }

  /** With it, what would be a heartbeat comes to those, too, that don't hear this agent itself. */
  #toAll(): Said {
    return this.#watch.isSparse ? { spread: true } : {};
  }

  #check(): void {
    const now = this.#ports.clock.now();
    const { heartbeatMs, silentAfterMs } = this.#options;
    const late = now - this.#lastCheck - heartbeatMs / CHECKS_PER_HEARTBEAT;
    this.#lastCheck = now;
    if (late > heartbeatMs) this.#returned(late);
    const dropped = this.view.expire(now);
    for (const { name } of dropped) this.#ports.log?.warn({ host: name }, 'host is silent, dropped');
    this.#watch.noteDropped(dropped);
    this.#watch.check(now);
    this.#tellClocks();
    // A host may be silent because gossip doesn't reach here: two thirds into its time, ask it.
    const silent = this.view.members.silentFor(now, (silentAfterMs * 2) / 3);
    for (const { peer } of silent) this.#repairs.want(peer);
    for (const peer of this.#watch.doubtful(now)) this.#repairs.want(peer);
    this.#repairs.proceed();
    this.#passOn.check(this.view.members.others(), now);
    this.#notify();
  }

  /** A connection to one that is known and far was made for a question; there is nothing else to ask. */
  #onPeer(peer: string): void {
    const host = this.view.members.ofPeer(peer);
    if (!host?.complete || host.near) this.#repairs.wantAnew(peer);
  }

  /** After `ms` in which this agent didn't run, and was perhaps taken for gone. */
  #returned(ms: number): void {
    this.view.excuse(ms);
    if (this.#watch.isSparse) this.#speaker.say({ update: this.view.own.toUpdate() });
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
    else if (message.update?.whole) this.#ports.transport.learn(peer, message.update.meshAddresses);
    this.#watch.hear(message, peer, now);
    if (result.repair) this.#repairs.want(peer);
    this.#notify();
    return this.#passOn.isWanted(message, peer, now);
  }

  /**
   * The others ignore this agent if they have heard a later incarnation of it, as happens after a restart with the clock
   * set back. It takes the next one then, unless another agent is using its host's name now, or who answers lies: from an
   * incarnation near the largest number there would be no next.
   */
  #pass(incarnation: number, peer: string): void {
    const disputed = this.#ports.clock.now() - this.#claimedAt <= this.#options.silentAfterMs;
    if (incarnation <= this.#speaker.incarnation || disputed) return;
    if (incarnation > this.#ports.clock.wallNow() + MAX_CLOCK_BACK_MS) {
      this.#counters.rejected(reject('INCARNATION_FUTURE', `this agent is said to be ${incarnation}`), {
        peer,
      });
      return;
    }
    this.#speaker.incarnation = incarnation + 1;
    this.view.renew(incarnation + 1);
    this.#heartbeat();
  }

  #tellClocks(): void {
    const { hostsVersion } = this.view;
    if (hostsVersion === this.#seenHosts) return;
    this.#seenHosts = hostsVersion;
    this.clocks.setPeers(this.view.hosts().filter(({ self }) => !self));
  }

  #notify(): void {
    const { hostsVersion, endpointsVersion, flowsVersion, commandsVersion } = this.view;
    // Among many, hosts come and go in numbers, and who is a neighbour is seen with each check.
    if (!this.#watch.isSparse) this.#tellClocks();
    const versions = `${hostsVersion} ${endpointsVersion} ${flowsVersion} ${commandsVersion} ${this.commands.size}`;
    if (versions === this.#notified) return;
    this.#notified = versions;
    for (const listener of this.#listeners) listener();
  }
}
