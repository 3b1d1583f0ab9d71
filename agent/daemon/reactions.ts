/** The reactions of an agent: to a tick, an announcement, an instant of the timeline, a local change. */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { Graph } from '../../topology/model/model.ts';
import { numbersByAddress } from '../linux/objects/endpoint-numbers.ts';
import type { FlowChange } from '../mesh/exchange/own-table.ts';
import { ShareChanges } from '../runlog/share-changes.ts';
import type { FlowShare } from '../share/model.ts';
import { Attempts } from '../tick/attempts.ts';
import { Soon } from '../tick/soon.ts';
import type { TimelineChanges } from '../timeline/player.ts';
import { TraceSteps } from '../timeline/trace-steps.ts';
import { HostChanges } from './host-changes.ts';
import type { AgentParts } from './parts.ts';

export class Reactions {
  readonly #parts: AgentParts;
  readonly #hostChanges: HostChanges;
  readonly #shareChanges: ShareChanges;
  /** Shares follow announcements at once, but take only a part of the time. */
  readonly #hearing: Soon;
  /** Thousands may become ready at once, and each announcement compares all. */
  readonly #announcing: Soon;
  #isCutOff: ReadonlySet<number> = new Set();
  #seenEndpoints = -1;
  #seenHosts = '';
  readonly #attempts: Attempts;
  readonly #traces: TraceSteps;
  /** How long ticks took, in milliseconds. */
  readonly ticks = { count: 0, totalMs: 0, latestMs: 0 };

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#attempts = new Attempts((error) => parts.log.error(error));
    this.#hostChanges = new HostChanges(parts.runLog);
    this.#shareChanges = new ShareChanges(parts.runLog, parts.epoch.endpointNames, parts.epoch.value.lanes);
    this.#hearing = new Soon(parts, () => parts.tick.readAnnouncements());
    this.#announcing = new Soon(parts, () => this.#announce(parts.local.all));
    const { clock, timers, time, bootstrap } = parts;
    const play = (graph: Graph): void => {
      this.#attempts.run('playing traces', () => this.#playTraces(graph));
    };
    this.#traces = new TraceSteps(
      { clock, timers, time, tickMs: bootstrap.tickMs, play },
      parts.epoch.value.graph,
    );
  }

  tick(): void {
    const { clock, kernel, tick, bootstrap } = this.#parts;
    const started = clock.now();
    const { leaseMs } = bootstrap;
    if (leaseMs !== undefined) this.#attempts.run('renewing the lease', () => kernel.renewLease(leaseMs));
    tick.run();
    const elapsed = clock.now() - started;
    this.ticks.count++;
    this.ticks.totalMs += elapsed;
    this.ticks.latestMs = elapsed;
  }

  /** The experiment has begun. */
  begun(): void {
    this.#traces.start();
  }

  #playTraces(graph: Graph): void {
    this.#parts.epoch.advance(graph);
    void this.#reshape();
  }

  /** What fails now, in words. */
  get problems(): readonly string[] {
    return this.#attempts.problems;
  }

  /** Hosts, endpoints or flows of others have changed. Never throws. */
  meshChanged(): void {
    const { view } = this.#parts.mesh;
    this.#attempts.run('noting hosts', () => this.#noteHosts());
    const { endpointsVersion } = view;
    if (
      endpointsVersion !== this.#seenEndpoints &&
      this.#attempts.run('learning endpoints', () => this.#learnEndpoints())
    )
      this.#seenEndpoints = endpointsVersion;
    this.#hearing.ask();
  }

  /** Flows change many times a second, hosts and their commands seldom. */
  #noteHosts(): void {
    const { view, commands } = this.#parts.mesh;
    const seen = `${view.hostsVersion} ${view.commandsVersion} ${commands.version}`;
    if (seen === this.#seenHosts) return;
    this.#seenHosts = seen;
    this.#hostChanges.note(view.hosts());
  }

  #learnEndpoints(): void {
    const { mesh, known, wideArea, kernel, keeper, names, traffic } = this.#parts;
    const announced = mesh.view.endpoints();
    known.learn(announced, (number) => mesh.view.isWithdrawn(number));
    wideArea.setEndpoints(announced);
    kernel.usage.setEndpoints(numbersByAddress(known.all));
    keeper.setKnown(known.all);
    names?.setKnown(known.all);
    traffic.setKnown(known.all);
  }

  /** Endpoints were added to this host, or removed from it. */
  localChanged(endpoints: readonly LocalEndpoint[]): void {
    this.#parts.tick.setLocal(endpoints);
    this.#parts.doors?.set(endpoints);
    this.#announce(endpoints);
  }

  /** A local service that others wait for is ready, or not any more. */
  readyChanged(): void {
    this.#announcing.ask();
  }

  #announce(endpoints: readonly LocalEndpoint[]): void {
    const { mesh, applications } = this.#parts;
    mesh.announceEndpoints(
      endpoints.map((endpoint) => ({ ...endpoint, isReady: applications.isAnnouncedReady(endpoint) })),
    );
  }

  /** Local flows were announced to the others. */
  flowsAnnounced(changes: readonly FlowChange[]): void {
    const { runLog, epoch } = this.#parts;
    const { endpointNames: names, value } = epoch;
    for (const { source, destination, rateBps, greedy } of changes) {
      const ends = { from: names[source]!, to: names[value.lanes.endpointOf(destination)]! };
      runLog.append({ kind: 'flow', ...ends, ...value.lanes.placeOf(destination), rateBps, greedy });
    }
  }

  /** These shares of local flows are in force. */
  sharesEnforced(shares: readonly FlowShare[]): void {
    const { timeline, player } = this.#parts;
    const { nowMicros } = timeline;
    if (nowMicros !== undefined) this.#shareChanges.note(shares, nowMicros, player.epoch);
  }

  /**
   * Applies an instant of the timeline. The network first, so that a starting application finds it. Never rejects.
   */
  applyChanges({ graph, atoms }: TimelineChanges): Promise<void> {
    const { epoch, applications, names } = this.#parts;
    const isCut = this.#cutOff(applications.ending(atoms));
    if (graph) epoch.advance(this.#traces.withTraces(graph));
    if (graph) names?.setGraph(graph);
    const settled = graph || isCut ? this.#reshape() : Promise.resolve();
    for (const atom of atoms) applications.obey(atom);
    return settled;
  }

  /** An endpoint's former life has ended. If it is present, it gets its network now. */
  lifeEnded(): void {
    if (this.#cutOff(this.#parts.applications.ending([]))) void this.#reshape();
  }

  #reshape(): Promise<void> {
    const { epoch, tick, keeper } = this.#parts;
    return tick.setEpoch(epoch.value).catch((error: Error) => keeper.fail(error));
  }

  /**
   * Endpoints that are present again before their former life has ended have no path until then: what its sockets send
   * must not arrive. Returns whether those are others than before.
   */
  #cutOff(ending: ReadonlySet<number>): boolean {
    const { tick, player } = this.#parts;
    const present = new Set([...ending].filter((endpoint) => player.isPresent(endpoint)));
    const before = this.#isCutOff;
    if (present.size === before.size && [...present].every((endpoint) => before.has(endpoint))) return false;
    this.#isCutOff = present;
    tick.cutOff(present);
    return true;
  }

  stop(): void {
    this.#traces.stop();
    this.#hearing.stop();
    this.#announcing.stop();
  }
}
