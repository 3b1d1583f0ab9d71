/**
 * The endpoints of this host. They are present from the start, or come and go while the agent runs: a restarted
 * container has another network namespace, and perhaps another address.
 */
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import { AgentError } from '../errors.ts';
import type { Shaping } from '../shape/shaping.ts';
import type { Kernel } from './ports.ts';

export interface LocalEndpointsPorts {
  readonly kernel: Pick<Kernel, 'countTraffic' | 'stopCounting' | 'changes'>;
  readonly shaping: Pick<Shaping, 'attach' | 'detach'>;
  /** Names of all endpoints, by number. */
  readonly names: readonly string[];
  /** Called after each change, with all present endpoints. */
  readonly onChange: (endpoints: readonly LocalEndpoint[]) => void;
}

export class LocalEndpoints {
  readonly #ports: LocalEndpointsPorts;
  readonly #byNumber = new Map<number, LocalEndpoint>();
  /** One after the other: an endpoint may be attached again while it is being detached. */
  #last: Promise<void> = Promise.resolve();

  constructor(ports: LocalEndpointsPorts) {
    this.#ports = ports;
  }

  /** In the order in which they came. */
  get all(): readonly LocalEndpoint[] {
    return [...this.#byNumber.values()];
  }

  get(number: number): LocalEndpoint | undefined {
    return this.#byNumber.get(number);
  }

  /**
   * Counts and shapes the endpoint's traffic from now on. One with the same number, in another namespace or at
   * another address, is detached first. Throws `ENDPOINT_UNKNOWN`, and what attaching throws (`QDISC_FOREIGN`,
   * `INTERFACE_GONE` …); the endpoint is not here then.
   */
  attach(endpoint: LocalEndpoint): Promise<void> {
    return this.#inTurn(async () => {
      this.#requireKnown(endpoint);
      const before = this.#byNumber.get(endpoint.number);
      if (before) await this.#detach(before);
      await this.#attach(endpoint);
      this.#ports.onChange(this.all);
    });
  }

  /** All of them at once, before any is announced. */
  attachAll(endpoints: readonly LocalEndpoint[], pause: (index: number) => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      for (const [index, endpoint] of endpoints.entries()) {
        this.#requireKnown(endpoint);
        await this.#attach(endpoint);
        await pause(index);
      }
    });
  }

  /** Restores its interface, if that still exists, and forgets the endpoint. Does nothing if it is not here. */
  detach(number: number): Promise<void> {
    return this.#inTurn(async () => {
      const endpoint = this.#byNumber.get(number);
      if (!endpoint) return;
      try {
        await this.#detach(endpoint);
      } finally {
        this.#ports.onChange(this.all);
      }
    });
  }

  async #attach(endpoint: LocalEndpoint): Promise<void> {
    const { kernel, shaping } = this.#ports;
    kernel.countTraffic(endpoint);
    try {
      await shaping.attach(endpoint);
    } catch (error) {
      await kernel.stopCounting(endpoint);
      throw error;
    }
    kernel.changes.attach(endpoint);
    this.#byNumber.set(endpoint.number, endpoint);
  }

  async #detach(endpoint: LocalEndpoint): Promise<void> {
    this.#byNumber.delete(endpoint.number);
    this.#ports.kernel.changes.detach(endpoint);
    try {
      await this.#ports.shaping.detach(endpoint);
    } finally {
      await this.#ports.kernel.stopCounting(endpoint);
    }
  }

  #requireKnown({ number, name }: LocalEndpoint): void {
    if (this.#ports.names[number] === name) return;
    throw new AgentError(
      'ENDPOINT_UNKNOWN',
      `the topology has no endpoint ${name} with the number ${number}`,
      'give number and name as `netfold status --json` has them',
    );
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const done = this.#last.then(action);
    this.#last = done.catch(() => {});
    return done;
  }
}
