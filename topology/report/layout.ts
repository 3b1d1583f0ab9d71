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

/** Between the parts of a drawing that no line joins, in lengths of a line. */
const GAP = 1;

/**
 * Of each node, in a square from 0 to 1: as wide as it, and seldom as high, since labels are wide as well. Parts that no line joins
 * stand side by side, the largest first.
 */
export function placesOf({ nodes, lines }: Drawing): Place[] {
  const parts = partsOf(nodes.length, lines).map((part) => placed(part, lines));
  const x = new Float64Array(nodes.length);
  const y = new Float64Array(nodes.length);
  const area = parts.reduce((sum, { width, height }) => sum + (width + GAP) * (height + GAP), 0);
  const most = Math.max(1.6 * Math.sqrt(area), ...parts.map(({ width }) => width));
  let [left, top, bottom] = [0, 0, 0];
  for (const part of parts) {
    if (left > 0 && left + part.width > most) [left, top] = [0, bottom + GAP];
    for (const [at, node] of part.nodes.entries()) {
      x[node] = left + part.x[at]!;
      y[node] = top + part.y[at]!;
    }
    left += part.width + GAP;
    bottom = Math.max(bottom, top + part.height);
  }
  return scaled(x, y);
}

/** Nodes that lines join, the most first. */
function partsOf(count: number, lines: Drawing['lines']): number[][] {
  const near = Array.from({ length: count }, (): number[] => []);
  for (const { from, to } of lines) {
    near[from]!.push(to);
    near[to]!.push(from);
  }
  const seen = new Uint8Array(count);
  const parts: number[][] = [];
  for (let start = 0; start < count; start++) {
    if (seen[start]) continue;
    seen[start] = 1;
    const part = [start];
    // It grows while it is read.
    for (const node of part) {
      for (const next of near[node]!) {
        if (seen[next]) continue;
        seen[next] = 1;
        part.push(next);
      }
    }
    parts.push(part.sort((a, b) => a - b));
  }
  return parts.sort((a, b) => b.length - a.length);
}

interface Part {
  readonly nodes: readonly number[];
  /** Of each node, from 0 on, in lengths of a line. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly width: number;
  readonly height: number;
}

function placed(nodes: readonly number[], all: Drawing['lines']): Part {
  const count = nodes.length;
  const places = new Map(nodes.map((node, at) => [node, at]));
  const lines = all
    .filter(({ from, to }) => places.has(from) && from !== to)
    .map(({ from, to }) => ({ from: places.get(from)!, to: places.get(to)! }));
  const x = Float64Array.from(nodes, (_, n) => Math.sqrt((n + 0.5) / count) * Math.cos(n * GOLDEN_ANGLE));
  const y = Float64Array.from(nodes, (_, n) => Math.sqrt((n + 0.5) / count) * Math.sin(n * GOLDEN_ANGLE));
  const rounds = Math.min(MOST_ROUNDS, Math.floor(MOST_WORK / (count * count + 1)));
  const ideal = 1.5 / Math.sqrt(count);
  for (let round = 0; round < rounds; round++) move(x, y, lines, ideal, 0.2 * (1 - round / rounds));
  lay(x, y);
  const lengths = lines
    .map(({ from, to }) => Math.hypot(x[from]! - x[to]!, y[from]! - y[to]!))
    .sort((a, b) => a - b);
  const unit = lengths[Math.floor(lengths.length / 2)] || 1;
  const [left, top] = [Math.min(...x), Math.min(...y)];
  for (let n = 0; n < count; n++) {
    x[n] = (x[n]! - left) / unit;
    y[n] = (y[n]! - top) / unit;
  }
  return { nodes, x, y, width: Math.max(...x), height: Math.max(...y) };
}

/** A line between two of a part's nodes. */
interface Joined {
  readonly from: number;
  readonly to: number;
}

/** One round: no node moves further than `most`. */
function move(x: Float64Array, y: Float64Array, lines: readonly Joined[], ideal: number, most: number): void {
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

/** Turns all so that their longest extent lies across (the first principal axis). */
function lay(x: Float64Array, y: Float64Array): void {
  const mean = (values: Float64Array): number => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [middleX, middleY] = [mean(x), mean(y)];
  let [xx, xy, yy] = [0, 0, 0];
  for (let n = 0; n < x.length; n++) {
    const [byX, byY] = [x[n]! - middleX, y[n]! - middleY];
    xx += byX * byX;
    xy += byX * byY;
    yy += byY * byY;
  }
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let n = 0; n < x.length; n++) {
    const [byX, byY] = [x[n]! - middleX, y[n]! - middleY];
    x[n] = byX * cos + byY * sin;
    y[n] = byY * cos - byX * sin;
  }
}

/** Both axes alike. */
function scaled(x: Float64Array, y: Float64Array): Place[] {
  const [left, right] = [Math.min(...x), Math.max(...x)];
  const [top, bottom] = [Math.min(...y), Math.max(...y)];
  const extent = Math.max(right - left, bottom - top);
  const part = (value: number, low: number): number => (extent > 0 ? (value - low) / extent : 0.5);
  return Array.from(x, (one, n) => ({ x: part(one, left), y: part(y[n]!, top) }));
}
