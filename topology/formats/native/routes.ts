/** `routes:` of a file: `client > s1 > server`, `a <> s2 <> b`. */
import { type Findings, quote } from '../../model/diagnostics.ts';
import type { Route } from '../../model/model.ts';
import type { Position } from '../../model/position.ts';

/** For the published schema: names, and one kind of arrow between them. */
export const ROUTE_PATTERN = String.raw`^\s*[^\s<>]+(?:(?:\s*>\s*[^\s<>]+)+|(?:\s*<>\s*[^\s<>]+)+)\s*$`;

/** More than any path has that someone writes. */
const MAX_NODES = 1000;

/** One route, or two of `<>`; none if it can't be read, and `findings` then has the reason. */
export function parseRoute(text: string, position: Position, field: string, findings: Findings): Route[] {
  const isBoth = text.includes('<');
  const nodes = text.split(isBoth ? '<>' : '>').map((name) => name.trim());
  if (nodes.length < 2 || nodes.some((name) => name === '' || /[\s<>]/.test(name))) {
    const remedy = 'write nodes with > between them, or <> for both directions: client > s1 > server';
    findings.error('ROUTE', position, field, `${quote(text)} is no route`, remedy);
    return [];
  }
  if (nodes.length > MAX_NODES) {
    findings.error(
      'LIMIT',
      position,
      field,
      `the route has more than ${MAX_NODES} nodes`,
      'write a shorter one',
    );
    return [];
  }
  const route = { nodes, position };
  return isBoth ? [route, { nodes: nodes.toReversed(), position }] : [route];
}
