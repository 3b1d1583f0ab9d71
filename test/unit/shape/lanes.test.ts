/** Pairs with several paths of equal cost: what interfaces and arrivals need of each. */
import { beforeEach, expect, test } from 'vitest';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { Shaping } from '../../../agent/shape/shaping.ts';
import { SharedFlows } from '../../../agent/share/shared-flows.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';
import { FakeTc } from '../../support/fakes/fake-tc.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const TEXT = `ecmp: 4
services: { a: {}, b: {}, c: {} }
bridges: [s, t, x, y]
links:
  - { from: a, to: s, latency: 1ms }
  - { from: c, to: s, latency: 1ms }
  - { from: s, to: x, latency: 4ms, up: 20Mbps, down: 8Mbps }
  - { from: s, to: y, latency: 4ms, up: 10Mbps, down: 6Mbps }
  - { from: x, to: t, latency: 4ms, loss: 1% }
  - { from: y, to: t, latency: 4ms }
  - { from: t, to: b, latency: 1ms }
`;
const graphOf = (text: string): Graph => expandGraph(loadTopology(text, 'test.yaml').topology);
const graph = graphOf(TEXT);
/** Without y. */
const narrow: Graph = {
  ...graph,
  edges: graph.edges.filter(({ from, to }) => ![from, to].includes(graph.nodes.indexOf('y'))),
};
const [A, B, C] = [0, 1, 2];
const known = [A, B, C].map((number) => ({ number, addresses: [`10.0.0.${number}`] }));
const endpoint = {
  ...known[A]!,
  name: 'a.0',
  namespace: '/run/netns/netfold.x.a.0',
  ifname: 'eth0',
  ifindex: 2,
};

let tc: FakeTc;
let delay: FakeDelay;
let enforcer: Enforcer;
const clock = new ManualClock();

async function start(backend: 'delay-line' | 'netem', of = graph): Promise<Shaping> {
  const epoch = new Epoch(of);
  delay = new FakeDelay(backend);
  enforcer = new Enforcer({ tc, delay, clock, timers: clock });
  const shaping = new Shaping({ enforcer, epoch, clock, timers: clock, expected: 1 });
  await shaping.attach(endpoint);
  await shaping.setKnown(known);
  return shaping;
}

beforeEach(() => {
  tc = new FakeTc();
});

/** Addresses and minor numbers; those of the second path say so. */
const targets = (): string[] => [...`${tc}`.matchAll(/target (.+)/g)].map((match) => match[1]!).toSorted();
const SECOND = graph.nodes.length + B + 1;

test.each(['delay-line', 'netem'] as const)(
  'with %s, each path has a class, and a target of its own',
  async (backend) => {
    await start(backend);
    expect(targets()).toEqual(
      [
        ...[
          '10.0.0.1 4e46:2',
          `10.0.0.1#1 4e46:${SECOND.toString(16)}`,
          '10.0.0.1#2 drop',
          '10.0.0.1#3 drop',
        ],
        ...(backend === 'netem' ? ['10.0.0.2 4e46:3'] : ['10.0.0.2 pass']),
        ...['10.0.0.2#1 drop', '10.0.0.2#2 drop', '10.0.0.2#3 drop'],
      ].toSorted(),
    );
    expect(`${tc}`).toMatch(/class 4e46:2 rate 20000000bit/);
    expect(`${tc}`).toMatch(new RegExp(`class 4e46:${SECOND.toString(16)} rate 10000000bit`));
  },
);

test('the share of one path is not that of the other', async () => {
  const shaping = await start('delay-line');
  shaping.setRates(new Map([[A, new Map([[graph.nodes.length + B, 3e6]])]]));
  expect(`${tc}`).toMatch(/class 4e46:2 rate 20000000bit/);
  expect(`${tc}`).toMatch(new RegExp(`class 4e46:${SECOND.toString(16)} rate 3000000bit`));
});

test('what arrives has the impairments of both paths, by their places', async () => {
  const shaping = await start('delay-line');
  const fromB = (): string[] => `${delay}`.split('\n').filter((line) => line.startsWith('a.0: 10.0.0.1'));
  const both = [
    'a.0: 10.0.0.1 > 10.0.0.0 delay 10000us 0us loss 1%',
    'a.0: 10.0.0.1#1 > 10.0.0.0 delay 10000us 0us loss 0%',
  ];
  expect(fromB()).toEqual(both);
  await shaping.setEpoch(new Epoch(narrow), new Map());
  expect(targets()).toContain('10.0.0.1#1 drop');
  expect(fromB()).toEqual(both.slice(0, 1));
  await shaping.setEpoch(new Epoch(graph), new Map());
  expect(targets()).toContain(`10.0.0.1#1 4e46:${SECOND.toString(16)}`);
  expect(fromB()).toEqual(both);
});

test('a topology with more paths than all that can be made is refused', async () => {
  const many = graphOf(
    `ecmp: 16\nservices: { a: { replicas: 2100 } }\nbridges: [s]\nlinks: [{ from: a, to: s }]\n`,
  );
  await expect(start('delay-line', many)).rejects.toThrow(
    '2099 pairs of an endpoint of this host and any other, with 16 paths each (ecmp): at most 32768 paths can be shaped',
  );
});

test('flows of one pair on two paths do not compete, and simulated flows take the paths in turn', () => {
  const { network, lanes } = new Epoch(graph);
  const shared = new SharedFlows(network);
  const demandBps = Number.POSITIVE_INFINITY;
  const second = lanes.number(B, 1);
  shared.update([
    { source: A, destination: B, demandBps },
    { source: A, destination: second, demandBps },
    { source: C, destination: second, demandBps },
    { source: C, destination: B, index: 3, demandBps },
    { source: C, destination: B, index: 4, demandBps },
  ]);
  expect(shared.of({ source: A, destination: B })?.rateBps).toBe(10e6);
  for (const flow of [
    { source: A, destination: second },
    { source: C, destination: second },
    { source: C, destination: B, index: 3 },
  ])
    expect(shared.of(flow)?.rateBps).toBeCloseTo(10e6 / 3);
  expect(shared.of({ source: C, destination: B, index: 4 })?.rateBps).toBe(10e6);
});
