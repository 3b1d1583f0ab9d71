import { expect, it } from 'vitest';
import { Network, type Topology } from '../../../controller/ui/data/network.ts';
import { arrangementOf, onMap } from '../../../controller/ui/graph/map.ts';

function networkOf(nodes: readonly { name: string; location?: readonly [number, number] }[]): Network {
  const network = new Network();
  const all = nodes.map((node) => ({ kind: 'endpoint' as const, service: node.name, ...node }));
  network.update({ nodes: all, links: [] } as unknown as Topology);
  return network;
}

it('is used where all nodes have coordinates', () => {
  expect(arrangementOf(networkOf([{ name: 'a', location: [0, 0] }]))).toBe('map');
  expect(arrangementOf(networkOf([{ name: 'a', location: [0, 0] }, { name: 'b' }]))).toBe('links');
  expect(arrangementOf(networkOf([]))).toBe('links');
});

it('has the north above, the east at the right, and those at one place beside each other', () => {
  const places = onMap(
    networkOf([
      { name: 'Bern', location: [46.95, 7.45] },
      { name: 'Oslo', location: [59.9, 10.75] },
      { name: 'Sydney.0', location: [-33.9, 151.2] },
      { name: 'Sydney.1', location: [-33.9, 151.2] },
      { name: 'Pole', location: [90, 0] },
    ]),
  );
  const [bern, oslo, sydney, other] = ['Bern', 'Oslo', 'Sydney.0', 'Sydney.1'].map(
    (name) => places.get(name)!,
  );
  expect(oslo!.y).toBeLessThan(bern!.y);
  expect(oslo!.x).toBeGreaterThan(bern!.x);
  expect(sydney!.y).toBeGreaterThan(bern!.y);
  expect(Math.hypot(sydney!.x - other!.x, sydney!.y - other!.y)).toBeGreaterThan(20);
  expect([...places.values()].every(({ x, y }) => Number.isFinite(x + y))).toBe(true);
});
