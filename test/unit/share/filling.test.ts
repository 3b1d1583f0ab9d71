import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fairShares, type ShareProblem } from '../../support/fair-shares.ts';

interface PlainFlow {
  readonly links: readonly number[];
  readonly weight: number;
  readonly demand: number;
}

const GREEDY = Number.POSITIVE_INFINITY;

function problemOf(capacity: readonly number[], flows: readonly PlainFlow[]): ShareProblem {
  const start = [0];
  for (const { links } of flows) start.push(start.at(-1)! + links.length);
  return {
    capacity: Float64Array.from(capacity),
    start: Int32Array.from(start),
    linkOf: Int32Array.from(flows.flatMap(({ links }) => links)),
    weight: Float64Array.from(flows, ({ weight }) => weight),
    demand: Float64Array.from(flows, ({ demand }) => demand),
  };
}

const solve = (capacity: readonly number[], flows: readonly PlainFlow[]) => {
  const { rate, ceiling, limitedBy } = fairShares(problemOf(capacity, flows));
  return { rate: [...rate], ceiling: [...ceiling], limitedBy: [...limitedBy] };
};

describe('known answers', () => {
  test('the example of the design: 17.78, 22.22 and 10 Mb/s', () => {
    const { rate, limitedBy } = solve(
      [50e6, 10e6],
      [
        { links: [0], weight: 1 / 50, demand: GREEDY },
        { links: [0], weight: 1 / 40, demand: GREEDY },
        { links: [0, 1], weight: 1 / 40, demand: GREEDY },
      ],
    );
    expect(rate[0]).toBeCloseTo(17_777_777.78, 2);
    expect(rate[1]).toBeCloseTo(22_222_222.22, 2);
    expect(rate[2]).toBe(10e6);
    expect(limitedBy).toEqual([0, 0, 1]);
  });

  test('what a limited flow leaves goes to the others', () => {
    const { rate, limitedBy, ceiling } = solve(
      [30e6],
      [
        { links: [0], weight: 1, demand: 4e6 },
        { links: [0], weight: 1, demand: GREEDY },
        { links: [0], weight: 1, demand: GREEDY },
      ],
    );
    expect(rate).toEqual([4e6, 13e6, 13e6]);
    expect(limitedBy).toEqual([-1, 0, 0]);
    expect(ceiling).toEqual([13e6, 13e6, 13e6]);
  });

  test('on a link with room, the ceiling is what is left and the own rate', () => {
    const { ceiling, limitedBy } = solve(
      [30e6, 12e6],
      [
        { links: [0], weight: 1, demand: 4e6 },
        { links: [0, 1], weight: 1, demand: 6e6 },
      ],
    );
    expect(limitedBy).toEqual([-1, -1]);
    expect(ceiling).toEqual([24e6, 12e6]);
  });

  test('where nothing limits a flow its rate is infinite', () => {
    const { rate, ceiling, limitedBy } = solve(
      [GREEDY],
      [
        { links: [0], weight: 1, demand: GREEDY },
        { links: [], weight: 1, demand: GREEDY },
        { links: [0], weight: 1, demand: 5 },
      ],
    );
    expect(rate).toEqual([GREEDY, GREEDY, 5]);
    expect(ceiling).toEqual([GREEDY, GREEDY, GREEDY]);
    expect(limitedBy).toEqual([-1, -1, -1]);
  });

  test('a link without capacity gives nothing, and takes nothing elsewhere', () => {
    const { rate, limitedBy } = solve(
      [0, 8e6],
      [
        { links: [0, 1], weight: 3, demand: GREEDY },
        { links: [1], weight: 1, demand: GREEDY },
      ],
    );
    expect(rate).toEqual([0, 8e6]);
    expect(limitedBy).toEqual([0, 1]);
  });

  test('a flow that crosses a link twice counts twice there', () => {
    const { rate } = solve(
      [9e6],
      [
        { links: [0, 0], weight: 1, demand: GREEDY },
        { links: [0], weight: 1, demand: GREEDY },
      ],
    );
    expect(rate).toEqual([3e6, 3e6]);
  });

  test('small weights are not lost beside large ones that are frozen before them', () => {
    const { rate } = solve(
      [10e6, 1e6],
      [
        { links: [0, 1], weight: 1e9, demand: GREEDY },
        { links: [0], weight: 1e-9, demand: GREEDY },
        { links: [0], weight: 2e-9, demand: GREEDY },
      ],
    );
    expect(rate[0]).toBe(1e6);
    expect(rate[1]).toBeCloseTo(3e6, 3);
    expect(rate[2]).toBeCloseTo(6e6, 3);
  });

  test('no flows and no links are a problem with no answer to give', () => {
    expect(solve([], [])).toEqual({ rate: [], ceiling: [], limitedBy: [] });
  });
});

/** Round trips of 100 µs to 20 minutes, capacities over ten decades: what topologies can hold. */
const arbitraryWeight = fc.double({ min: -3, max: 4, noNaN: true }).map((exponent) => 10 ** exponent);
const arbitraryCapacity = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: 1, max: 11, noNaN: true }).map((exponent) => 10 ** exponent) },
  { weight: 1, arbitrary: fc.constantFrom(0, GREEDY, 10e6, 20e6) },
);
const arbitraryDemand = fc.oneof(fc.constant(GREEDY), fc.constantFrom(0, 5e6, 10e6), arbitraryCapacity);

const arbitraryCase = fc.array(arbitraryCapacity, { minLength: 1, maxLength: 12 }).chain((capacity) =>
  fc.record({
    capacity: fc.constant(capacity),
    flows: fc.array(
      fc.record({
        links: fc.uniqueArray(fc.nat(capacity.length - 1), { maxLength: 5 }),
        weight: arbitraryWeight,
        demand: arbitraryDemand,
      }),
      { maxLength: 30 },
    ),
  }),
);

const near = (a: number, b: number, tolerance = 1e-9): boolean =>
  a === b || Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));

function loads(capacity: readonly number[], flows: readonly PlainFlow[], rate: readonly number[]): number[] {
  const load = capacity.map(() => 0);
  flows.forEach(({ links }, flow) => {
    for (const link of links) load[link]! += rate[flow]!;
  });
  return load;
}

describe('properties', () => {
  test('no link carries more than it can, no flow gets more than it wants', () => {
    fc.assert(
      fc.property(arbitraryCase, ({ capacity, flows }) => {
        const { rate, ceiling } = solve(capacity, flows);
        loads(capacity, flows, rate).forEach((load, link) => {
          expect(load).toBeLessThanOrEqual(capacity[link]! * (1 + 1e-9));
        });
        flows.forEach(({ demand }, flow) => {
          expect(rate[flow]).toBeGreaterThanOrEqual(0);
          expect(rate[flow]).toBeLessThanOrEqual(demand);
          expect(ceiling[flow]).toBeGreaterThanOrEqual(rate[flow]!);
        });
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('every flow is at its demand, or is served best per weight on a full link that it crosses', () => {
    fc.assert(
      fc.property(arbitraryCase, ({ capacity, flows }) => {
        const { rate, ceiling, limitedBy } = solve(capacity, flows);
        const load = loads(capacity, flows, rate);
        flows.forEach(({ demand, links, weight }, flow) => {
          const link = limitedBy[flow]!;
          if (link === -1) {
            expect(rate[flow]).toBe(demand);
            return;
          }
          expect(links).toContain(link);
          expect(near(load[link]!, capacity[link]!)).toBe(true);
          expect(ceiling[flow]).toBe(rate[flow]);
          const best = Math.max(
            ...flows.map((other, at) => (other.links.includes(link) ? rate[at]! / other.weight : 0)),
          );
          // What is left of a link is exact to a few bits of its capacity, not of itself.
          expect(best - rate[flow]! / weight).toBeLessThanOrEqual(
            1e-9 * best + (1e-12 * capacity[link]!) / weight,
          );
        });
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  test('the order of flows and links does not matter', () => {
    fc.assert(
      fc.property(arbitraryCase, fc.infiniteStream(fc.nat()), ({ capacity, flows }, random) => {
        const shuffled = shuffle(flows.length, random);
        const moved = shuffle(capacity.length, random);
        const there = moved.map((_, link) => moved.indexOf(link));
        const { rate } = solve(capacity, flows);
        const other = solve(
          moved.map((link) => capacity[link]!),
          shuffled.map((flow) => ({
            ...flows[flow]!,
            links: flows[flow]!.links.map((link) => there[link]!),
          })),
        );
        const largest = Math.max(...capacity.filter(Number.isFinite), 0);
        shuffled.forEach((flow, at) => {
          const difference = rate[flow] === other.rate[at] ? 0 : Math.abs(rate[flow]! - other.rate[at]!);
          expect(difference).toBeLessThanOrEqual(1e-9 * rate[flow]! + 1e-12 * largest);
        });
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  test('doubling all weights changes nothing; doubling capacities and demands doubles rates', () => {
    fc.assert(
      fc.property(arbitraryCase, ({ capacity, flows }) => {
        const { rate, ceiling } = solve(capacity, flows);
        const heavier = solve(
          capacity,
          flows.map((flow) => ({ ...flow, weight: flow.weight * 2 })),
        );
        expect(heavier).toEqual(solve(capacity, flows));
        const larger = solve(
          capacity.map((value) => value * 2),
          flows.map((flow) => ({ ...flow, demand: flow.demand * 2 })),
        );
        expect(larger.rate).toEqual(rate.map((value) => value * 2));
        expect(larger.ceiling).toEqual(ceiling.map((value) => value * 2));
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  test('a flow that asks for its ceiling alone finds it on links that are not full', () => {
    fc.assert(
      fc.property(arbitraryCase, fc.nat(), ({ capacity, flows }, pick) => {
        fc.pre(flows.length > 0);
        const flow = pick % flows.length;
        const { rate, ceiling, limitedBy } = solve(capacity, flows);
        const load = loads(capacity, flows, rate);
        const roomy = flows[flow]!.links.every((link) => load[link]! < capacity[link]! * (1 - 1e-6));
        fc.pre(limitedBy[flow] === -1 && roomy && Number.isFinite(ceiling[flow]!));
        const grown = flows.map((other, at) => (at === flow ? { ...other, demand: ceiling[flow]! } : other));
        expect(near(solve(capacity, grown).rate[flow]!, ceiling[flow]!)).toBe(true);
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});

test('equal problems have equal bits', () => {
  const { capacity, flows } = large(7);
  const first = fairShares(problemOf(capacity, flows));
  const second = fairShares(problemOf(capacity, flows));
  expect(Buffer.from(second.rate.buffer).equals(Buffer.from(first.rate.buffer))).toBe(true);
  expect(Buffer.from(second.ceiling.buffer).equals(Buffer.from(first.ceiling.buffer))).toBe(true);
});

test('10,000 flows over 2,000 links keep every capacity', () => {
  const { capacity, flows } = large(3);
  const { rate } = solve(capacity, flows);
  loads(capacity, flows, rate).forEach((load, link) => {
    expect(load).toBeLessThanOrEqual(capacity[link]! * (1 + 1e-9));
  });
  expect(rate.every((value) => value > 0)).toBe(true);
});

/** A permutation of 0..count-1, drawn from `random` (Fisher and Yates). */
function shuffle(count: number, random: Iterator<number>): number[] {
  const order = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = random.next().value % (at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

/** 10,000 flows over 2,000 links, half of them greedy, from a linear congruential generator. */
function large(seed: number): { capacity: number[]; flows: PlainFlow[] } {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const capacity = Array.from({ length: 2000 }, () => 1e6 + random() * 1e9);
  const flows = Array.from({ length: 10_000 }, () => ({
    links: [...new Set(Array.from({ length: 5 }, () => Math.floor(random() * 2000)))],
    weight: 1e6 / (100 + random() * 200_000),
    demand: random() < 0.5 ? GREEDY : random() * 1e8,
  }));
  return { capacity, flows };
}
