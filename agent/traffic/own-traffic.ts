/** All traffic that is netfold's own: what it sends, and what it only reckons with. */
import type { SimulatedStatus, TrafficStatus } from '../../proto/status.ts';
import type { TrafficSource } from '../../topology/model/traffic.ts';
import type { Flow } from '../share/model.ts';
import { realSources } from './generators.ts';
import type { Known, Place, RealSource, Windows } from './messages.ts';
import { SimulatedFlows } from './simulated-flows.ts';

/** What sends packets. `Generators` is the real one. */
export interface TrafficPort {
  attach(places: readonly Place[]): void;
  detach(number: number): void;
  setKnown(known: readonly Known[]): void;
  /** When the entries of the file flow: all that is known. */
  setWindows(windows: Windows): void;
  setTime(micros: number): void;
  status(sources: readonly TrafficSource[], names: readonly string[]): TrafficStatus[];
  stop(): Promise<void>;
}

/** More rows than this nobody reads; the greatest experiment has as many endpoints. */
const MOST_ROWS = 1000;

export class OwnTraffic {
  readonly simulated: SimulatedFlows;
  readonly #sources: readonly TrafficSource[];
  readonly #real: readonly RealSource[];
  readonly #open: ((real: readonly RealSource[]) => TrafficPort) | undefined;
  #windows: Windows;
  #port: TrafficPort | undefined;

  /** `windows`: of each entry of the file. `open`: absent, nothing is sent. */
  constructor(
    sources: readonly TrafficSource[],
    windows: Windows,
    open?: (real: readonly RealSource[]) => TrafficPort,
  ) {
    this.#sources = sources;
    this.simulated = new SimulatedFlows(sources, windows);
    this.#real = realSources(sources);
    this.#windows = windows;
    this.#open = open;
  }

  attach(places: readonly Place[]): void {
    if (!this.#port && this.#real.length > 0) {
      this.#port = this.#open?.(this.#real);
      this.#port?.setWindows(this.#windows);
    }
    this.#port?.attach(places);
  }

  /** By all that is known now. The same array is no news. */
  setWindows(windows: Windows): void {
    if (windows === this.#windows) return;
    this.#windows = windows;
    this.simulated.setWindows(windows);
    this.#port?.setWindows(windows);
  }

  detach(number: number): void {
    this.#port?.detach(number);
  }

  setKnown(known: readonly Known[]): void {
    this.#port?.setKnown(known);
  }

  /** `micros`: of the experiment, now; `undefined`: it has not begun. */
  setTime(micros: number | undefined): void {
    if (micros !== undefined) this.#port?.setTime(micros);
  }

  async stop(): Promise<void> {
    await this.#port?.stop();
  }

  /** `names`: of endpoints. Absent where the topology has none. */
  status(names: readonly string[]): { traffic?: readonly TrafficStatus[] } {
    return this.#port ? { traffic: this.#port.status(this.#sources, names).slice(0, MOST_ROWS) } : {};
  }

  /** `rateOf`: of a flow that competes with this host's, in bit/s. */
  simulatedStatus(
    now: number | undefined,
    rateOf: (flow: Flow) => number | undefined,
  ): { simulated?: SimulatedStatus } {
    if (this.simulated.count === 0) return {};
    const flows = this.simulated.at(now);
    const rates = flows.flatMap((flow) => rateOf(flow) ?? []).filter((rate) => Number.isFinite(rate));
    return {
      simulated: {
        flows: flows.length,
        competing: rates.length,
        rateBps: rates.reduce((sum, rate) => sum + rate, 0),
      },
    };
  }
}
