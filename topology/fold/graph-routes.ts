/** Routes of the file, with the numbers of their nodes. */
import type { GraphRoute, Route } from '../model/model.ts';
import { parseReference } from '../model/names.ts';
import type { Numbering } from './numbering.ts';

/** Of a topology whose routes were checked. */
export function graphRoutes(routes: readonly Route[], numbering: Numbering): GraphRoute[] {
  return routes.map(({ nodes }) => {
    const ranges = nodes.map((name) => numbering.range(parseReference(name)!)!);
    return { from: ranges[0]!, to: ranges.at(-1)!, via: ranges.slice(1, -1).map(([node]) => node) };
  });
}
