/** The endpoints of all hosts, as this agent knows them, and what has changed since the last call. */
import type { MeshEndpoint, MeshHost } from '../mesh/members/model.ts';
import type { RunLog } from '../runlog/run-log.ts';
import type { KnownEndpoint } from '../shape/shaping.ts';

export class KnownEndpoints {
  readonly #log: RunLog;
  readonly #known = new Map<number, MeshEndpoint>();

  constructor(log: RunLog) {
    this.#log = log;
  }

  get size(): number {
    return this.#known.size;
  }

  get all(): KnownEndpoint[] {
    return Array.from(this.#known.values(), ({ number, addresses }) => ({ number, addresses }));
  }

  /**
   * Takes the endpoints that hosts announce now. Those of a silent host stay known, as their paths keep their
   * properties until there is another announcement. Those that a present host no longer announces are removed, and so
   * is one whose address another endpoint has now.
   */
  learn(announced: readonly MeshEndpoint[], hosts: Pick<ReadonlyMap<string, MeshHost>, 'has'>): void {
    const present = new Set(announced.map(({ number }) => number));
    const taken = new Set(announced.flatMap(({ addresses }) => addresses));
    for (const [number, { name, host, addresses }] of this.#known) {
      if (present.has(number)) continue;
      if (!hosts.has(host) && !addresses.some((address) => taken.has(address))) continue;
      this.#known.delete(number);
      this.#log.append({ kind: 'endpoint', name, host: null, addresses });
    }
    for (const endpoint of announced) {
      const before = this.#known.get(endpoint.number);
      this.#known.set(endpoint.number, endpoint);
      if (before && isSame(before, endpoint)) continue;
      const { name, host, addresses } = endpoint;
      this.#log.append({ kind: 'endpoint', name, host, addresses });
    }
  }
}

function isSame(a: MeshEndpoint, b: MeshEndpoint): boolean {
  return (
    a.host === b.host &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, index) => address === b.addresses[index])
  );
}
