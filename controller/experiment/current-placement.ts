/**
 * Where the endpoints of a running experiment are now: in the plan, in the bootstraps of starting agents, and in the
 * files for other commands and later controllers. It starts as planned, and changes with every endpoint that comes,
 * moves or leaves.
 */
import type { Bootstrap } from '../../proto/bootstrap.ts';
import type { Plan, PlannedEndpoint } from '../platform/port/plan.ts';
import { type Bootstraps, keepBootstraps, toldEndpoint } from './bootstraps.ts';
import { endpointsOf, readState, writeState } from './state.ts';

export class CurrentPlacement {
  readonly #keep: (changed: CurrentPlacement) => void;
  #plan: Plan;
  readonly #bootstraps: Map<string, Bootstrap>;

  /** `keep`: called after each change. */
  constructor(plan: Plan, bootstraps: Bootstraps, keep: (changed: CurrentPlacement) => void = keepInFiles) {
    this.#plan = plan;
    this.#bootstraps = new Map(bootstraps);
    this.#keep = keep;
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** The same map throughout its life. */
  get bootstraps(): Bootstraps {
    return this.#bootstraps;
  }

  /** Replaces the endpoint with its number, on any host. */
  put(endpoint: PlannedEndpoint): void {
    this.#set([...this.#without(endpoint.number), endpoint]);
  }

  /** Does nothing if the endpoint is on another host by now, or on none. */
  take(host: string, number: number): void {
    const isHere = this.#plan.endpoints.some((one) => one.number === number && one.host.name === host);
    if (isHere) this.#set(this.#without(number));
  }

  #without(number: number): PlannedEndpoint[] {
    return this.#plan.endpoints.filter((one) => one.number !== number);
  }

  #set(unsorted: readonly PlannedEndpoint[]): void {
    const former = { plan: this.#plan, bootstraps: [...this.#bootstraps] };
    this.#replace(unsorted);
    try {
      this.#keep(this);
    } catch (error) {
      // What has no room on the disk is refused before anything changes: the next controller would not know of it.
      this.#plan = former.plan;
      for (const [host, bootstrap] of former.bootstraps) this.#bootstraps.set(host, bootstrap);
      throw error;
    }
  }

  #replace(unsorted: readonly PlannedEndpoint[]): void {
    const endpoints = unsorted.toSorted((a, b) => a.number - b.number);
    this.#plan = { ...this.#plan, endpoints };
    for (const [host, bootstrap] of this.#bootstraps) {
      const here = endpoints.filter((one) => one.host.name === host);
      this.#bootstraps.set(host, {
        ...bootstrap,
        endpoints: here.map((one) => toldEndpoint(one, this.#plan)),
      });
    }
  }
}

function keepInFiles({ plan, bootstraps }: CurrentPlacement): void {
  keepBootstraps(plan.experiment, bootstraps);
  const state = readState(plan.experiment);
  if (state) writeState({ ...state, endpoints: endpointsOf(plan) });
}
