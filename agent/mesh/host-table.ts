/** What one agent tells of itself: where it can be dialled, its endpoints, and their flows, with a running digest. */
import type { Digest, EndpointChange, FlowColumns, TableUpdate } from './codec.ts';

export class HostTable {
  /** Addresses, by the number of the endpoint. */
  readonly endpoints = new Map<number, readonly string[]>();
  /** States (proto/mesh.proto, `flow_states`; never 0), by source × number of endpoints + destination. */
  readonly flows = new Map<number, number>();
  readonly #endpointCount: number;
  #meshAddresses: readonly string[] = [];
  #low = 0;
  #high = 0;

  constructor(endpointCount: number) {
    this.#endpointCount = endpointCount;
  }

  get meshAddresses(): readonly string[] {
    return this.#meshAddresses;
  }

  get digest(): Digest {
    const entries = this.endpoints.size + this.flows.size + this.#meshAddresses.length;
    return { entries, low: this.#low, high: this.#high };
  }

  flowKey(source: number, destination: number): number {
    return source * this.#endpointCount + destination;
  }

  sourceOf(flowKey: number): number {
    return Math.floor(flowKey / this.#endpointCount);
  }

  destinationOf(flowKey: number): number {
    return flowKey % this.#endpointCount;
  }

  /** Returns whether that changed anything. */
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

  /** `undefined` removes the endpoint. Returns whether that changed anything. */
  setEndpoint(number: number, addresses: readonly string[] | undefined): boolean {
    const old = this.endpoints.get(number);
    if (old?.join() === addresses?.join()) return false;
    if (old !== undefined) this.#addText(`${number} ${old.join()}`, -1);
    if (addresses === undefined) {
      this.endpoints.delete(number);
    } else {
      this.endpoints.set(number, addresses);
      this.#addText(`${number} ${addresses.join()}`, 1);
    }
    return true;
  }

  setMeshAddresses(addresses: readonly string[]): boolean {
    if (this.#meshAddresses.join() === addresses.join()) return false;
    for (const address of this.#meshAddresses) this.#addText(address, -1);
    for (const address of addresses) this.#addText(address, 1);
    this.#meshAddresses = [...addresses];
    return true;
  }

  toUpdate(): TableUpdate {
    const endpoints: EndpointChange[] = [];
    for (const [number, addresses] of this.endpoints) endpoints.push({ number, addresses, gone: false });
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
    this.#add(
      mix(mix(mix(FLOW_LOW + source) + destination) + state),
      mix(mix(mix(FLOW_HIGH + source) + destination) + state),
      sign,
    );
  }

  #addText(text: string, sign: 1 | -1): void {
    let low = TEXT_LOW;
    let high = TEXT_HIGH;
    for (let at = 0; at < text.length; at++) {
      low = mix(low + text.charCodeAt(at));
      high = mix(high + text.charCodeAt(at));
    }
    this.#add(low, high, sign);
  }

  #add(low: number, high: number, sign: 1 | -1): void {
    this.#low = (this.#low + sign * low) >>> 0;
    this.#high = (this.#high + sign * high) >>> 0;
  }
}

/** Arbitrary, and different, so that the two halves and the two kinds of entries are independent. */
const FLOW_LOW = 0x3c6ef372;
const FLOW_HIGH = 0xa54ff53a;
const TEXT_LOW = 0x510e527f;
const TEXT_HIGH = 0x9b05688c;

/** The finalizer of MurmurHash3: every bit of the argument changes half of the result's. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
