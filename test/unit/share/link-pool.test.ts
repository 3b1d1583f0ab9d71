import { expect, test } from 'vitest';
import { LinkPool } from '../../../agent/share/link-pool.ts';
import { SeededRandom } from '../../../topology/model/random.ts';

test('every flow has the links that it was given last, however often they change', () => {
  const random = new SeededRandom(5);
  const pool = new LinkPool();
  const expected = new Map<number, number[]>();
  for (const flows of [3, 40, 300]) {
    pool.reserve(flows);
    for (let change = 0; change < 3000; change++) {
      const flow = random.below(flows);
      const links = Array.from({ length: random.below(9) }, () => random.below(1000));
      pool.set(flow, links);
      expected.set(flow, links);
    }
    for (const [flow, links] of expected)
      expect([...pool.links.subarray(pool.start[flow]!, pool.end[flow]!)]).toEqual(links);
  }
  // What flows left behind is used again: at most 8 links a flow, and the room to grow.
  expect(pool.links.length).toBeLessThan(6000);
});
