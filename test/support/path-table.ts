/** Folded paths that are given instead of computed. */
import { impairment } from '../../proto/impairment.ts';
import { bps, micros } from '../../proto/units.ts';
import type { Path } from '../../topology/model/model.ts';

export interface PathSpec {
  readonly from: number;
  readonly to: number;
  /** µs */
  readonly latency: number;
  readonly links: readonly number[];
}

export function pathTable(specs: readonly PathSpec[]): {
  path: (from: number, to: number) => Path | undefined;
} {
  const table = new Map(
    specs.map(({ from, to, latency, links }): [string, Path] => [
      `${from} ${to}`,
      {
        from,
        to,
        ...impairment({ latency: micros(latency), bandwidth: bps(1e6) }),
        hops: links.length,
        links,
      },
    ]),
  );
  return { path: (from, to) => table.get(`${from} ${to}`) };
}
