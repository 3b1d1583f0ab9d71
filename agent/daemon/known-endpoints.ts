/** The endpoints of all hosts, as this agent knows them, and what has changed since the last call. */
import type { MeshEndpoint } from '../mesh/members/model.ts';
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

  addressesOf(number: number): readonly string[] {
    return this.#known.get(number)?.addresses ?? [];
  }

  get all(): KnownEndpoint[] {
    return Array.from(this.#known.values(), ({ number, addresses }) => ({ number, addresses }));
  }

  /**
   * Takes the endpoints that hosts announce now. Those of a host that left, is silent or starts again stay known, as their
   * paths keep their properties until there is another announcement. Those that their host withdrew are removed, and so
   * is one whose address another endpoint has now.
   */
  learn(announced: readonly MeshEndpoint[], isWithdrawn: (number: number) => boolean): void {
    const present = new Set(announced.map(({ number }) => number));
    const taken = new Set(announced.flatMap(({ addresses }) => addresses));
    for (const [number, { name, addresses }] of this.#known) {
      if (present.has(number)) continue;
      if (!isWithdrawn(number) && !addresses.some((address) => taken.has(address))) continue;
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
