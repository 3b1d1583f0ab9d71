/** The table of one agent: where it can be dialled, its endpoints, and their flows, with a running digest. */
import type { EndpointChange, FlowColumns, TableUpdate } from '../wire/codec.ts';
import { type Digest, mix, RunningSum } from '../wire/digest.ts';

export class HostTable {
  /** Addresses, by the number of the endpoint. */
  readonly endpoints = new Map<number, readonly string[]>();
  /** Those of `endpoints` whose service is ready. */
  readonly ready = new Set<number>();
  /** States (proto/mesh.proto, `flow_states`; never 0), by source × numbers + destination. */
  readonly flows = new Map<number, number>();
  readonly #numbers: number;
  #meshAddresses: readonly string[] = [];
  readonly #sum = new RunningSum();

  /** `numbers`: one more than the greatest number that a flow's destination may have. */
  constructor(numbers: number) {
    this.#numbers = numbers;
  }

  get meshAddresses(): readonly string[] {
    return this.#meshAddresses;
  }

  get digest(): Digest {
    const entries = this.endpoints.size + this.flows.size + this.#meshAddresses.length;
    return { entries, low: this.#sum.low, high: this.#sum.high };
  }

  flowKey(source: number, destination: number): number {
    return source * this.#numbers + destination;
  }

  sourceOf(flowKey: number): number {
    return Math.floor(flowKey / this.#numbers);
  }

  destinationOf(flowKey: number): number {
    return flowKey % this.#numbers;
  }

  /** Returns whether this changed anything. */
  setFlow(key: number, state: number): boolean {
    const old = this.flows.get(key) ?? 0;
    if (old === state) return false;
    if (old !== 0) this.#addFlow(key, old, -1);
    if (state === 0) {
      this.flows.delete(key);
    } else {
      this.flows.set(key, state);
      this.#addFlow(key, state, 1);
    }
    return true;
  }

  /** `undefined` removes the endpoint. Returns whether this changed anything. */
  setEndpoint(number: number, addresses: readonly string[] | undefined, isReady = false): boolean {
    const old = this.endpoints.get(number);
    const wasReady = this.ready.has(number);
    if (old?.join() === addresses?.join() && (addresses === undefined || wasReady === isReady)) return false;
    if (old !== undefined) this.#sum.addText(endpointText(number, old, wasReady), -1);
    this.ready.delete(number);
    if (addresses === undefined) {
      this.endpoints.delete(number);
    } else {
      this.endpoints.set(number, addresses);
      if (isReady) this.ready.add(number);
      this.#sum.addText(endpointText(number, addresses, isReady), 1);
    }
    return true;
  }

  setMeshAddresses(addresses: readonly string[]): boolean {
    if (this.#meshAddresses.join() === addresses.join()) return false;
    for (const address of this.#meshAddresses) this.#sum.addText(address, -1);
    for (const address of addresses) this.#sum.addText(address, 1);
    this.#meshAddresses = [...addresses];
    return true;
  }

  toUpdate(): TableUpdate {
    const endpoints: EndpointChange[] = [];
    for (const [number, addresses] of this.endpoints)
      endpoints.push({ number, addresses, gone: false, ...(this.ready.has(number) && { ready: true }) });
    return { whole: true, meshAddresses: this.#meshAddresses, endpoints, flows: this.#columns() };
  }

  #columns(): FlowColumns {
    const sources: number[] = [];
    const destinations: number[] = [];
    const states: number[] = [];
    for (const [key, state] of this.flows) {
      sources.push(this.sourceOf(key));
      destinations.push(this.destinationOf(key));
      states.push(state);
    }
    return { sources, destinations, states };
  }

  #addFlow(key: number, state: number, sign: 1 | -1): void {
    const source = this.sourceOf(key);
    const destination = this.destinationOf(key);
    this.#sum.add(
      mix(mix(mix(FLOW_LOW + source) + destination) + state),
      mix(mix(mix(FLOW_HIGH + source) + destination) + state),
      sign,
    );
  }
}

function endpointText(number: number, addresses: readonly string[], isReady: boolean): string {
  return `${number} ${addresses.join()}${isReady ? ' ready' : ''}`;
}

/** Arbitrary and different, so that the two halves and the two kinds of entries are independent. */
const FLOW_LOW = 0x3c6ef372;
const FLOW_HIGH = 0xa54ff53a;
