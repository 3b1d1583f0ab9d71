/**
 * One tick: measure → announce → share → enforce, in the order of the drawing in the README.
 *
 * Shares are computed only after a change: of a local flow, a remote flow, or the epoch. A tick without a change
 * costs one reading of the counters.
 */

import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { toMillis } from '../../proto/units.ts';
import type { Clock } from '../clock/clock.ts';
import type { Epoch } from '../epoch/epoch.ts';
import type { Mesh } from '../mesh/exchange/mesh.ts';
import type { FlowChange } from '../mesh/exchange/own-table.ts';
import { announcedRate } from '../mesh/wire/rate-code.ts';
import type { Shaping } from '../shape/shaping.ts';
import type { FlowShare, Flow as ShareFlow } from '../share/model.ts';
import { SharedFlows } from '../share/shared-flows.ts';
import { addedLatency } from '../underlay/added-latency.ts';
import { ChangeFilter, type Coarseness } from '../usage/change-filter.ts';
import { FlowMeter } from '../usage/flow-meter.ts';
import type { UsageReader } from '../usage/reader.ts';
import { Attempts } from './attempts.ts';

/**
 * A limited flow's demand is its rate times this, as room for growth that is not measured yet. More leaves capacity
 * unused; less makes a growing flow wait one tick more. Its class is wider anyway (`FlowShare.ceilingBps`).
 */
const HEADROOM = 1.1;

export interface TickPorts {
  readonly clock: Clock;
  readonly usage: UsageReader;
  readonly mesh: Mesh;
  readonly shaping: Shaping;
  /** Called when a stage fails; it is tried again in the next tick. */
  readonly onFailure: (error: Error) => void;
  /** Called with the flows that were announced to the other agents. */
  readonly onAnnounced: (changes: readonly FlowChange[]) => void;
  /** Called with the shares of local flows when they are in force. */
  readonly onEnforced: (shares: readonly FlowShare[]) => void;
  /** Flows that no packet carries, now; the same array while they are the same. Absent: none. */
  readonly simulated?: () => readonly ShareFlow[];
}

const NONE: readonly ShareFlow[] = [];

export class Tick {
  readonly #ports: TickPorts;
  readonly #meter: FlowMeter;
  readonly #filter = new ChangeFilter();
  #isLocal: ReadonlySet<number> = new Set();
  #epoch: Epoch;
  #realLatency: Float64Array = new Float64Array();
  #shared: SharedFlows;
  #seenFlows = -1;
  #simulated: readonly ShareFlow[] = NONE;
  #shares: readonly FlowShare[] = [];
  readonly #attempts: Attempts;

  constructor(ports: TickPorts, epoch: Epoch) {
    this.#ports = ports;
    this.#attempts = new Attempts(ports.onFailure);
    this.#epoch = epoch;
    this.#meter = new FlowMeter(epoch.lanes.numbers, (source, destination) => {
      const path = this.#epoch.path(source, destination);
      return path ? toMillis(this.#epoch.roundTripMicros(path)) : 0;
    });
    this.#shared = this.#sharedIn(epoch);
  }

  /** Sets the endpoints whose flows are shared and enforced here. */
  setLocal(endpoints: readonly Pick<LocalEndpoint, 'number'>[]): void {
    this.#isLocal = new Set(endpoints.map(({ number }) => number));
    this.#shared = this.#sharedIn(this.#epoch);
    this.#seenFlows = -1;
  }

  get meter(): FlowMeter {
    return this.#meter;
  }

  /** The shares in force of flows from local endpoints. */
  get shares(): readonly FlowShare[] {
    return this.#shares;
  }

  /**
   * Changes to another version of the topology at once: the known flows are shared anew, and every interface is
   * updated.
   */
  setEpoch(epoch: Epoch): Promise<void> {
    this.#epoch = epoch;
    this.#shared = this.#sharedIn(epoch);
    for (const { source, destination } of this.#meter.flows())
      this.#meter.setPath(source, destination, epoch.bandwidth(source, destination));
    this.#share();
    const applied = this.#shape();
    this.#noteEnforced(this.#ports.clock.now());
    return applied;
  }

  /** Sets the endpoints that have no path, whatever the epoch says. In force with the next `setEpoch`. */
  cutOff(endpoints: ReadonlySet<number>): void {
    this.#ports.shaping.cutOff(endpoints);
  }

  /** Sets the real latency to each endpoint; see `Underlay.realLatency`. */
  setRealLatency(realLatency: Float64Array): Promise<void> {
    this.#realLatency = realLatency;
    return this.#shape();
  }

  /** Sets how coarsely changes are announced. */
  setCoarseness(coarseness: Coarseness): void {
    this.#filter.coarseness = coarseness;
  }

  #shape(): Promise<void> {
    return this.#ports.shaping.setEpoch(addedLatency(this.#epoch, this.#realLatency), this.#rates());
  }

  /** The stages that fail now, in words. */
  get problems(): readonly string[] {
    return this.#attempts.problems;
  }

  /** Never throws: a stage that fails is tried again in the next tick, and the others go on. */
  run(): void {
    const now = this.#ports.clock.now();
    this.#attempts.run('measuring flows', () => this.#measure(now));
    this.#attempts.run('removing idle pairs', () => this.#ports.shaping.forgetIdle());
    this.#attempts.run('announcing and sharing flows', () => this.#announceAndShare(now));
  }

  #announceAndShare(now: number): void {
    const changes = this.#filter.changes(this.#meter.active(), now);
    const { mesh } = this.#ports;
    if (changes.length === 0) {
      this.#reactToOthers();
      return;
    }
    // If one of these fails, the next tick shares anew.
    this.#seenFlows = -1;
    mesh.announceFlows(changes);
    this.#ports.onAnnounced(changes);
    this.#react(now);
  }

  /** Processes announcements of other agents; also called between ticks, so that they need not wait for the next. */
  readAnnouncements(): void {
    this.#attempts.run('sharing flows', () => this.#reactToOthers());
  }

  #reactToOthers(): void {
    const { mesh, clock, simulated } = this.#ports;
    const isOther = simulated !== undefined && simulated() !== this.#simulated;
    if (mesh.view.flowsVersion !== this.#seenFlows || isOther) this.#react(clock.now());
  }

  /** The rate of a simulated flow in bit/s; `undefined`: nothing here competes with it, or it has no path. */
  simulatedRate(flow: ShareFlow): number | undefined {
    return this.#shared.of(flow)?.rateBps;
  }

  #react(now: number): void {
    const { flowsVersion } = this.#ports.mesh.view;
    this.#seenFlows = -1;
    this.#share();
    this.#enforce(now);
    this.#seenFlows = flowsVersion;
  }

  #sharedIn({ network }: Epoch): SharedFlows {
    return new SharedFlows(network, ({ source, index = 0 }) => index === 0 && this.#isLocal.has(source));
  }

  #measure(now: number): void {
    const rows = this.#ports.usage.read();
    this.#meter.begin(now);
    for (let row = 0; row < rows.count; row++) {
      const source = rows.source[row]!;
      const destination = rows.destination[row]!;
      if (source < 0 || destination < 0) continue;
      this.#ports.shaping.use(source, destination);
      const bytes = this.#epoch.bytesAtLink(source, destination, rows.bytes[row]!, rows.frames[row]!);
      this.#meter.count(source, destination, bytes, this.#epoch.bandwidth);
    }
    this.#meter.finish();
  }

  #share(): void {
    const { mesh, simulated } = this.#ports;
    this.#simulated = simulated?.() ?? NONE;
    // First: they seldom change, and the beginning of a list that is the same costs least.
    const flows: ShareFlow[] = [...this.#simulated];
    for (const [{ source, destination }, { rateBps, greedy }] of this.#filter.known())
      flows.push(shareFlow(source, destination, announcedRate(rateBps), greedy));
    mesh.view.forEachRemoteFlow((source, destination, rateBps, greedy) => {
      flows.push(shareFlow(source, destination, rateBps, greedy));
    });
    this.#shared.update(flows);
    this.#shares = this.#shared.local();
  }

  #enforce(now: number): void {
    this.#ports.shaping.setRates(this.#rates());
    this.#noteEnforced(now);
  }

  /** Source → destination → share, where it is bounded. */
  #rates(): Map<number, Map<number, number>> {
    const rates = new Map<number, Map<number, number>>();
    for (const { source, destination, ceilingBps } of this.#shares) {
      if (!Number.isFinite(ceilingBps)) continue;
      const ofSource = rates.get(source) ?? new Map<number, number>();
      rates.set(source, ofSource.set(destination, ceilingBps));
    }
    return rates;
  }

  #noteEnforced(now: number): void {
    const rates = this.#rates();
    for (const { source, destination } of this.#meter.flows()) {
      const rate = rates.get(source)?.get(destination) ?? this.#epoch.bandwidth(source, destination);
      this.#meter.setEnforced(source, destination, rate, now);
    }
    this.#ports.onEnforced(this.#shares);
  }
}

/** An announced flow, as the input of sharing. */
export function shareFlow(source: number, destination: number, rateBps: number, greedy: boolean): ShareFlow {
  return { source, destination, demandBps: greedy ? Number.POSITIVE_INFINITY : rateBps * HEADROOM };
}
