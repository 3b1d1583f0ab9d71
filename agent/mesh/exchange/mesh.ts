/**
 * An agent's part in the mesh: announces local changes, receives those of others, notices what was lost and requests
 * it. Steady traffic costs one heartbeat a second.
 */
import type { Command, LeftOut, NewCommand } from '../../../proto/command.ts';
import type { Lanes } from '../../../proto/lanes.ts';
import { toMillis } from '../../../proto/units.ts';
import type { Clock, Timers } from '../../clock/clock.ts';
import { ClockSync } from '../../clock/clock-sync.ts';
import { ExperimentClock } from '../../clock/experiment-clock.ts';
import type { CommandSet } from '../members/command-set.ts';
import { MeshView } from '../members/mesh-view.ts';
import { Admission } from '../trust/admission.ts';
import type { CommandGuard } from '../trust/command-guard.ts';
import { requireHostName } from '../trust/host-name.ts';
import { decodeAgentMessage, type EndpointChange, type FlowColumns } from '../wire/codec.ts';
import { isRejection, reject } from '../wire/rejections.ts';
import type { MeshTransport } from '../wire/transport.ts';
import { Answers } from './answers.ts';
import { MeshCounters, type MeshStats } from './mesh-counters.ts';
import { OwnCommands } from './own-commands.ts';
import { changeEndpoints, changeFlows, type FlowChange, type OwnEndpoint } from './own-table.ts';
import { PassOn } from './pass-on.ts';
import { PeerLimits } from './peer-limits.ts';
import { Questions } from './questions.ts';
import type { MeshLog } from './rejection-log.ts';
import { Repairs } from './repairs.ts';
import { type Said, Speaker } from './speaker.ts';
import { Watch } from './watch.ts';

/** Two in a row may be lost before a host counts as silent. Halving it doubles the cost of steady traffic. */
export const HEARTBEAT_MS = 1000;
/**
 * The flows of a dead host hold back other flows for this long. A shorter time drops hosts that only pause. Including
 * the time to notice it (`CHECKS_PER_HEARTBEAT`), all hosts have dropped it 3 s after its last message.
 */
export const SILENT_AFTER_MS = 2750;
/** How often silence is checked per heartbeat. */
const CHECKS_PER_HEARTBEAT = 4;
/** Commands that arrive within this time are acknowledged together. */
const ACKNOWLEDGE_MS = 20;
/** If the clock was set back by more between two starts of an agent, the other agents ignore it: one year. */
export const MAX_CLOCK_BACK_MS = 365 * 86_400_000;

export interface MeshOptions {
  /** First 8 bytes of the topology's content hash, as 16 hexadecimal digits. */
  readonly topology: string;
  /** `Graph.endpoints` */
  readonly endpointNames: readonly string[];
  /** How flows say their paths. Default: each pair has one. */
  readonly lanes?: Lanes;
  /** Name of this host, unique among the hosts; 1 to 64 printable ASCII characters. */
  readonly host: string;
  /** Default `HEARTBEAT_MS`. */
  readonly heartbeatMs?: number;
  /** Default `SILENT_AFTER_MS`. */
  readonly silentAfterMs?: number;
  /** Default: every peer, with all endpoints. */
  readonly admission?: Admission;
  /** Who may give which commands; absent: every member may give all, and nobody signs. */
  readonly guard?: CommandGuard | undefined;
  /** Which commands of a set are left out as old; absent: none. */
  readonly leftOut?: LeftOut;
  /** How many addresses of an endpoint count; default `MAX_ADDRESSES_PER_ENDPOINT`. */
  readonly addressesPerEndpoint?: number;
}

export interface MeshPorts {
  readonly transport: MeshTransport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log?: MeshLog;
  /** The experiment's clock, which is kept equal to those of the others; if absent, one is made. */
  readonly time?: ExperimentClock;
}

export class Mesh {
  readonly view: MeshView;
  readonly time: ExperimentClock;
  readonly clocks: ClockSync;
  /** For commands that this agent accepts. */
  readonly own: OwnCommands;
  readonly #ports: MeshPorts;
  readonly #options: Required<Omit<MeshOptions, 'addressesPerEndpoint' | 'guard' | 'leftOut' | 'lanes'>> &
    Pick<MeshOptions, 'addressesPerEndpoint' | 'guard' | 'leftOut' | 'lanes'>;
  readonly #speaker: Speaker;
  readonly #repairs: Repairs;
  readonly #listeners = new Set<() => void>();
  readonly #answers: Answers;
  readonly #limits: PeerLimits;
  readonly #counters: MeshCounters;
  readonly #passOn: PassOn;
  readonly #watch: Watch;
  #seenHosts = -1;
  #lastCheck = 0;
  /** When another agent last used this host's name. */
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
    this.time = ports.time ?? new ExperimentClock(clock);
    const instant = (): number | undefined => this.time.now();
    this.view = new MeshView({ ...this.#options, peer: transport.selfId, incarnation, time: instant });
    const parts = { clock, counters: this.#counters, limits: this.#limits };
    const questions = new Questions({ ...parts, transport, asking: () => this.#speaker.header() });
    this.clocks = new ClockSync(
      {
        ...{ clock, time: this.time, probe: (peer) => questions.time(peer), onTimed: () => this.#onTimed() },
        onWrong: (peer, of, offset) => {
          const reason = `the clock of ${of} differs by ${toMillis(offset)} ms from those of most hosts`;
          this.#counters.rejected(reject('CLOCK_OUTVOTED', reason), { peer });
        },
      },
      options.host,
    );
    const renew = (peer: string): void => transport.renew?.(peer);
    const isSparse = (): boolean => this.#watch.isSparse;
    this.#passOn = new PassOn({ ...this.#options, ask: () => this.#speaker.say(), renew, isSparse });
    this.#speaker = this.#createSpeaker(incarnation);
    this.own = new OwnCommands({
      ...{ host: options.host, guard: options.guard, commands: this.commands },
      incarnation: () => this.#speaker.incarnation,
      send: (command) => {
        if (this.#running) this.#speaker.say({ commands: [command] });
      },
    });
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
      limits: this.#limits,
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

  /** The commands of users, in the order in which they take effect. */
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
      hostCount: () => this.view.members.count,
      isInStep: (peer) => this.view.isInStep(peer),
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

  /** Announces that this host leaves, so that the others need not wait for its silence. */
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
   * Sets the endpoints of this host: all that it has now. Changes are announced, and missing endpoints are withdrawn.
   * May be called at any time. Throws `MeshError` (`MESH_ENDPOINT`).
   */
  announceEndpoints(endpoints: readonly OwnEndpoint[]): void {
    const changes = changeEndpoints(this.view, endpoints, this.#options.endpointNames);
    if (changes.length > 0) this.#tell(changes, { sources: [], destinations: [], states: [] });
  }

  /**
   * From now on, only `host` may have the endpoint, whichever host had it before. It has to be called on every agent.
   * Order of a move: the former host withdraws the endpoint, every agent assigns it, the next host announces it.
   */
  assign(endpoint: number, host: string): void {
    this.#options.admission.assign(endpoint, host);
  }

  /** Announces flows from own endpoints that started, changed or stopped. Known values are not repeated. */
  announceFlows(changes: readonly FlowChange[]): void {
    const flows = changeFlows(this.view, changes);
    if (flows.sources.length === 0) return;
    this.#counters.announced(flows.sources.length);
    this.#tell([], flows);
  }

  /** Gives a command of this agent itself. Throws like `OwnCommands.command`. */
  command(what: NewCommand): Command {
    return this.own.command(what);
  }

  /**
   * Calls `listener` after hosts, their commands, endpoints or flows have changed. Returns a function that ends this.
   */
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

  /** Announces that it has new commands: users wait for this. */
  #acknowledge(): void {
    this.#cancelAcknowledgement();
    this.#cancelAcknowledgement = this.#ports.timers.after(ACKNOWLEDGE_MS, () => {
      if (this.#running) this.#speaker.say(this.#toAll());
    });
  }

  /** With this, the heartbeat also reaches agents that are not neighbours. */
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
    // Gossip of a silent host may not reach this agent: after two thirds of the time, the host is asked directly.
    const silent = this.view.members.silentFor(now, (silentAfterMs * 2) / 3);
    for (const { peer } of silent) this.#repairs.want(peer);
    for (const peer of this.#watch.doubtful(now)) this.#repairs.want(peer);
    this.#repairs.proceed();
    this.#passOn.check(this.view.members.others(), now);
    this.#notify();
  }

  /** The connection to a known host that is no neighbour was made for a request; nothing else has to be asked. */
  #onPeer(peer: string): void {
    const host = this.view.members.ofPeer(peer);
    if (!host?.complete || host.near) this.#repairs.wantAnew(peer);
  }

  /** After `ms` in which this agent didn't run, so that others may have dropped it. */
  #returned(ms: number): void {
    this.view.excuse(ms);
    if (this.#watch.isSparse) this.#speaker.say({ update: this.view.own.toUpdate() });
  }

  #onGossip(bytes: Uint8Array, peer: string, via = peer): boolean {
    if (!this.#running) return false;
    this.#counters.received(bytes, 'gossip');
    const origin = via === peer ? { peer } : { peer, via };
    const refused = this.#options.admission.refusePeer(peer) ?? this.#limits.refuseGossip(peer, bytes.length);
    const decoded = refused ?? decodeAgentMessage(bytes);
    const message = isRejection(decoded)
      ? decoded
      : (this.#limits.refuseCommands(peer, decoded.commands.length) ?? decoded);
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
    if (result.ignored) this.#counters.rejected(result.ignored, origin);
    if (message.leaving) this.#ports.transport.learn(peer, []);
    else if (message.update?.whole) this.#ports.transport.learn(peer, message.update.meshAddresses);
    this.#watch.receive(message, peer, now);
    if (result.repair) this.#repairs.want(peer);
    this.#notify();
    return this.#passOn.isWanted(message, peer, now);
  }

  /**
   * The others ignore this agent if they know a later incarnation of it, as happens after a restart with the clock
   * set back. It then takes the next incarnation. It does not if another agent is using its host's name now, or if
   * the answer lies: after an incarnation near the largest number there is no next one.
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
    // Among many hosts, several join and leave at once, and each check computes the neighbours.
    if (!this.#watch.isSparse) this.#tellClocks();
    const versions = `${hostsVersion} ${endpointsVersion} ${flowsVersion} ${commandsVersion} ${this.commands.version}`;
    if (versions === this.#notified) return;
    this.#notified = versions;
    for (const listener of this.#listeners) listener();
  }
}
