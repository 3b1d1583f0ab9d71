import { expect, it } from 'vitest';
import { layOut, type Net } from '../../../controller/ui/graph/layout.ts';

function star(leaves: number): Net {
  return {
    nodes: Array.from({ length: leaves + 1 }, (_, number) => `n${number}`),
    edges: Array.from({ length: leaves }, (_, leaf) => [0, leaf + 1] as const),
  };
}

function leastDistance(places: readonly { x: number; y: number }[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [index, a] of places.entries()) {
    for (const b of places.slice(index + 1)) least = Math.min(least, Math.hypot(a.x - b.x, a.y - b.y));
  }
  return least;
}

it('gives the same places for the same graph', () => {
  expect(layOut(star(12))).toEqual(layOut(star(12)));
});

it('keeps nodes apart, and the middle in the middle', () => {
  const places = layOut(star(12));
  expect(leastDistance(places)).toBeGreaterThan(25);
  const distances = places.slice(1).map(({ x, y }) => Math.hypot(x - places[0]!.x, y - places[0]!.y));
  expect(Math.max(...distances)).toBeLessThan(2 * Math.min(...distances));
});

it('gives a chain a long side, which lies', () => {
  const nodes = Array.from({ length: 10 }, (_, number) => `n${number}`);
  const edges = nodes.slice(1).map((_, number) => [number, number + 1] as const);
  const places = layOut({ nodes, edges });
  const extent = (values: number[]): number => Math.max(...values) - Math.min(...values);
  expect(extent(places.map(({ x }) => x))).toBeGreaterThan(3 * extent(places.map(({ y }) => y)));
});

it('places components beside each other, and nodes without a link', () => {
  const places = layOut({
    nodes: ['a', 'b', 'c', 'd', 'alone'],
    edges: [
      [0, 1],
      [2, 3],
      [2, 3],
      [3, 3],
    ],
  });
  expect(leastDistance(places)).toBeGreaterThan(40);
  expect(places.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
  expect(layOut({ nodes: [], edges: [] })).toEqual([]);
});
