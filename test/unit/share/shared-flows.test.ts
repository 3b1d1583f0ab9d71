import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { flowShares } from '../../../agent/share/flow-shares.ts';
import type { Flow, FlowShare, ShareNetwork } from '../../../agent/share/model.ts';
import { roundTripMicros } from '../../../agent/share/round-trip.ts';
import { SharedFlows } from '../../../agent/share/shared-flows.ts';
import type { Path } from '../../../topology/model/model.ts';
import { SeededRandom } from '../../../topology/model/random.ts';
import { fairShares } from '../../support/fair-shares.ts';
import { type PathSpec, pathTable } from '../../support/path-table.ts';

const GREEDY = Number.POSITIVE_INFINITY;
const ENDPOINTS = 14;
const LINKS = 10;

/** Random paths of up to four of ten links, some unlimited, some without capacity; some pairs have none. */
function randomNetwork(random: SeededRandom): ShareNetwork {
  const specs: PathSpec[] = [];
  for (let from = 0; from < ENDPOINTS; from++) {
    for (let to = 0; to < ENDPOINTS; to++) {
      if (from === to || random.below(9) === 0) continue;
      const links = Array.from({ length: random.below(5) }, () => random.below(LINKS));
      specs.push({ from, to, latency: random.below(5) * 700, links: [...new Set(links)] });
    }
  }
  const linkCapacity = Float64Array.from({ length: LINKS }, () =>
    random.below(6) === 0 ? [0, GREEDY, 10e6][random.below(3)]! : 10 ** (4 + 5 * random.next()),
  );
  return { paths: pathTable(specs).path, linkCapacity };
}

function randomFlow(random: SeededRandom): Flow {
  const source = random.below(ENDPOINTS);
  const destination = (source + 1 + random.below(ENDPOINTS - 1)) % ENDPOINTS;
  const demandBps = random.below(2) === 0 ? GREEDY : random.below(3) === 0 ? 5e6 : random.next() * 1e7;
  return { source, destination, demandBps };
}

/** Some flows come, go, or want something else; now and then very many at once, in another order. */
function changed(flows: readonly Flow[], random: SeededRandom): Flow[] {
  const now = [...flows];
  for (let changes = random.below(8) === 0 ? 120 : random.below(4); changes > 0; changes--) {
    const flow = randomFlow(random);
    const at = now.findIndex((one) => one.source === flow.source && one.destination === flow.destination);
    if (at === -1) now.splice(random.below(now.length + 1), 0, flow);
    else if (random.below(2) === 0) now[at] = flow;
    else now.splice(at, 1);
  }
  return random.below(5) === 0 ? now.reverse() : now;
}

/** All flows as one problem, links by their own numbers. */
function fromNothing({ paths, linkCapacity }: ShareNetwork, flows: readonly Flow[]): FlowShare[] {
  const routed = flows
    .toSorted((a, b) => a.source - b.source || a.destination - b.destination)
    .flatMap((flow) => {
      const path = paths(flow.source, flow.destination);
      return path ? [{ ...flow, path, back: paths(flow.destination, flow.source) }] : [];
    });
  const start = [0];
  for (const { path } of routed) start.push(start.at(-1)! + path.links.length);
  const { rate, ceiling, limitedBy } = fairShares({
    capacity: linkCapacity,
    start: Int32Array.from(start),
    linkOf: Int32Array.from(routed.flatMap(({ path }) => path.links)),
    weight: Float64Array.from(routed, ({ path, back }) => 1e6 / roundTripMicros(path, back)),
    demand: Float64Array.from(routed, ({ demandBps }) => demandBps),
  });
  return routed.map(({ source, destination }, at) => ({
    source,
    destination,
    rateBps: rate[at]!,
    ceilingBps: ceiling[at]!,
    limitedBy: limitedBy[at]!,
  }));
}

describe('update after update, shares are', () => {
  const eachUpdate = (seed: number, look: (shared: SharedFlows, expected: FlowShare[]) => void): void => {
    const random = new SeededRandom(seed);
    const network = randomNetwork(random);
    const locals = new Set(
      Array.from({ length: 1 + random.below(ENDPOINTS) }, () => random.below(ENDPOINTS)),
    );
    const isLocal = ({ source }: { source: number }): boolean => locals.has(source);
    const shared = new SharedFlows(network, isLocal);
    let flows: Flow[] = [];
    for (let update = 0; update < 14; update++) {
      flows = changed(flows, random);
      shared.update(flows);
      look(shared, fromNothing(network, flows).filter(isLocal));
    }
  };

  it('those of the same flows computed from nothing, bit for bit', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        eachUpdate(seed, (shared, expected) => expect(shared.local()).toStrictEqual(expected));
      }),
      { numRuns: 300, seed: 21 },
    );
  });

  it('also those of remote flows that compete with local ones', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new SeededRandom(seed);
        const network = randomNetwork(random);
        const isLocal = ({ source }: { source: number }): boolean => source < 3;
        const shared = new SharedFlows(network, isLocal);
        let flows: Flow[] = [];
        for (let update = 0; update < 6; update++) {
          flows = changed(flows, random);
          shared.update(flows);
          const all = shared.all();
          for (const share of flowShares(network, flows, isLocal)) expect(all).toContainEqual(share);
        }
      }),
      { numRuns: 100, seed: 22 },
    );
  });
});

/** Endpoints 0 to 3 send to 10 to 13, each over the link of its number; 4 to 14 over links 0 and 1. */
const asked: string[] = [];
const SPEC: PathSpec[] = [
  { from: 0, to: 10, latency: 10e3, links: [0] },
  { from: 1, to: 11, latency: 10e3, links: [1] },
  { from: 2, to: 12, latency: 10e3, links: [2] },
  { from: 3, to: 13, latency: 10e3, links: [3] },
  { from: 4, to: 14, latency: 10e3, links: [0, 1] },
];
const table = pathTable(SPEC);
const NETWORK: ShareNetwork = {
  paths: (from: number, to: number): Path | undefined => {
    asked.push(`${from} ${to}`);
    return table.path(from, to);
  },
  linkCapacity: Float64Array.of(6e6, 9e6, 4e6, GREEDY),
};
const flow = (source: number, demandBps = GREEDY): Flow => ({ source, destination: source + 10, demandBps });
const rates = (shared: SharedFlows): number[][] =>
  shared.local().map(({ source, rateBps }) => [source, rateBps]);

test('a flow that joins two links takes from both, and gives back when it ends', () => {
  const shared = new SharedFlows(NETWORK);
  shared.update([flow(0), flow(1)]);
  expect(rates(shared)).toEqual([
    [0, 6e6],
    [1, 9e6],
  ]);
  shared.update([flow(0), flow(1), flow(4)]);
  expect(rates(shared)).toEqual([
    [0, 3e6],
    [1, 6e6],
    [4, 3e6],
  ]);
  shared.update([flow(0), flow(1)]);
  expect(rates(shared)).toEqual([
    [0, 6e6],
    [1, 9e6],
  ]);
});

test('what did not change is not routed again, and its shares stay the same objects', () => {
  const shared = new SharedFlows(NETWORK);
  shared.update([flow(0), flow(2)]);
  const before = shared.local();
  asked.length = 0;
  shared.update([flow(2), flow(0, 1e6)]);
  expect(asked).toEqual([]);
  const after = shared.local();
  expect(after[0]).toMatchObject({ source: 0, rateBps: 1e6, ceilingBps: 6e6, limitedBy: -1 });
  expect(after[1]).toBe(before[1]);
  expect(before[0]).toMatchObject({ source: 0, rateBps: 6e6 });
  shared.update([flow(2), flow(0, 1e6)]);
  expect(shared.local()).toBe(after);
});

test('a group without local flows is not computed, and is as soon as one comes', () => {
  const shared = new SharedFlows(NETWORK, ({ source }) => source === 4);
  shared.update([flow(0), flow(1), flow(2)]);
  expect(shared.all()).toEqual([]);
  shared.update([flow(0), flow(1), flow(2), flow(4)]);
  expect(shared.all().map(({ source }) => source)).toEqual([0, 1, 4]);
  expect(rates(shared)).toEqual([[4, 3e6]]);
  shared.update([flow(0), flow(1), flow(2)]);
  expect(shared.all()).toEqual([]);
});

test('on unlimited links only, a flow has what it wants', () => {
  const shared = new SharedFlows(NETWORK);
  shared.update([flow(3, 5e6)]);
  expect(shared.local()).toEqual([
    { source: 3, destination: 13, rateBps: 5e6, ceilingBps: GREEDY, limitedBy: -1 },
  ]);
  shared.update([flow(3)]);
  expect(rates(shared)).toEqual([[3, GREEDY]]);
  shared.update([]);
  expect(shared.local()).toEqual([]);
});

test('of a pair that is named twice the greater demand counts, whichever comes first', () => {
  for (const twice of [
    [flow(2, 1e6), flow(2, 3e6)],
    [flow(2, 3e6), flow(2, 1e6)],
  ]) {
    const shared = new SharedFlows(NETWORK);
    shared.update(twice);
    shared.update(twice);
    expect(rates(shared)).toEqual([[2, 3e6]]);
  }
});

test('a flow without a path has no share', () => {
  const shared = new SharedFlows(NETWORK);
  shared.update([flow(5), flow(2)]);
  expect(rates(shared)).toEqual([[2, 4e6]]);
});

test.each([Number.NaN, -1])('a demand of %d is refused with a code', (demand) => {
  const refused = expect.objectContaining({ code: 'SHARE_INPUT' });
  expect(() => new SharedFlows(NETWORK).update([flow(0, demand)])).toThrow(refused);
});

test('flows that come and go for long leave nothing behind', () => {
  const shared = new SharedFlows(NETWORK);
  for (let round = 0; round < 400; round++) {
    shared.update([flow(0), flow(1, 1e6 + round), flow(4)]);
    shared.update([flow(0)]);
  }
  shared.update([flow(0), flow(1), flow(4)]);
  expect(rates(shared)).toEqual([
    [0, 3e6],
    [1, 6e6],
    [4, 3e6],
  ]);
});
