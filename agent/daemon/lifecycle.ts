/** Moves an agent through its states: starting, waiting for endpoints, ready, running, stopping. */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { AgentState } from '../../proto/status.ts';
import { millisToSeconds } from '../../proto/units.ts';
import { count } from '../../proto/words.ts';
import type { AgentParts } from './parts.ts';
import type { Reactions } from './reactions.ts';

/** So many endpoints are attached before other work has its turn. */
const ATTACHED_AT_ONCE = 32;
/** Longer waits don't fit a timer; the clock is read again after a correction. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Who starts again in a run has all in force within 1 to 3 s; what takes longer, status says. */
const USUAL_MS = 3000;

export class Lifecycle {
  readonly #parts: AgentParts;
  readonly #reactions: Reactions;
  #state: AgentState = 'starting';
  /** By `Clock.now()`. */
  #begunAt = 0;
  #cancelStart: () => void = () => {};
  #cancelTick: () => void = () => {};

  constructor(parts: AgentParts, reactions: Reactions) {
    this.#parts = parts;
    this.#reactions = reactions;
  }

  get state(): AgentState {
    return this.#state;
  }

  /** What status has to say, in words: of an agent that has begun in a run, as after a crash, and takes long. */
  get problems(): string[] {
    const { clock, keeper, local } = this.#parts;
    const ms = clock.now() - this.#begunAt;
    if (this.#state !== 'running' || keeper.isShaped || ms < USUAL_MS) return [];
    const what = `${count(local.all.length, 'endpoint')} of this host may have another network`;
    return [
      `not everything is in force ${millisToSeconds(ms).toFixed(0)} s after this agent began: ${what}; wait, or see what takes the processor`,
    ];
  }

  /** Throws if the mesh can't be joined, or an endpoint can't be attached; `stop` then undoes what was done. */
  async start(): Promise<void> {
    const {
      bootstrap,
      kernel,
      local,
      applications,
      mesh,
      timers,
      time,
      keeper,
      wideArea,
      names,
      traffic,
      epoch,
      dataGuard,
      fidelity,
      end,
      conditions,
    } = this.#parts;
    if (bootstrap.leaseMs !== undefined) kernel.renewLease(bootstrap.leaseMs);
    if (bootstrap.never) kernel.exempt(bootstrap.never);
    names?.setGraph(epoch.value.graph);
    const named = names?.attach(bootstrap.endpoints);
    traffic.attach(bootstrap.endpoints);
    await mesh.start();
    this.connect(bootstrap.mesh.peers);
    await local.attachAll(bootstrap.endpoints, async (index) => {
      // Thousands take a second, and the mesh has started already.
      if (index % ATTACHED_AT_ONCE === ATTACHED_AT_ONCE - 1) await timers.turn();
    });
    await named;
    this.#enter('waiting');
    for (const endpoint of local.all) applications.add(endpoint);
    applications.adopt();
    this.#reactions.localChanged(local.all);
    mesh.onChange(() => this.#reactions.meshChanged());
    this.#reactions.meshChanged();
    this.#cancelTick = timers.every(bootstrap.tickMs, () => this.#reactions.tick());
    keeper.start();
    dataGuard.start();
    wideArea.start();
    fidelity.start();
    end.start();
    conditions.start();
    time.onChange(() => this.#onTime());
    if (bootstrap.startAt !== undefined) time.startAt(bootstrap.startAt);
    this.#onTime();
  }

  /** Keeps connections to agents at these multiaddrs. */
  connect(addresses: readonly string[]): void {
    const { transport, log } = this.#parts;
    for (const peer of addresses) {
      // Agents start in any order; the transport dials again.
      transport.connect(peer).catch(({ message }: Error) => log.info({ peer }, message));
    }
  }

  /** Starts applications and timeline at `startAt`, in milliseconds since 1970. */
  run(startAt: number): void {
    this.#parts.time.startAt(startAt);
  }

  /** Everything is in force for the first time. */
  shaped(): void {
    if (this.#state === 'waiting') this.#enter('ready');
    // One that begins in the middle says so at once.
    else if (this.#state === 'running') this.#parts.fidelity.look();
  }

  /** Adds an endpoint to this host. Throws what `LocalEndpoints.attach` throws. */
  async attach(endpoint: LocalEndpoint): Promise<void> {
    const { local, applications, player, time, names, traffic } = this.#parts;
    const before = local.get(endpoint.number);
    if (before) await applications.remove(before.number);
    await local.attach(endpoint);
    await names?.attach([endpoint]);
    traffic.attach([endpoint]);
    applications.add(endpoint);
    if (this.#state === 'running' && player.isPresent(endpoint.number))
      applications.run(endpoint, time.now() ?? 0);
  }

  /** Removes an endpoint from this host. */
  async detach(number: number): Promise<void> {
    await this.#parts.applications.remove(number);
    this.#parts.traffic.detach(number);
    await this.#parts.names?.detach(number);
    await this.#parts.local.detach(number);
  }

  /** In the reverse order of `start`. `isRemoved`: whoever asks for it removes the experiment's places next. */
  async stop(isRemoved = false): Promise<void> {
    const { wideArea, keeper, timeline, applications, enforcer, mesh, kernel, names, dataGuard } =
      this.#parts;
    const { fidelity, end, traffic, doors, conditions } = this.#parts;
    this.#enter('stopping');
    fidelity.stop();
    dataGuard.stop();
    end.stop();
    conditions.stop();
    this.#cancelTick();
    this.#reactions.stop();
    wideArea.stop();
    this.#cancelStart();
    timeline.stop();
    doors?.stop();
    await applications.stop();
    await traffic.stop();
    await keeper.stop();
    await enforcer.stop(isRemoved);
    // Each waits for others than this thread: the network, a thread, the kernel.
    const ended = await Promise.allSettled([mesh.stop(), names?.stop(), kernel.close()]);
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  }

  #enter(state: AgentState): void {
    this.#state = state;
    this.#parts.runLog.append({ kind: 'state', state });
  }

  /**
   * As soon as the start is known, from a user, the controller or another agent; again whenever the clock is
   * corrected.
   */
  #onTime(): void {
    if (this.#state === 'running') this.#parts.traffic.setTime(this.#parts.time.now());
    if (this.#state !== 'ready' && this.#state !== 'waiting') return;
    const { time, timers } = this.#parts;
    this.#cancelStart();
    const wait = Math.max(0, time.millisUntil(0) ?? Number.POSITIVE_INFINITY);
    if (wait <= LONGEST_WAIT_MS) this.#cancelStart = timers.after(wait, () => this.#begin());
  }

  /** At the start, or later if the agent starts later; past events are then applied at once. */
  #begin(): void {
    const { timeline, player, applications, beginning, time, traffic } = this.#parts;
    const past = timeline.start();
    this.#begunAt = this.#parts.clock.now();
    this.#enter('running');
    traffic.setTime(time.now());
    this.#reactions.begun();
    if (past.graph) void this.#reactions.applyChanges({ graph: past.graph, atoms: [] });
    applications.start((endpoint) => player.isPresent(endpoint), [...beginning.atoms, ...past.atoms]);
  }
}
