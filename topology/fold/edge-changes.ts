/** The changes from one epoch to the next that routing needs. */
import type { Micros } from '../../proto/units.ts';
import type { Edge, Graph } from '../model/model.ts';

export interface EdgeChanges {
  /** Removed, or with more latency. */
  readonly worse: readonly Edge[];
  /** Added, or with less latency, which is given. */
  readonly better: readonly { readonly edge: Edge; readonly latency: Micros }[];
}

/** With more changes than this, checking each tree for each of them costs more than new trees for those in use. */
const MAX_CHANGES = 64;

/** Of two epochs of one topology; `undefined` if there are so many that all has to be computed anew. */
export function edgeChanges(before: Graph, after: Graph): EdgeChanges | undefined {
  if (before.routing !== after.routing || before.links.length !== after.links.length) return undefined;
  const worse: Edge[] = [];
  const better: { edge: Edge; latency: Micros }[] = [];
  const isTooMany = (): boolean => worse.length + better.length > MAX_CHANGES;
  if (before.edges !== after.edges) {
    const [old, now] = [new Set(before.edges), new Set(after.edges)];
    for (const edge of before.edges) if (!now.has(edge) && worse.push(edge) > MAX_CHANGES) return undefined;
    for (const edge of after.edges) {
      if (old.has(edge)) continue;
      better.push({ edge, latency: after.links[edge.link]!.latency });
      if (isTooMany()) return undefined;
    }
  }
  if (before.links === after.links) return { worse, better };
  for (const edge of after.edges) {
    const { latency } = after.links[edge.link]!;
    const gain = before.links[edge.link]!.latency - latency;
    if (gain < 0) worse.push(edge);
    else if (gain > 0) better.push({ edge, latency });
    if (isTooMany()) return undefined;
  }
  return { worse, better };
}
