/**
 * Where everything of an experiment is: hosts with an agent each, and their endpoints. Plain data, the same on every
 * platform.
 */
import type { Bootstrap } from '../../../proto/bootstrap.ts';

export interface PlannedHost {
  readonly index: number;
  readonly name: string;
  /** Name of its agent's network namespace; `OWN_NAMESPACE`: the one of this process. */
  readonly namespace: string;
  /** Where its agent listens for the others. */
  readonly address: string;
  /** 0: one that is free. */
  readonly meshPort: number;
}

export interface PlannedEndpoint {
  /** Its number in the topology (`Graph.endpoints`). */
  readonly number: number;
  readonly name: string;
  /** Name of its network namespace, as of its host. */
  readonly namespace: string;
  /** The interface whose egress is shaped. */
  readonly interface: { readonly name: string; readonly index: number };
  /** The first of `addresses` in messages: IPv4 if it has one. */
  readonly address: string;
  /** All of them, as text. */
  readonly addresses: readonly string[];
  readonly host: PlannedHost;
}

export interface Plan {
  /** Name of the platform that has made the plan, and that carries it out. */
  readonly platform: string;
  readonly experiment: string;
  /** The place in messages: `2 hosts`, `interfaces of this machine`. */
  readonly place: string;
  readonly hosts: readonly PlannedHost[];
  readonly endpoints: readonly PlannedEndpoint[];
  /** Of the endpoints' interfaces; see `LocalEndpoint.outlivesAgent`. */
  readonly outlivesAgent: boolean;
  /** Settings of the agents that depend on the place; empty in the plan of an experiment that runs already. */
  readonly settings: Pick<
    Bootstrap,
    'takeOver' | 'leaseMs' | 'never' | 'names' | 'segments' | 'lives' | 'containers' | 'triesPaths'
  >;
}
