/**
 * Which endpoint has an address, if several claim it. What packets get follows from their addresses, so a member that
 * announces those of others would otherwise give the others' traffic to its own paths.
 */
import { addressText } from '../wire/address-text.ts';

/**
 * An address belongs to the endpoint that the controller gave it to. All others belong to an endpoint of this host, if
 * it has them: there is no better proof. Then to the endpoint of which they were announced first; a later claim counts
 * once the earlier ones are withdrawn.
 */
export class AddressClaims {
  readonly #assigned: (address: string) => number | undefined;
  /** Endpoint → how many hosts announce the address of it; the first claim first. */
  readonly #claims = new Map<string, Map<number, number>>();
  readonly #own = new Map<string, number>();

  /** `assigned`: the endpoint to which an address belongs in any case. */
  constructor(assigned: (address: string) => number | undefined = () => undefined) {
    this.#assigned = assigned;
  }

  /** The endpoint that has the address; `undefined`: nobody claims it. */
  holder(address: string): number | undefined {
    const key = addressText(address);
    return this.#assigned(key) ?? this.#own.get(key) ?? this.#claims.get(key)?.keys().next().value;
  }

  /** `isOwn`: the endpoint is on this host. */
  claim(address: string, endpoint: number, isOwn: boolean): void {
    const key = addressText(address);
    if (isOwn) this.#own.set(key, endpoint);
    const claims = this.#claims.get(key) ?? new Map<number, number>();
    claims.set(endpoint, (claims.get(endpoint) ?? 0) + 1);
    this.#claims.set(key, claims);
  }

  release(address: string, endpoint: number, isOwn: boolean): void {
    const key = addressText(address);
    if (isOwn && this.#own.get(key) === endpoint) this.#own.delete(key);
    const claims = this.#claims.get(key);
    const left = (claims?.get(endpoint) ?? 0) - 1;
    if (left > 0) claims!.set(endpoint, left);
    else claims?.delete(endpoint);
    if (claims?.size === 0) this.#claims.delete(key);
  }
}
