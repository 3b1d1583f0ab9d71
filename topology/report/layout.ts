/**
 * Places for the nodes of a drawing: forces between them (Fruchterman and Reingold, "Graph drawing by force-directed placement",
 * 1991), from a start that depends on the drawing alone, so that the same topology looks the same everywhere. Pure.
 */
import type { Drawing } from './drawing.ts';

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** The cost is the square of the nodes in each round. */
const MOST_WORK = 30_000_000;
const MOST_ROUNDS = 400;
/** A turn of the golden angle puts neighbours in the list far from each other, and no two on one place. */
const GOLDEN_ANGLE = 2.399963229728653;

/** Of each node, in a square from 0 to 1. */
export function placesOf({ nodes, lines }: Drawing): Place[] {
  const count = nodes.length;
  const x = Float64Array.from(nodes, (_, n) => Math.sqrt((n + 0.5) / count) * Math.cos(n * GOLDEN_ANGLE));
  const y = Float64Array.from(nodes, (_, n) => Math.sqrt((n + 0.5) / count) * Math.sin(n * GOLDEN_ANGLE));
  const rounds = Math.min(MOST_ROUNDS, Math.floor(MOST_WORK / (count * count + 1)));
  const ideal = 1.5 / Math.sqrt(count);
  for (let round = 0; round < rounds; round++) move(x, y, lines, ideal, 0.2 * (1 - round / rounds));
  return scaled(x, y);
}

/** One round: no node moves further than `most`. */
function move(x: Float64Array, y: Float64Array, lines: Drawing['lines'], ideal: number, most: number): void {
  const [dx, dy] = [new Float64Array(x.length), new Float64Array(x.length)];
  for (let a = 0; a < x.length; a++) {
    for (let b = a + 1; b < x.length; b++) push(a, b, (distance) => (ideal * ideal) / distance);
    // What is not connected must not drift away.
    dx[a]! -= 0.1 * x[a]!;
    dy[a]! -= 0.1 * y[a]!;
  }
  for (const { from, to } of lines)
    if (from !== to) push(from, to, (distance) => -(distance * distance) / ideal);
  for (let n = 0; n < x.length; n++) {
    const length = Math.hypot(dx[n]!, dy[n]!);
    if (length === 0) continue;
    x[n]! += (dx[n]! / length) * Math.min(length, most);
    y[n]! += (dy[n]! / length) * Math.min(length, most);
  }

  function push(a: number, b: number, force: (distance: number) => number): void {
    const [byX, byY] = [x[a]! - x[b]!, y[a]! - y[b]!];
    const distance = Math.max(Math.hypot(byX, byY), 1e-4);
    const strength = force(distance) / distance;
    dx[a]! += byX * strength;
    dy[a]! += byY * strength;
    dx[b]! -= byX * strength;
    dy[b]! -= byY * strength;
  }
}

function scaled(x: Float64Array, y: Float64Array): Place[] {
  const [left, right] = [Math.min(...x), Math.max(...x)];
  const [top, bottom] = [Math.min(...y), Math.max(...y)];
  const part = (value: number, low: number, high: number): number =>
    high > low ? (value - low) / (high - low) : 0.5;
  return Array.from(x, (one, n) => ({ x: part(one, left, right), y: part(y[n]!, top, bottom) }));
}
