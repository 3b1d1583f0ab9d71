/** Local endpoints that are attached and detached while others are in use. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { untouched } from '../../../agent/enforce/interface-state.ts';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { KernelError } from '../../../agent/kernel/sys/errors.ts';
import { type KnownEndpoint, Shaping } from '../../../agent/shape/shaping.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';
import { FakeTc } from '../../support/fakes/fake-tc.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const graph = expandGraph(
  loadTopology(
    `services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms, up: 20Mbps, down: 8Mbps }
  - { from: b, to: s, latency: 5ms, loss: 1%, bandwidth: 6Mbps }
  - { from: c, to: s, latency: 1ms }`,
    'test.yaml',
  ).topology,
);
const IDLE_MS = 60_000;
/** `life`: an endpoint that comes back has another address, namespace and interface. */
const known = (number: number, life = 0): KnownEndpoint => ({
  number,
  addresses: [`10.${life}.0.${number}`],
});
const endpoint = (number: number, life = 0): LocalEndpoint => ({
  ...known(number, life),
  name: graph.endpoints[number]!,
  namespace: `/run/netns/netfold.x.${number}.${life}`,
  ifname: 'eth0',
  ifindex: 2 + life,
});
const ALL = [known(0), known(1), known(2)];

let tc: FakeTc;
let delay: FakeDelay;
let shaping: Shaping;
let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
  tc = new FakeTc();
});

async function start(
  pairsFromTheStart: number,
  backend: 'delay-line' | 'netem' = 'delay-line',
): Promise<void> {
  delay = new FakeDelay(backend);
  const enforcer = new Enforcer({ tc, delay, clock, timers: clock });
  const epoch = new Epoch(graph);
  shaping = new Shaping({
    ...{ enforcer, epoch, clock, timers: clock },
    ...{ expected: 2, idleMs: IDLE_MS, pairsFromTheStart },
  });
  await shaping.attach(endpoint(0));
  await shaping.attach(endpoint(1));
  await shaping.setKnown(ALL);
}

/** As a container that is started again: its interface is gone, and the next is an untouched one. */
function vanish(number: number): void {
  const { read } = tc;
  tc.read = (one) => {
    if (one.number === number)
      throw new KernelError({ code: 'INTERFACE_GONE', message: 'no such interface', remedy: 'none' });
    return read.call(tc, one);
  };
}

function comeBack(number: number, life: number): void {
  Reflect.deleteProperty(tc, 'read');
  tc.install(endpoint(number, life), untouched('noqueue'));
}

async function used(...pairs: readonly (readonly [number, number])[]): Promise<void> {
  for (const [source, destination] of pairs) shaping.use(source, destination);
  for (let turn = 0; turn < 3; turn++) await clock.turn();
}

/** What is installed on one endpoint's interface, and what its arrivals meet. */
const at = (name: string): string =>
  `${tc}`
    .split(/^(?=\S)/m)
    .filter((block) => block.startsWith(`${name}:`))
    .join('') +
  `${delay}`
    .split('\n')
    .filter((line) => line.startsWith(name))
    .join('\n');

describe.each([
  ['delay-line', 100],
  ['netem', 100],
  ['delay-line', 1],
] as const)('with %s, where up to %d pairs are made from the start', (backend, pairsFromTheStart) => {
  const isOnDemand = pairsFromTheStart === 1;
  beforeEach(async () => {
    await start(pairsFromTheStart, backend);
    if (isOnDemand) await used([0, 1], [0, 2], [1, 0]);
  });

  test('an endpoint that leaves gets its interface back; others stay as they are', async () => {
    const before = at('a.0');
    await shaping.detach(endpoint(1));
    expect(at('b.0')).toBe('b.0:\n  gso_max_segs 0\n  qdisc noqueue');
    expect(at('a.0')).toBe(before);
    expect([...tc.attached]).toEqual(['a.0']);
    expect([...shaping.degraded]).toEqual([]);
    expect(await shaping.verify()).toEqual([]);
  });

  test('a pair that led to it loses what it has when it is no longer known', async () => {
    await shaping.detach(endpoint(1));
    await shaping.setKnown([known(0), known(2)]);
    expect(at('a.0')).not.toContain('10.0.0.1');
    expect(at('a.0')).not.toContain('class 4e46:2');
    if (!isOnDemand) expect(at('a.0')).toContain('target 10.0.0.2');
    expect(await shaping.verify()).toEqual([]);
  });

  test('one whose interface is gone is forgotten, and may come back with another', async () => {
    const before = at('b.0');
    vanish(1);
    await shaping.detach(endpoint(1));
    comeBack(1, 7);
    await shaping.attach(endpoint(1, 7));
    await shaping.setKnown([known(0), known(1, 7), known(2)]);
    await used([0, 1], [1, 0]);
    expect(at('b.0').replaceAll('10.7.0.1', '10.0.0.1')).toBe(before);
    expect(at('a.0')).toContain(`target 10.7.0.1 4e46:2`);
    expect(at('a.0')).not.toContain('10.0.0.1');
    expect([...shaping.degraded]).toEqual([]);
    expect(await shaping.verify()).toEqual([]);
  });

  test('two that swap their addresses are distinguished', async () => {
    await used([0, 1], [0, 2]);
    const swapped = [
      known(0),
      { number: 1, addresses: ['10.0.0.2'] },
      { number: 2, addresses: ['10.0.0.1'] },
    ];
    const minors = (): string[] => at('a.0').match(/target \S+ \S+/g) ?? [];
    const [one, two] = minors().map((line) => line.split(' ')[2]);
    await shaping.setKnown(swapped);
    expect(minors()).toEqual([`target 10.0.0.1 ${two}`, `target 10.0.0.2 ${one}`]);
    expect(await shaping.verify()).toEqual([]);
  });

  test('an address that is another endpoint’s now is not taken away with the one that leaves', async () => {
    await used([0, 1], [0, 2]);
    await shaping.setKnown([known(0), known(1), { number: 2, addresses: ['10.0.0.1'] }]);
    await shaping.setKnown([known(0), { number: 2, addresses: ['10.0.0.1'] }]);
    expect(at('a.0')).toMatch(/target 10.0.0.1 (4e46:3|pass)/);
    expect(await shaping.verify()).toEqual([]);
  });

  test('ticks, epochs and audits go on meanwhile', async () => {
    const leaving = shaping.detach(endpoint(1));
    shaping.use(1, 0);
    shaping.setRates(new Map([[1, new Map([[0, 1e6]])]]));
    const settled = shaping.setEpoch(new Epoch({ ...graph, edges: [] }), new Map());
    shaping.forgetIdle();
    for (const number of [0, 1, 2]) shaping.audit(number);
    await Promise.all([leaving, settled]);
    await used([1, 0]);
    for (const number of [0, 1, 2]) shaping.audit(number);
    await shaping.setEpoch(new Epoch(graph), new Map());
    expect(at('b.0')).toBe('b.0:\n  gso_max_segs 0\n  qdisc noqueue');
    expect([...shaping.degraded]).toEqual([]);
    expect(await shaping.verify()).toEqual([]);
  });

  test('one that comes later has what it would have had from the start', async () => {
    const before = at('b.0');
    await shaping.detach(endpoint(1));
    await shaping.attach(endpoint(1));
    await used([1, 0]);
    expect(at('b.0')).toBe(before);
  });
});

describe('on demand', () => {
  beforeEach(() => start(1));

  test('what was used of an endpoint that left is not what its successor uses', async () => {
    await used([1, 0]);
    await clock.advance(IDLE_MS / 2);
    await shaping.detach(endpoint(1));
    await shaping.attach(endpoint(1));
    await used([1, 0]);
    await clock.advance(IDLE_MS * 0.75);
    shaping.forgetIdle();
    expect(shaping.pairs).toBe(1);
    await clock.advance(IDLE_MS / 2);
    shaping.forgetIdle();
    expect(shaping.pairs).toBe(0);
  });

  test('a pair that is used in the moment in which one of its endpoints leaves is not made', async () => {
    shaping.use(0, 1);
    shaping.use(1, 0);
    shaping.use(0, 2);
    await Promise.all([shaping.detach(endpoint(1)), shaping.setKnown([known(0), known(2)])]);
    await used();
    expect(shaping.pairs).toBe(1);
    expect(at('a.0')).not.toContain('4e46:2');
    expect(await shaping.verify()).toEqual([]);
  });

  test('the classifier forgets the addresses of those that are not known any more, and of those that moved', async () => {
    await shaping.detach(endpoint(1));
    expect(tc.parties.get('10.0.0.1')).toContain('first 0');
    await shaping.setKnown([known(0, 3), { number: 2, addresses: ['10.0.0.1'] }]);
    expect([...tc.parties.keys()].sort()).toEqual(['10.0.0.1', '10.3.0.0']);
  });
});

test('attaching twice is refused; detaching what is not there does nothing', async () => {
  await start(100);
  await expect(shaping.attach(endpoint(1))).rejects.toThrow('attached already');
  await shaping.detach(endpoint(2));
  expect([...tc.attached].sort()).toEqual(['a.0', 'b.0']);
});

test('one that can not be attached leaves nothing, and may be attached when it can', async () => {
  await start(100);
  tc.install(endpoint(2), untouched('tbf 8001:'));
  await expect(shaping.attach(endpoint(2))).rejects.toMatchObject({ code: 'QDISC_FOREIGN' });
  expect([...tc.attached].sort()).toEqual(['a.0', 'b.0']);
  tc.install(endpoint(2), untouched('noqueue'));
  await shaping.attach(endpoint(2));
  expect(at('c.0')).toContain('4e46:1');
});

test('with more endpoints than expected, pairs come on demand, and what was made before goes when it is idle', async () => {
  await start(4);
  expect(shaping.pairs).toBe(4);
  expect(delay.demand).toBeUndefined();
  await shaping.attach(endpoint(2));
  expect(shaping.pairs).toBe(4);
  expect(at('a.0')).toContain('class 4e46:1 rate 20000000bit');
  expect(tc.parties.get('10.0.0.0')).toContain('first 1');
  expect(delay.ask(2, 0)).toContain('0 > 2 (10.0.0.0): delay 11000us');
  await used([0, 2]);
  await clock.advance(IDLE_MS / 2);
  shaping.use(0, 2);
  await clock.advance(IDLE_MS * 0.75);
  shaping.forgetIdle();
  expect(shaping.pairs).toBe(1);
  await used([1, 0]);
  expect(shaping.pairs).toBe(2);
  expect(await shaping.verify()).toEqual([]);
});

test('more pairs than netem takes are refused when they come', async () => {
  await start(100, 'netem');
  Object.assign(delay, { pairs: { fromTheStart: 5, atMost: 5 } });
  await expect(shaping.attach(endpoint(2))).rejects.toMatchObject({ code: 'TOO_MANY_PAIRS' });
  expect([...tc.attached].sort()).toEqual(['a.0', 'b.0']);
});
