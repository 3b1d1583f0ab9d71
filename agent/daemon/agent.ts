/** One host's agent: wires the stages, keeps them ticking, and takes everything away again when it stops. */
import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bootstrap } from '../../proto/bootstrap.ts';
import type { AgentState } from '../../proto/status.ts';
import { micros } from '../../proto/units.ts';
import { loadTopology } from '../../topology/load.ts';
import type { Topology } from '../../topology/model/model.ts';
import { systemClock, systemTimers } from '../clock/clock.ts';
import { ExperimentClock } from '../clock/experiment-clock.ts';
import { CommandJournal } from '../control/command-journal.ts';
import { Control } from '../control/control.ts';
import { Applications } from '../endpoints/applications.ts';
import { Enforcer } from '../enforce/enforcer.ts';
import type { DelayBackend } from '../enforce/ports.ts';
import { Epoch } from '../epoch/epoch.ts';
import { AgentError } from '../errors.ts';
import { numbersByAddress } from '../kernel/netlink/addresses.ts';
import { chooseDelayBackend, createDelayBackend } from '../linux/delay/delay-backend.ts';
import { probeMachine } from '../linux/probe/probe.ts';
import { loadPrograms, type Programs } from '../linux/programs/programs.ts';
import { Journal } from '../linux/take-over/journal.ts';
import { journalKeeper } from '../linux/take-over/take-over.ts';
import type { Mesh } from '../mesh/exchange/mesh.ts';
import type { MeshTransport } from '../mesh/wire/transport.ts';
import { REHEARSAL, rehearse } from '../shape/rehearsal.ts';
import { type KnownEndpoint, Shaping } from '../shape/shaping.ts';
import { type LocalShare, ShareRecord } from '../tick/share-record.ts';
import { Soon } from '../tick/soon.ts';
import { Tick } from '../tick/tick.ts';
import { type Moment, Player } from '../timeline/player.ts';
import { TimelineRunner } from '../timeline/runner.ts';
import { WideArea } from '../underlay/wide-area.ts';
import { openMesh } from './open-mesh.ts';

/** Hosts join one after the other; those that join within this time are shaped for at once, and planned for once. */
const SETTLE_MS = 150;

/**
 * How often an interface is compared with what it shall be. It costs about 0.3 ms; with 100 endpoints on a host each has
 * its turn every 20 s. Several at once would make events wait.
 */
const AUDIT_MS = 200;

const ATTACHED_AT_ONCE = 32;

export class Agent {
  readonly bootstrap: Bootstrap;
  readonly topology: Topology;
  readonly applications: Applications;
  readonly timeline: TimelineRunner;
  readonly shareRecord = new ShareRecord();
  /** Since the experiment's start. */
  readonly time = new ExperimentClock(systemClock);
  readonly control: Control;
  readonly #player: Player;
  readonly #log: Logger;
  readonly #known = new Map<number, KnownEndpoint>();
  #state: AgentState = 'starting';
  #epoch: Epoch;
  readonly #beginning: Moment;
  #programs!: Programs;
  #delay!: DelayBackend;
  #enforcer!: Enforcer;
  #shaping!: Shaping;
  #transport!: MeshTransport;
  #mesh!: Mesh;
  #tick!: Tick;
  #wideArea!: WideArea;
  readonly #hearing = new Soon({ clock: systemClock, timers: systemTimers }, () => this.#tick.hear());
  #seenEndpoints = -1;
  #isShaped = false;
  #failure: string | undefined;
  #cancelReshape: () => void = () => {};
  /** Shaping waits for the delay backend; one change after the other. */
  #reshaping: Promise<void> = Promise.resolve();
  #rehearsing: Promise<void> | undefined;
  #cancelStart: () => void = () => {};
  #cancelTick: () => void = () => {};
  #cancelAudit: () => void = () => {};
  /** Whether a change is done soon enough to come before all applications. */
  isQuick = false;
  readonly ticks = { count: 0, totalMs: 0, latestMs: 0 };

  constructor(bootstrap: Bootstrap, log: Logger) {
    this.bootstrap = bootstrap;
    this.#log = log;
    const { text, file, script } = bootstrap.topology;
    this.topology = loadTopology(text, file, script).topology;
    this.#player = new Player(this.topology, ({ position }, { message }) =>
      log.warn({ line: position.line }, `an event changes nothing: ${message}`),
    );
    const { experiment, endpoints: local, logFolder } = bootstrap;
    this.applications = new Applications({ experiment, topology: this.topology, local, logFolder });
    this.timeline = new TimelineRunner({
      player: this.#player,
      time: this.time,
      timers: systemTimers,
      apply: (moment) => this.#apply(moment),
      changedAt: () => this.#delay.changedAt,
    });
    this.control = this.#createControl();
    // What is due at the start is there before it; only applications wait.
    this.#beginning = this.#player.advance(micros(0));
    this.#epoch = new Epoch(this.#player.graph);
  }

  /** The version of the topology that is in force. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  get epochNumber(): number {
    return this.#player.epoch;
  }

  get state(): AgentState {
    return this.#state;
  }

  get mesh(): Mesh {
    return this.#mesh;
  }

  /** Addresses of agents that can't be reached now. */
  get unreachable(): readonly string[] {
    return this.#transport.unreachable?.() ?? [];
  }

  get tick(): Tick {
    return this.#tick;
  }

  get wideArea(): WideArea {
    return this.#wideArea;
  }

  get delay(): DelayBackend {
    return this.#delay;
  }

  /** Everything is in force and was read back once. */
  get isShaped(): boolean {
    return this.#isShaped;
  }

  get known(): number {
    return this.#known.size;
  }

  get degraded(): string[] {
    const reasons = [this.#failure, this.#delay.failure, ...this.#shaping.degraded.values()];
    return reasons.filter((reason) => reason !== undefined);
  }

  async start(): Promise<void> {
    // libuv starts its threads at the first use; they must not be born inside of an endpoint's namespace.
    await stat('/');
    const { endpoints } = this.bootstrap;
    await this.#startEnforcement();
    await this.#startMesh();
    for (const [index, endpoint] of endpoints.entries()) {
      this.#programs.countTraffic(endpoint);
      await this.#enforcer.attach(endpoint);
      // Thousands take a second, and the mesh has begun.
      if (index % ATTACHED_AT_ONCE === ATTACHED_AT_ONCE - 1) await setImmediate();
    }
    this.#tick = new Tick(
      {
        clock: systemClock,
        usage: this.#programs.usage,
        mesh: this.#mesh,
        shaping: this.#shaping,
        local: endpoints,
        onEnforced: (shares) => this.#record(shares),
      },
      this.#epoch,
    );
    this.#wideArea = this.#createWideArea();
    this.#state = 'waiting';
    this.applications.adopt();
    this.#mesh.announceEndpoints(endpoints);
    this.#mesh.onChange(() => this.#onMeshChange());
    this.#learnEndpoints();
    this.#cancelTick = systemTimers.every(this.bootstrap.tickMs, () => this.#onTick());
    this.#cancelAudit = systemTimers.every(AUDIT_MS, () => this.#audit());
    this.#wideArea.start();
    this.time.onChange(() => this.#onTime());
    if (this.bootstrap.startAt !== undefined) this.time.startAt(this.bootstrap.startAt);
    this.#onTime();
  }

  /** Starts the applications and the timeline at `startAt`, in milliseconds since 1970. */
  run(startAt: number): void {
    this.time.startAt(startAt);
  }

  /** As soon as the start is known, from a user, the controller or another agent; again whenever the clock is steered. */
  #onTime(): void {
    if (this.#state !== 'ready' && this.#state !== 'waiting') return;
    this.#cancelStart();
    const wait = Math.max(0, this.time.millisUntil(0) ?? Number.POSITIVE_INFINITY);
    if (wait <= 2 ** 31 - 1) this.#cancelStart = systemTimers.after(wait, () => this.#begin());
  }

  /** At the start, or later where the agent is; then what is past is brought about at once. */
  #begin(): void {
    const isPresent = (endpoint: number): boolean => this.#player.isPresent(endpoint);
    const past = this.timeline.start();
    this.#state = 'running';
    if (past.graph) void this.#apply({ graph: past.graph, atoms: [] });
    this.applications.start(isPresent, [...this.#beginning.atoms, ...past.atoms]);
  }

  /** In the reverse order of `start`. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    this.#cancelTick();
    this.#hearing.stop();
    this.#cancelAudit();
    this.#wideArea?.stop();
    this.#cancelReshape();
    this.#cancelStart();
    this.timeline.stop();
    await this.applications.stop();
    await this.#reshaping;
    await this.#rehearsing;
    await this.#enforcer?.stop();
    await this.#mesh?.stop();
    await this.#programs?.close();
  }

  async #startEnforcement(): Promise<void> {
    const { endpoints, experiment, seed, delayBackend, leaseMs, takeOver } = this.bootstrap;
    const backend = chooseDelayBackend(delayBackend, probeMachine());
    // A pair of endpoints has a pair of addresses in each family.
    const families = Math.max(1, ...endpoints.map(({ addresses }) => addresses.length));
    const addresses = this.#epoch.graph.endpoints.length * families;
    this.#programs = loadPrograms(endpoints.length * addresses, addresses);
    if (leaseMs !== undefined) this.#programs.renewLease(leaseMs);
    this.#delay = createDelayBackend(backend, this.#programs, seed);
    this.#enforcer = new Enforcer({
      tc: this.#programs.tc,
      delay: this.#delay,
      keeper: journalKeeper(new Journal(), experiment),
      takeOver: takeOver ?? false,
    });
    this.#shaping = new Shaping({ enforcer: this.#enforcer, local: endpoints, epoch: this.#epoch });
  }

  async #startMesh(): Promise<void> {
    const { host, logFolder, mesh: settings } = this.bootstrap;
    const { mesh, transport } = await openMesh(this.bootstrap, {
      endpointNames: this.#epoch.graph.endpoints,
      ...{ log: this.#log, time: this.time },
    });
    this.#mesh = mesh;
    this.#transport = transport;
    mesh.commands.onChange((added) => {
      for (const { origin, at, text } of added) this.#log.info({ origin, at: at / 1e6, text }, 'command');
      this.timeline.hear(added);
    });
    const journal = new CommandJournal(logFolder, host);
    mesh.commands.take(journal.read());
    mesh.commands.onChange((added) => journal.append(added));
    await mesh.start();
    for (const peer of settings.peers) {
      // Agents start in any order; the transport goes on trying.
      transport.connect(peer).catch(({ message }: Error) => this.#log.info({ peer }, message));
    }
  }

  #createControl(): Control {
    return new Control({
      host: this.bootstrap.host,
      now: () => this.time.now(),
      check: (command, now) => this.#player.check(command, micros(now)),
      issue: (what) => this.#mesh.command(what),
      history: () => this.#player.history(),
      hosts: () => this.#mesh.view.hosts(),
      silent: () => this.#mesh.view.silentHosts(systemClock.now()),
      longestRoundTrip: () => {
        const { peers } = this.#mesh.clocks.status();
        return Math.max(0, ...peers.map(({ rttMs }) => (rttMs ?? 0) * 1000));
      },
    });
  }

  #createWideArea(): WideArea {
    const { metadataBudgetBps, changeThreshold, partial } = this.bootstrap;
    return new WideArea(
      {
        mesh: this.#mesh,
        transport: this.#transport,
        clock: systemClock,
        timers: systemTimers,
        onAway: (away) => void this.#tick.setAway(away).catch((error: Error) => this.#fail(error)),
        onCoarseness: (coarseness) => this.#tick.setCoarseness(coarseness),
      },
      {
        endpoints: this.#epoch.graph.endpoints.length,
        isOneMachine: !partial,
        budgetBps: metadataBudgetBps,
        threshold: changeThreshold,
      },
    );
  }

  #onMeshChange(): void {
    this.#learnEndpoints();
    this.#hearing.ask();
  }

  /** Endpoints of a host that fell silent stay known: their paths keep their properties until they are told anew. */
  #learnEndpoints(): void {
    const { view } = this.#mesh;
    if (view.endpointsVersion === this.#seenEndpoints) return;
    this.#seenEndpoints = view.endpointsVersion;
    const endpoints = view.endpoints();
    for (const { number, addresses } of endpoints) this.#known.set(number, { number, addresses });
    this.#wideArea.setEndpoints(endpoints);
    const known = [...this.#known.values()];
    this.#programs.usage.setEndpoints(numbersByAddress(known));
    const isComplete = known.length === this.#epoch.graph.endpoints.length;
    this.#cancelReshape();
    this.#cancelReshape = systemTimers.after(isComplete ? 0 : SETTLE_MS, () => {
      this.#reshaping = this.#reshaping
        .then(() => this.#reshape(known))
        .catch((error: Error) => this.#fail(error));
    });
  }

  /** The agent goes on with what works; status says what does not. */
  #fail(error: Error): void {
    this.#failure = error.message;
    this.#log.error(error);
  }

  async #reshape(known: readonly KnownEndpoint[]): Promise<void> {
    await this.#shaping.setKnown(known);
    const { partial, endpoints } = this.bootstrap;
    const awaited = partial ? endpoints.length : this.#epoch.graph.endpoints.length;
    if (this.#rehearsing || known.length < awaited) return;
    const missing = await this.#shaping.verify();
    if (missing.length > 0) {
      throw new AgentError(
        'READBACK_MISMATCH',
        `the kernel did not take: ${missing.slice(0, 3).join('\n')}`,
        'run `netfold doctor`',
      );
    }
    this.#failure = undefined;
    // Beside all else: others may just be joining.
    this.#rehearsing = this.#rehearse().catch((error: Error) => this.#fail(error));
  }

  async #rehearse(): Promise<void> {
    const local = this.bootstrap.endpoints;
    const rehearsed = { epoch: this.#epoch, local, side: this.#delay.side };
    this.isQuick = (await rehearse(rehearsed, REHEARSAL.changesMs)) <= REHEARSAL.quickMs;
    await this.#shaping.reassert(REHEARSAL.reassertMs);
    this.#isShaped = true;
    if (this.#state === 'waiting') this.#state = 'ready';
  }

  /** Network first, so that who joins finds it there. Never rejects. */
  #apply({ graph, atoms }: Moment): Promise<void> {
    let settled = Promise.resolve();
    if (graph) {
      this.#epoch = new Epoch(graph, this.#epoch);
      settled = this.#tick.setEpoch(this.#epoch).catch((error: Error) => this.#fail(error));
    }
    for (const atom of atoms) this.applications.obey(atom);
    return settled;
  }

  #record(shares: readonly LocalShare[]): void {
    const { nowMicros } = this.timeline;
    if (nowMicros !== undefined) this.shareRecord.note(shares, nowMicros, this.epochNumber);
  }

  /** An interface that is gone, or that somebody has changed, shows within seconds, also where nothing flows. */
  #audit(): void {
    if (this.#state !== 'ready' && this.#state !== 'running') return;
    for (const repaired of this.#shaping.audit(1))
      this.#log.warn(`put right what somebody has changed: ${repaired}`);
  }

  #onTick(): void {
    const started = performance.now();
    if (this.bootstrap.leaseMs !== undefined) this.#programs.renewLease(this.bootstrap.leaseMs);
    this.#tick.run();
    const elapsed = performance.now() - started;
    this.ticks.count++;
    this.ticks.totalMs += elapsed;
    this.ticks.latestMs = elapsed;
  }
}
