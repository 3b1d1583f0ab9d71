/** A rehearsal runs the whole of a change, and nothing of it is seen anywhere. */
import { expect, test } from 'vitest';
import { SYSTEM_TIME } from '../../../agent/clock/clock.ts';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { rehearse } from '../../../agent/shape/rehearsal.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';

const { topology } = loadTopology(
  `services: { a: { replicas: 3 }, b: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 3ms, up: 9Mbps, down: 4Mbps }
  - { from: b, to: s, latency: 1ms }`,
  'test.yaml',
);

const endpoint = (number: number) => ({
  number,
  name: `e${number}`,
  namespace: `/run/netns/e${number}`,
  ifname: 'eth0',
  ifindex: 2,
  addresses: [`10.0.0.${number + 1}`],
});

test.each(['netem', 'delay-line'] as const)('changes are rehearsed with %s', async (name) => {
  const graph = expandGraph(topology);
  const before = structuredClone(graph);
  const epoch = new Epoch(graph);
  const local = [endpoint(0), endpoint(3)];
  expect(await rehearse({ epoch, local, delay: new FakeDelay(name), ...SYSTEM_TIME }, 20)).not.toBe(
    Number.POSITIVE_INFINITY,
  );
  expect(graph).toEqual(before);
  expect(epoch.path(0, 3)).toEqual(new Epoch(before).path(0, 3));
});

test('a host without endpoints has nothing to rehearse', async () => {
  const epoch = new Epoch(expandGraph(topology));
  expect(await rehearse({ epoch, local: [], delay: new FakeDelay(), ...SYSTEM_TIME }, 20)).toBe(
    Number.POSITIVE_INFINITY,
  );
});
