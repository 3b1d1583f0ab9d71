import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Assignment } from '../../../controller/placement/partition/assignment.ts';
import { coarsen, DEPTHS } from '../../../controller/placement/partition/coarsen.ts';
import { GainHeap } from '../../../controller/placement/partition/gain-heap.ts';
import { partition } from '../../../controller/placement/partition/multilevel.ts';
import {
  mayBeIn,
  type Problem,
  totalNeeds,
  weightedGraph,
} from '../../../controller/placement/partition/problem.ts';
import { refine } from '../../../controller/placement/partition/refine.ts';
import { SeededRandom } from '../../../topology/model/random.ts';

const NONE = Number.POSITIVE_INFINITY;
const EFFORT = { starts: 3, tries: 3, kept: 4, combinations: 4, repetitions: 2 };

/** A random problem whose limits leave some room; a tenth of the vertices is bound, another tenth is in groups. */
function randomProblem(seed: number, size: number, parts: number): Problem {
  const random = new SeededRandom(seed);
  const edges = Array.from({ length: size * 2 }, () => [
    random.below(size),
    random.below(size),
    1 + random.below(100),
  ]);
  const column = (at: number): number[] => edges.map((edge) => edge[at]!);
  const needs = Float64Array.from({ length: size * 2 }, (_, at) => (at % 2 === 0 ? 1 : random.below(4)));
  const domain = new Int32Array(size).fill(-1);
  const domains = Array.from({ length: parts }, (_, part) => {
    const mask = new Uint8Array(parts);
    mask[part] = 1;
    return mask;
  });
  const groupsOf: number[][] = Array.from({ length: size }, () => []);
  for (let vertex = 0; vertex < size; vertex++) {
    if (random.below(10) === 0) domain[vertex] = random.below(parts);
    else if (vertex < parts) groupsOf[vertex] = [0];
  }
  const graph = weightedGraph(size, column(0), column(1), column(2));
  const base = { graph, parts, resources: 2, needs, mass: new Float64Array(size).fill(1) };
  const limits = Float64Array.from({ length: parts * 2 }, (_, at) =>
    at % 2 === 0 ? Math.ceil((size / parts) * 1.5) + 2 : (size * 1.5 * 1.6) / parts + 8,
  );
  return {
    ...base,
    limits,
    severity: Float64Array.of(1, 100),
    cutLimits: new Float64Array(parts).fill(NONE),
    domain,
    domains,
    groups: 1,
    groupsOf,
  };
}

function randomParts(problem: Problem, random: SeededRandom): Int32Array {
  return Int32Array.from({ length: problem.graph.size }, (_, vertex) => {
    const own = problem.domain[vertex]!;
    return own === -1 ? random.below(problem.parts) : problem.domains[own]!.indexOf(1);
  });
}

test('parallel edges are added up, and loops left out', () => {
  const { start, target, weight } = weightedGraph(3, [0, 1, 1, 2], [1, 0, 2, 2], [1, 2, 5, 9]);
  expect([...start]).toEqual([0, 1, 3, 4]);
  expect([...target]).toEqual([1, 0, 2, 1]);
  expect([...weight]).toEqual([3, 3, 5, 5]);
});

test('the heap gives the greatest gain first, and of equal ones the lower vertex', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.integer({ min: -5, max: 5 }))), (pairs) => {
      const heap = new GainHeap();
      for (const [vertex, gain] of pairs) heap.push(vertex, gain);
      const out: number[][] = [];
      while (!heap.isEmpty) {
        const { vertex, gain } = heap.pop();
        out.push([vertex, gain]);
      }
      expect(out).toEqual(pairs.toSorted((a, b) => b[1] - a[1] || a[0] - b[0]));
    }),
  );
});

test('after any moves, cut, excess and connections are those computed from nothing', () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.integer({ min: 2, max: 5 }), (seed, parts) => {
      const problem = { ...randomProblem(seed, 30, parts), cutLimits: new Float64Array(parts).fill(300) };
      const random = new SeededRandom(seed);
      const assignment = new Assignment(problem, randomParts(problem, random));
      for (let step = 0; step < 60; step++) {
        const vertex = random.below(30);
        const to = random.below(parts);
        if (to === assignment.part[vertex] || !mayBeIn(problem, vertex, to)) continue;
        const foreseen = assignment.excessAfter(vertex, to);
        const cut = assignment.cut - assignment.gain(vertex, to);
        assignment.move(vertex, to);
        expect(assignment.cut).toBe(cut);
        if (Number.isFinite(foreseen)) expect(assignment.excess).toBeCloseTo(foreseen, 6);
      }
      const fresh = new Assignment(problem, assignment.part.slice());
      expect(assignment.cut).toBe(fresh.cut);
      expect(assignment.excess).toBeCloseTo(fresh.excess, 6);
      expect(assignment.connection).toEqual(fresh.connection);
    }),
    { numRuns: 40 },
  );
});

test('a coarse problem has the same needs in total, and the same cut for the same parts', () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.constantFrom(...DEPTHS), (seed, depth) => {
      const problem = randomProblem(seed, 80, 3);
      const random = new SeededRandom(seed);
      const { problem: coarse, vertexOf } = coarsen(problem, depth, random);
      expect(coarse.graph.size).toBeLessThan(80);
      expect([...totalNeeds(coarse)]).toEqual([...totalNeeds(problem)]);
      expect(coarse.mass.reduce((sum, one) => sum + one, 0)).toBe(80);
      const above = randomParts(coarse, random);
      const below = vertexOf.map((vertex) => above[vertex]!);
      const [one, other] = [new Assignment(coarse, above), new Assignment(problem, below)];
      expect(one.cut).toBe(other.cut);
      expect(one.excess).toBeCloseTo(other.excess, 6);
      for (let vertex = 0; vertex < 80; vertex++) expect(mayBeIn(problem, vertex, below[vertex]!)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('refining never makes anything worse', () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.integer({ min: 2, max: 6 }), (seed, parts) => {
      const problem = randomProblem(seed, 60, parts);
      const assignment = new Assignment(problem, randomParts(problem, new SeededRandom(seed)));
      const before = { excess: assignment.excess, cut: assignment.cut };
      refine(assignment);
      expect(assignment.excess).toBeLessThanOrEqual(before.excess + 1e-6);
      if (before.excess === 0) expect(assignment.cut).toBeLessThanOrEqual(before.cut);
    }),
    { numRuns: 40 },
  );
});

describe('dividing', () => {
  test('limits, domains and groups hold, and the same seed gives the same parts', () => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 10, max: 120 }),
        fc.integer({ min: 1, max: 6 }),
        (seed, size, parts) => {
          const problem = randomProblem(seed, size, parts);
          const part = partition(problem, seed, EFFORT);
          expect(partition(problem, seed, EFFORT)).toEqual(part);
          const found = new Assignment(problem, part);
          expect(found.excess).toBe(0);
          for (let vertex = 0; vertex < size; vertex++)
            expect(mayBeIn(problem, vertex, part[vertex]!)).toBe(true);
          const apart = [...part.keys()].filter((vertex) => problem.groupsOf[vertex]!.length > 0);
          expect(new Set(apart.map((vertex) => part[vertex])).size).toBe(apart.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('two cliques with one edge between them are cut at that edge', () => {
    const cliques = [0, 10].flatMap((first) =>
      Array.from({ length: 45 }, (_, at) => {
        const a = Math.floor((1 + Math.sqrt(1 + 8 * at)) / 2);
        return [first + a, first + at - (a * (a - 1)) / 2, 1];
      }),
    );
    const edges = [...cliques, [3, 14, 1]];
    const column = (at: number): number[] => edges.map((edge) => edge[at]!);
    const problem: Problem = {
      ...randomProblem(1, 20, 2),
      graph: weightedGraph(20, column(0), column(1), column(2)),
      limits: Float64Array.of(11, NONE, 11, NONE),
      domain: new Int32Array(20).fill(-1),
      groupsOf: Array.from({ length: 20 }, () => []),
    };
    expect(new Assignment(problem, partition(problem, 1, EFFORT)).cut).toBe(1);
  });

  test('what leaves a part stays below its limit where that is possible', () => {
    // A path of ten vertices with weights that shrink: the part with the low limit gets an end.
    const weights = [90, 80, 70, 60, 50, 40, 30, 20, 10];
    const problem: Problem = {
      ...randomProblem(1, 10, 2),
      graph: weightedGraph(
        10,
        [...weights.keys()],
        weights.map((_, at) => at + 1),
        weights,
      ),
      needs: Float64Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? 1 : 0)),
      limits: Float64Array.of(9, NONE, 9, NONE),
      cutLimits: Float64Array.of(15, NONE),
      domain: new Int32Array(10).fill(-1),
      groupsOf: Array.from({ length: 10 }, () => []),
    };
    const found = new Assignment(problem, partition(problem, 1, EFFORT));
    expect(found.cut).toBe(10);
    expect(found.excess).toBe(0);
  });

  test('where not everything fits, the excess is small and nothing fails', () => {
    const problem: Problem = {
      ...randomProblem(3, 40, 4),
      limits: Float64Array.from({ length: 8 }, () => 5),
    };
    const found = new Assignment(problem, partition(problem, 1, EFFORT));
    expect(found.excess).toBeGreaterThan(0);
    expect(Math.max(...[0, 1, 2, 3].map((part) => found.load(part, 0)))).toBeLessThan(20);
  });
});
