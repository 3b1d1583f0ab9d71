/**
 * Since when rules are in force at each endpoint, and paths have their properties; when that was read back last; and since when
 * paths are seen to work. Pure.
 */
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

/** What is known of a path at a look; instants on the clock of the judgement, ms. */
export interface PathLook {
  /** Since when it has its properties. */
  readonly setSince: number;
  /** When a round trip was measured last; `undefined`: not lately. */
  readonly measuredAt: number | undefined;
  /** Something is wrong with it, or may be. */
  readonly isOdd: boolean;
}

interface Works {
  readonly since: number;
  /** Seen last. */
  readonly at: number;
}

/**
 * Since when paths are seen to work: a round trip there, of an application's TCP or of a probe, was as the path says, and none
 * has been otherwise since.
 */
export class Workings {
  readonly #works = new Map<number, Works>();

  /** The paths in use, by the key of their pair; of others, nothing is known any more. */
  look(paths: ReadonlyMap<number, PathLook>): void {
    for (const key of this.#works.keys()) if (!paths.has(key)) this.#works.delete(key);
    for (const [key, { setSince, measuredAt, isOdd }] of paths) {
      const known = this.#works.get(key);
      const isOver = isOdd || (known !== undefined && known.since < setSince);
      if (isOver) this.#works.delete(key);
      if (isOdd || measuredAt === undefined || measuredAt < setSince) continue;
      this.#works.set(key, { since: isOver || !known ? measuredAt : known.since, at: measuredAt });
    }
  }

  of(key: number): Works | undefined {
    return this.#works.get(key);
  }
}
