/** Since when rules are in force at each endpoint, and paths have their properties; and when that was read back last. Pure. */
import type { Path } from '../../topology/model/model.ts';

interface Endpoint {
  /** Since when what was read back is as it should be. */
  inForceSince: number;
  readBackAt: number;
}

interface PathState {
  readonly path: Path;
  readonly since: number;
}

export class Proofs {
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #paths = new Map<number, PathState>();

  /** What is installed at an endpoint was read back: as it should be, or put back just now. */
  readBack(endpoint: string, wasIntact: boolean, now: number): void {
    const known = this.#endpoints.get(endpoint);
    if (known && wasIntact) known.readBackAt = now;
    else this.#endpoints.set(endpoint, { inForceSince: now, readBackAt: now });
  }

  /** It is not as it should be, or is not here any more. */
  lost(endpoint: string): void {
    this.#endpoints.delete(endpoint);
  }

  ofEndpoint(endpoint: string): Readonly<Endpoint> | undefined {
    return this.#endpoints.get(endpoint);
  }

  /**
   * Paths in use, by a key of the pair. One is as old as its properties: another version of the topology that leaves it as it
   * is does not make it younger. Returns since when each has them.
   */
  setPaths(paths: ReadonlyMap<number, Path>, now: number): ReadonlyMap<number, number> {
    for (const key of this.#paths.keys()) if (!paths.has(key)) this.#paths.delete(key);
    for (const [key, path] of paths) {
      const known = this.#paths.get(key);
      if (!known) this.#paths.set(key, { path, since: now });
      else if (known.path !== path) {
        const since = isSamePath(known.path, path) ? known.since : now;
        this.#paths.set(key, { path, since });
      }
    }
    return new Map(Array.from(this.#paths, ([key, { since }]) => [key, since]));
  }
}

/** In what enforcement uses. */
export function isSamePath(a: Path, b: Path): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  keys.delete('links');
  return [...keys].every((key) => a[key as keyof Path] === b[key as keyof Path]);
}
