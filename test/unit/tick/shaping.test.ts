/** Which delays the endpoints of a host are given. */
import { expect, test } from 'vitest';
import type { LocalEndpoint } from '../../../agent/endpoints/model.ts';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { Epoch } from '../../../agent/tick/epoch.ts';
import { Shaping } from '../../../agent/tick/shaping.ts';
import { expandGraph } from '../../../topology/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import { FakeDelay } from '../../support/fake-delay.ts';
import { FakeTc } from '../../support/fake-tc.ts';

const { topology } = loadTopology(
  `services: { a: {}, b: {}, far: {} }
links:
  - { from: a, to: b, latency: 30ms, jitter: 2ms, distribution: uniform, loss: 3%, bandwidth: 10Mbps, oneway: true }
  - { from: b, to: a, latency: 10ms, jitter: 1ms, distribution: normal, oneway: true }`,
  'test.yaml',
);
const NAMES = ['a.0', 'b.0', 'far.0'];
const addresses = (number: number): string[] => [`10.0.0.${number + 1}`, `fd00::${number + 1}`];
const KNOWN = NAMES.map((_, number) => ({ number, addresses: addresses(number) }));

const endpoint = (number: number): LocalEndpoint => ({
  number,
  name: NAMES[number]!,
  namespace: `/run/netns/netfold.x.${NAMES[number]}`,
  ifname: 'eth0',
  ifindex: 2,
  addresses: addresses(number),
});

async function shapingOf(delay: FakeDelay, ...local: LocalEndpoint[]): Promise<Shaping> {
  const enforcer = new Enforcer({ tc: new FakeTc(), delay });
  for (const one of local) await enforcer.attach(one);
  return new Shaping({ enforcer, local, epoch: new Epoch(expandGraph(topology)) });
}

test('a destination delays what arrives: each direction by its own path, with all addresses and the distribution', async () => {
  const delay = new FakeDelay('delay-line');
  const shaping = await shapingOf(delay, endpoint(0), endpoint(1));
  await shaping.setKnown(KNOWN);
  expect(delay.toString()).toBe(`a.0
a.0: 10.0.0.2,fd00::2 > 10.0.0.1,fd00::1 delay 10000us 1000us loss 0%
b.0
b.0: 10.0.0.1,fd00::1 > 10.0.0.2,fd00::2 delay 30000us 2000us uniform loss 3%`);
});

test('a source delays what it sends', async () => {
  const delay = new FakeDelay('netem');
  const shaping = await shapingOf(delay, endpoint(0));
  await shaping.setKnown(KNOWN);
  expect(delay.toString()).toBe(`a.0
a.0: 10.0.0.1,fd00::1 > 10.0.0.2,fd00::2 delay 30000us 2000us uniform loss 3%`);
});

test('endpoints that are no longer known, and those without a path, are not delayed', async () => {
  const delay = new FakeDelay('delay-line');
  const shaping = await shapingOf(delay, endpoint(1), endpoint(2));
  await shaping.setKnown(KNOWN);
  expect(delay.toString()).toContain('b.0: 10.0.0.1');
  await shaping.setKnown(KNOWN.slice(1));
  expect(delay.toString()).toBe('b.0\nfar.0');
});
