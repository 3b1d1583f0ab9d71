/** Once a second: the round-trip times to other hosts, and the budget of announcements. */
import type { AgentStatus, MetadataStatus } from '../../proto/status.ts';
import type { Micros } from '../../proto/units.ts';
import type { Clock, Timers } from '../clock/clock.ts';
import type { Epoch } from '../epoch/epoch.ts';
import type { Mesh } from '../mesh/exchange/mesh.ts';
import type { MeshTransport } from '../mesh/wire/transport.ts';
import type { Coarseness } from '../usage/change-filter.ts';
import { MetadataMeter, type MetadataOptions } from '../usage/metadata-meter.ts';
import { slowPaths } from './added-latency.ts';
import { FLOOR_MICROS, ONE_MACHINE_FLOOR_MICROS } from './round-trip.ts';
import { Underlay } from './underlay.ts';

export interface WideAreaPorts {
  readonly mesh: Pick<Mesh, 'view' | 'clocks' | 'stats'>;
  readonly transport: Pick<MeshTransport, 'shortestMicros' | 'sentBytes'>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** `Underlay.realLatency` has changed. */
  readonly onRealLatency: (realLatency: Float64Array) => void;
  /** Called after a change, and at the start. */
  readonly onCoarseness: (coarseness: Coarseness) => void;
}

export interface WideAreaOptions extends MetadataOptions {
  /** How many endpoints the topology has. */
  readonly endpoints: number;
  /** Whether all hosts are emulated on one machine. */
  readonly isOneMachine: boolean;
}

/** The unit of `LASTING_LOOKS` in round-trip.ts. */
const LOOK_MS = 1000;

export class WideArea {
  readonly #ports: WideAreaPorts;
  readonly #underlay: Underlay;
  readonly #metadata: MetadataMeter;
  #level = 0;
  #slow: { epoch: Epoch; realLatency: Float64Array; found: AgentStatus['underlay']['tooSlow'] } | undefined;
  #cancel: () => void = () => {};

  constructor(ports: WideAreaPorts, { endpoints, isOneMachine, ...options }: WideAreaOptions) {
    this.#ports = ports;
    this.#metadata = new MetadataMeter(options);
    const { mesh, transport } = ports;
    this.#underlay = new Underlay(
      {
        hosts: () => mesh.view.hosts().filter(({ self }) => !self),
        measure: ({ name, peer }) => ({
          kernelMicros: transport.shortestMicros?.(peer),
          clockMicros: mesh.clocks.rttMicros(name),
        }),
      },
      { endpoints, floorMicros: isOneMachine ? ONE_MACHINE_FLOOR_MICROS : FLOOR_MICROS },
    );
  }

  start(): void {
    const { clock, timers, transport, mesh, onRealLatency, onCoarseness } = this.#ports;
    const sent = (): number => transport.sentBytes?.() ?? mesh.stats.bytesSent;
    onCoarseness(this.#metadata.coarseness);
    this.#metadata.note(sent(), clock.now());
    this.#cancel = timers.every(LOOK_MS, () => {
      if (this.#underlay.look()) onRealLatency(this.#underlay.realLatency);
      this.#metadata.note(sent(), clock.now());
      const { level } = this.#metadata.status();
      if (level === this.#level) return;
      this.#level = level;
      onCoarseness(this.#metadata.coarseness);
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** Sets the hosts of endpoints. */
  setEndpoints(endpoints: Iterable<{ readonly number: number; readonly host: string }>): void {
    if (this.#underlay.setEndpoints(endpoints)) this.#ports.onRealLatency(this.#underlay.realLatency);
  }

  /** Endpoint → the real latency between it and this host, µs. */
  get realLatency(): Float64Array {
    return this.#underlay.realLatency;
  }

  /** Host → the round trip to it now, where it is longer than it was. Nothing is subtracted for it until it lasts. */
  setLonger(longer: ReadonlyMap<string, Micros>): void {
    this.#underlay.setLonger(longer);
  }

  metadata(): MetadataStatus {
    return this.#metadata.status();
  }

  /** `local`: numbers of this host's endpoints. */
  underlay(epoch: Epoch, local: readonly number[]): AgentStatus['underlay'] {
    const { latencyNow: realLatency } = this.#underlay;
    if (this.#slow?.epoch !== epoch || this.#slow.realLatency !== realLatency)
      this.#slow = { epoch, realLatency, found: slowPaths(epoch, realLatency, local) };
    return { hosts: this.#underlay.status(), tooSlow: this.#slow.found };
  }
}
