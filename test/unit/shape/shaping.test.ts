/** Which delays the endpoints of a host are given. */
import { expect, test } from 'vitest';
import { SYSTEM_TIME } from '../../../agent/clock/clock.ts';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { Shaping } from '../../../agent/shape/shaping.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { bps, micros } from '../../../proto/units.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';
import { FakeTc } from '../../support/fakes/fake-tc.ts';

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

async function shapingOf(
  delay: FakeDelay,
  ...local: LocalEndpoint[]
): Promise<{ shaping: Shaping; tc: FakeTc }> {
  const tc = new FakeTc();
  const enforcer = new Enforcer({ tc, delay, ...SYSTEM_TIME });
  const shaping = new Shaping({
    enforcer,
    expected: local.length,
    epoch: new Epoch(expandGraph(topology)),
    ...SYSTEM_TIME,
  });
  for (const one of local) await shaping.attach(one);
  await shaping.setKnown(KNOWN);
  return { shaping, tc };
}

test('a destination delays what arrives: each direction by its own path, with all addresses and the distribution', async () => {
  const delay = new FakeDelay('delay-line');
  await shapingOf(delay, endpoint(0), endpoint(1));
  expect(delay.toString()).toBe(`a.0
a.0: 10.0.0.2,fd00::2 > 10.0.0.1,fd00::1 delay 10000us 1000us loss 0%
b.0
b.0: 10.0.0.1,fd00::1 > 10.0.0.2,fd00::2 delay 30000us 2000us uniform loss 3%`);
});

test('where netem delays, the class of a destination does', async () => {
  const delay = new FakeDelay('netem');
  const { tc } = await shapingOf(delay, endpoint(0));
  expect(tc.toString()).toContain('netem');
  expect(tc.toString()).toContain('delay 30000000ns 2000000ns distribution uniform loss 3');
  expect(delay.toString()).toBe('a.0');
});

test('endpoints that are no longer known, and those without a path, are not delayed', async () => {
  const delay = new FakeDelay('delay-line');
  const { shaping } = await shapingOf(delay, endpoint(1), endpoint(2));
  expect(delay.toString()).toContain('b.0: 10.0.0.1');
  await shaping.setKnown(KNOWN.slice(1));
  expect(delay.toString()).toBe('b.0\nfar.0');
});

/** `a` and `b` on one bridge and joined by a link of their own, `far` on another bridge; with other links, another version. */
function version({
  own = 'latency: 3ms, up: 5Mbps',
  between = 'latency: 10ms, up: 20Mbps, down: 8Mbps',
} = {}): Epoch {
  const text = `services: { a: {}, b: {}, far: {} }
bridges: [s, t]
links:
  - { from: a, to: s, latency: 5ms, up: 50Mbps, down: 30Mbps }
  - { from: b, to: s, latency: 7ms, jitter: 1ms }
  - { from: a, to: b, ${own} }
  - { from: s, to: t, ${between} }
  - { from: far, to: t, latency: 1ms }`;
  return new Epoch(expandGraph(loadTopology(text, 'test.yaml').topology));
}

interface Watched {
  readonly shaping: Shaping;
  readonly tc: FakeTc;
  readonly delay: FakeDelay;
}

async function watched(): Promise<Watched> {
  const tc = new FakeTc();
  const delay = new FakeDelay('delay-line');
  const enforcer = new Enforcer({ tc, delay, ...SYSTEM_TIME });
  const local = [endpoint(0), endpoint(1), endpoint(2)];
  const shaping = new Shaping({ enforcer, expected: local.length, epoch: version(), ...SYSTEM_TIME });
  for (const one of local) await shaping.attach(one);
  await shaping.setKnown(KNOWN);
  return { shaping, tc, delay };
}

/** What a fresh start with the epoch comes to. */
async function fromScratch(epoch: Epoch): Promise<string> {
  const { shaping, tc, delay } = await watched();
  await shaping.setEpoch(version({ own: 'latency: 99ms', between: 'latency: 98ms' }), new Map());
  await shaping.setEpoch(epoch, new Map());
  return `${tc}\n${delay}`;
}

test('an epoch changes the delays of paths that are different, all at once, and comes to the same as a fresh start', async () => {
  const { shaping, tc, delay } = await watched();
  await shaping.setEpoch(version(), new Map());
  expect(delay.changes).toEqual([]);
  const loss = version({ own: 'latency: 3ms, loss: 2%, up: 5Mbps' });
  await shaping.setEpoch(loss, new Map());
  expect(delay.changes).toEqual([
    '1 > 0 (10.0.0.2,fd00::2): delay 3000us 0us loss 2%',
    '0 > 1 (10.0.0.1,fd00::1): delay 3000us 0us loss 2%',
  ]);
  expect(`${tc}\n${delay}`).toBe(await fromScratch(loss));
});

test('delays that could not be changed are sent completely with the next epoch', async () => {
  const { shaping, tc, delay } = await watched();
  const loss = version({ own: 'latency: 3ms, loss: 2%, up: 5Mbps' });
  delay.refusal = new Error('busy');
  await shaping.setEpoch(loss, new Map());
  expect([...shaping.degraded.values()]).toContain('a.0: busy');
  delay.refusal = undefined;
  await shaping.setEpoch(loss, new Map());
  expect([...shaping.degraded]).toEqual([]);
  expect(`${tc}\n${delay}`).toBe(await fromScratch(loss));
});

test('an epoch that takes a path away, or gives it back, is seen', async () => {
  const { shaping, tc, delay } = await watched();
  const before = `${tc}\n${delay}`;
  const { graph } = version();
  const cut = new Epoch({ ...graph, edges: graph.edges.filter(({ from, to }) => from !== 2 && to !== 2) });
  await shaping.setEpoch(cut, new Map());
  expect(`${tc}`).toContain('target 10.0.0.3 drop');
  expect(`${tc}`).not.toBe(before);
  await shaping.setEpoch(version(), new Map());
  expect(`${tc}\n${delay}`).toBe(before);
});

test('an epoch with other rates touches only the interface that they are for', async () => {
  const { shaping, tc } = await watched();
  tc.tried.length = 0;
  await shaping.setEpoch(version(), new Map([[0, new Map([[2, 3e6]])]]));
  expect(tc.tried.map(({ op }) => op)).toEqual(['set-class']);
  expect(`${tc}`).toContain('rate 3000000bit');
  await shaping.setEpoch(version(), new Map());
  expect(`${tc}`).not.toContain('rate 3000000bit');
});

test('the way back counts: a queue is as long as the round trip asks for', async () => {
  const oneway = (back: number): Epoch => {
    const text = `services: { a: {}, b: {}, far: {} }
links:
  - { from: a, to: b, latency: 30ms, bandwidth: 100Mbps, oneway: true }
  - { from: b, to: a, latency: ${back}ms, oneway: true }`;
    return new Epoch(expandGraph(loadTopology(text, 'test.yaml').topology));
  };
  const { shaping, tc } = await watched();
  await shaping.setEpoch(oneway(10), new Map());
  const short = `${tc}`;
  await shaping.setEpoch(oneway(300), new Map());
  expect(`${tc}`).not.toBe(short);
});

test('what failed is tried again with the next epoch, also when nothing else changes', async () => {
  const { shaping, tc } = await watched();
  tc.fail = ({ op }) => (op === 'set-class' ? 'busy' : undefined);
  const next = version({ between: 'latency: 10ms, up: 11Mbps, down: 8Mbps' });
  await shaping.setEpoch(next, new Map());
  expect([...shaping.degraded.keys()]).toEqual(['a.0', 'b.0']);
  tc.fail = () => undefined;
  await shaping.setEpoch(next, new Map());
  expect([...shaping.degraded]).toEqual([]);
  expect(`${tc}`).toContain('rate 11000000bit');
});

test('an epoch touches only what is different in it', async () => {
  const delay = new FakeDelay('delay-line');
  const { shaping, tc } = await shapingOf(delay, endpoint(0), endpoint(1));
  const graph = expandGraph(topology);
  tc.tried.length = 0;
  await shaping.setEpoch(new Epoch(expandGraph(topology)), new Map());
  expect(tc.tried).toEqual([]);
  const links = graph.links.map((link) =>
    link.name === 'a.0->b.0' ? { ...link, bandwidth: bps(5e6), latency: micros(400_000) } : link,
  );
  await shaping.setEpoch(new Epoch({ ...graph, links }), new Map());
  // The way back has another round trip, and no limit.
  expect(tc.tried.map(({ op }) => op)).toEqual(['set-class', 'set-queue']);
  expect(delay.toString()).toContain('b.0: 10.0.0.1,fd00::1 > 10.0.0.2,fd00::2 delay 400000us');
  await shaping.setEpoch(new Epoch({ ...graph, edges: [] }), new Map());
  expect(tc.tried.slice(2).map(({ op }) => op)).toEqual(Array(4).fill('set-target'));
  tc.tried.length = 0;
  await shaping.setEpoch(new Epoch(graph), new Map());
  expect(tc.tried.map(({ op }) => op).sort()).toEqual([
    'set-class',
    'set-queue',
    ...Array(4).fill('set-target'),
  ]);
});

test('rates touch the pairs that they change', async () => {
  const { shaping, tc } = await shapingOf(new FakeDelay('delay-line'), endpoint(0), endpoint(1));
  tc.tried.length = 0;
  const rates = (bps: number) => new Map([[0, new Map([[1, bps]])]]);
  shaping.setRates(rates(4e6));
  expect(tc.tried).toMatchObject([{ op: 'set-class', shaped: { minor: 2, bytesPerSecond: 500_000 } }]);
  shaping.setRates(rates(4e6));
  expect(tc.tried).toHaveLength(1);
  shaping.setRates(new Map());
  expect(tc.tried.slice(1)).toMatchObject([
    { op: 'set-class', shaped: { minor: 2, bytesPerSecond: 1_250_000 } },
  ]);
});

test('with netem there is a bound, and the error names the remedy', () => {
  const graph = {
    ...expandGraph(topology),
    endpoints: Array.from({ length: 300 }, (_, index) => `x.${index}`),
  };
  const delay = new FakeDelay('netem');
  const enforcer = new Enforcer({ tc: new FakeTc(), delay, ...SYSTEM_TIME });
  expect(
    () => new Shaping({ enforcer, expected: 200, epoch: new Epoch({ ...graph, edges: [] }), ...SYSTEM_TIME }),
  ).toThrow(
    expect.objectContaining({ code: 'TOO_MANY_PAIRS', message: expect.stringContaining('59800 pairs') }),
  );
});
