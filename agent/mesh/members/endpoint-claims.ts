/** Which host has an endpoint, if more than one claims it. */
import { MAX_CLAIMS } from '../wire/limits.ts';

export interface Claimant {
  readonly name: string;
  readonly incarnation: number;
}

/**
 * The owner of an endpoint is the claimant that started first; among equals, the first by name. It is the same on
 * every host, in whatever order the claims arrived.
 */
export class EndpointClaims<Host extends Claimant> {
  /** Sorted; the owner first. */
  readonly #claims = new Map<number, Host[]>();
  /** Endpoints with more than one claimant. */
  readonly #disputed = new Set<number>();

  owner(endpoint: number): Host | undefined {
    return this.#claims.get(endpoint)?.[0];
  }

  /** Whether `host`, or a new host, may claim the endpoint. */
  hasRoom(endpoint: number, host: Host | undefined): boolean {
    const hosts = this.#claims.get(endpoint) ?? [];
    return hosts.length < MAX_CLAIMS || (host !== undefined && hosts.includes(host));
  }

  claim(endpoint: number, host: Host): void {
    const hosts = this.#claims.get(endpoint);
    if (hosts === undefined) {
      this.#claims.set(endpoint, [host]);
    } else if (!hosts.includes(host)) {
      hosts.push(host);
      hosts.sort((a, b) => a.incarnation - b.incarnation || (a.name < b.name ? -1 : 1));
      this.#disputed.add(endpoint);
    }
  }

  release(endpoint: number, host: Host): void {
    const hosts = this.#claims.get(endpoint)?.filter((other) => other !== host) ?? [];
    if (hosts.length === 0) this.#claims.delete(endpoint);
    else this.#claims.set(endpoint, hosts);
    if (hosts.length < 2) this.#disputed.delete(endpoint);
  }

  /** Endpoint numbers in ascending order. */
  owned(): number[] {
    return [...this.#claims.keys()].sort((a, b) => a - b);
  }

  disputes(): { endpoint: number; hosts: readonly Host[] }[] {
    return [...this.#disputed]
      .sort((a, b) => a - b)
      .map((endpoint) => ({ endpoint, hosts: this.#claims.get(endpoint)! }));
  }
}
