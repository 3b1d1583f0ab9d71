/** Classes and delays that come with the first packets of a pair. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { untouched } from '../../../agent/enforce/interface-state.ts';
import { firstClass } from '../../../agent/enforce/path-class.ts';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { Shaping } from '../../../agent/shape/shaping.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { bps, micros } from '../../../proto/units.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';
import { FakeTc } from '../../support/fakes/fake-tc.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const IDLE_MS = 60_000;
const graph = expandGraph(
  loadTopology(
    `services: { a: {}, b: {}, c: {}, far: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 10ms, up: 20Mbps, down: 8Mbps }
  - { from: b, to: s, latency: 5ms, bandwidth: 6Mbps }
  - { from: c, to: s, latency: 1ms }`,
    'test.yaml',
  ).topology,
);
const KNOWN = graph.endpoints.map((_, number) => ({
  number,
  addresses: [`10.0.0.${number}`, `fd00::${number}`],
}));

const endpoint = (number: number): LocalEndpoint => ({
  ...KNOWN[number]!,
  name: graph.endpoints[number]!,
  namespace: `/run/netns/netfold.x.${graph.endpoints[number]}`,
  ifname: 'eth0',
  ifindex: 2,
});

const changedLink = (name: string, changes: object): Graph => ({
  ...graph,
  links: graph.links.map((link) => (link.name === name ? { ...link, ...changes } : link)),
});

let tc: FakeTc;
let delay: FakeDelay;
let shaping: Shaping;
let clock: ManualClock;

async function start(known = KNOWN): Promise<void> {
  delay = new FakeDelay('delay-line');
  const local = [endpoint(0), endpoint(2)];
  const enforcer = new Enforcer({ tc, delay, clock, timers: clock });
  const epoch = new Epoch(graph);
  shaping = new Shaping({
    enforcer,
    expected: local.length,
    epoch,
    idleMs: IDLE_MS,
    pairsFromTheStart: 5,
    clock,
    timers: clock,
  });
  for (const one of local) await shaping.attach(one);
  await shaping.setKnown(known);
  tc.tried.length = 0;
}

async function used(...pairs: readonly (readonly [number, number])[]): Promise<void> {
  for (const [source, destination] of pairs) shaping.use(source, destination);
  for (let turn = 0; turn < 3; turn++) await clock.turn();
}

const steps = (): string[] =>
  tc.tried.splice(0).map((op) => {
    if (op.op === 'set-target') return `${op.destination} ${op.minor === 0xffffffff ? 'drop' : op.minor}`;
    if (op.op === 'set-class') return `class ${op.shaped.minor} ${op.shaped.bytesPerSecond * 8}`;
    if (op.op === 'delete-class') return `delete ${op.minor}`;
    return op.op;
  });

beforeEach(() => {
  tc = new FakeTc();
  clock = new ManualClock();
});

describe('before any packet is sent', () => {
  test('an interface has a class for the first packets, where any path from there is limited, and no other', async () => {
    await start();
    expect(tc.toString()).toBe(`a.0:
  class 4e46:1 rate 20000000bit burst 5000 bfifo limit 133232
  filter bpf netfold
  gso_max_segs 44
  qdisc htb 4e46:
c.0:
  filter bpf netfold
  gso_max_segs 44
  qdisc htb 4e46:`);
    expect(shaping.pairs).toBe(0);
  });

  test('the classifier knows all addresses: which have no path, and the class of first packets', async () => {
    await start();
    const sides = '00000000';
    expect(Object.fromEntries(tc.parties)).toEqual({
      '10.0.0.0': `island 0 sides ${sides} first 1`,
      'fd00::0': `island 0 sides ${sides} first 1`,
      '10.0.0.1': `island 0 sides ${sides} first 0`,
      'fd00::1': `island 0 sides ${sides} first 0`,
      '10.0.0.2': `island 0 sides ${sides} first 0`,
      'fd00::2': `island 0 sides ${sides} first 0`,
      '10.0.0.3': `island 3 sides ${sides} first 0`,
      'fd00::3': `island 3 sides ${sides} first 0`,
    });
  });

  test('few pairs are all made at once', async () => {
    const enforcer = new Enforcer({ tc, delay: new FakeDelay('delay-line'), clock, timers: clock });
    const few = new Shaping({
      enforcer,
      expected: 1,
      epoch: new Epoch(graph),
      pairsFromTheStart: 5,
      ...{ clock, timers: clock },
    });
    await few.attach(endpoint(0));
    await few.setKnown(KNOWN);
    expect(few.pairs).toBe(3);
    expect(tc.parties.size).toBe(0);
  });
});

describe('a pair that sends', () => {
  beforeEach(() => start());

  test('gets its class, once, and no other does', async () => {
    await used([0, 1], [0, 1], [0, 0], [3, 0]);
    expect(steps()).toEqual(['set-gso', 'class 2 6000000', 'set-queue', '10.0.0.1 2', 'fd00::1 2']);
    await used([0, 1]);
    expect(steps()).toEqual([]);
    expect(shaping.pairs).toBe(1);
  });

  test('and has no path: what follows is dropped at once', async () => {
    await used([0, 3]);
    expect(steps()).toEqual(['10.0.0.3 drop', 'fd00::3 drop']);
  });

  test('has the rate of its flow, also when the flow was there first', async () => {
    shaping.setRates(new Map([[0, new Map([[1, 4e6]])]]));
    expect(steps()).toEqual([]);
    await used([0, 1]);
    expect(steps()).toContain('class 2 4000000');
    shaping.setRates(new Map());
    expect(steps()).toEqual(['class 2 6000000']);
  });

  test('is forgotten when it is idle, and only then', async () => {
    await used([0, 1], [0, 2]);
    steps();
    await clock.advance(IDLE_MS - 1);
    shaping.forgetIdle();
    shaping.use(0, 2);
    expect(steps()).toEqual([]);
    await clock.advance(IDLE_MS / 2);
    shaping.forgetIdle();
    expect(steps()).toEqual(['delete-target', 'delete-target', 'delete 2']);
    expect(shaping.pairs).toBe(1);
    await used([0, 1]);
    expect(steps()).toContain('class 2 6000000');
  });
});

describe('a packet that arrives', () => {
  beforeEach(() => start());

  test('asks for its path, and has the class made when its source is here, too', async () => {
    expect(delay.demand?.idleMs).toBe(IDLE_MS);
    expect(delay.demand?.endpoints).toEqual(KNOWN);
    expect(delay.ask(0, 1)).toBe('1 > 0 (10.0.0.1,fd00::1): delay 15000us 0us loss 0%');
    expect(delay.ask(0, 3)).toBe('3 > 0 (10.0.0.3,fd00::3): no path');
    await used();
    expect(steps()).toEqual([]);
    expect(delay.ask(2, 0)).toBe('0 > 2 (10.0.0.0,fd00::0): delay 11000us 0us loss 0%');
    await used();
    expect(steps()).toContain('class 3 20000000');
  });
});

describe('an epoch', () => {
  beforeEach(async () => {
    await start();
    await used([0, 1], [0, 2], [2, 0]);
    for (const [destination, source] of [
      [0, 1],
      [2, 0],
      [0, 3],
    ] as const)
      delay.ask(destination, source);
    steps();
  });

  test('that is the same does nothing', async () => {
    await shaping.setEpoch(new Epoch({ ...graph }), new Map());
    expect([steps(), delay.changes]).toEqual([[], []]);
  });

  test('changes the pairs in use that are different, in class and delay', async () => {
    const next = changedLink('s->b.0', { bandwidth: bps(3e6), latency: micros(700_000) });
    await shaping.setEpoch(new Epoch(next), new Map());
    expect(steps()).toEqual(['class 2 3000000', 'set-queue']);
    expect(delay.changes).toEqual([]);
    const back = changedLink('b.0->s', { latency: micros(6000) });
    await shaping.setEpoch(new Epoch(back), new Map());
    expect(delay.changes).toEqual(['1 > 0 (10.0.0.1,fd00::1): delay 16000us 0us loss 0%']);
  });

  test('with a partition drops between its groups, used before or not; the classes stay', async () => {
    const before = tc.toString();
    const partitioned = { ...graph, partitions: [[0, 1, -1, -1]] };
    await shaping.setEpoch(new Epoch(partitioned), new Map());
    expect(steps()).toEqual(['10.0.0.1 drop', 'fd00::1 drop']);
    expect(tc.parties.get('10.0.0.0')).toBe('island 0 sides 10000000 first 1');
    expect(tc.parties.get('fd00::1')).toBe('island 0 sides 20000000 first 0');
    expect(tc.parties.get('10.0.0.2')).toBe('island 0 sides 00000000 first 0');
    expect(delay.changes).toEqual(['1 > 0 (10.0.0.1,fd00::1): no path']);
    await shaping.setEpoch(new Epoch(graph), new Map());
    expect(tc.toString()).toBe(before);
    expect(delay.changes[1]).toBe('1 > 0 (10.0.0.1,fd00::1): delay 15000us 0us loss 0%');
  });

  test('in which an endpoint has no links leaves its first class, and puts it on an island', async () => {
    const before = tc.toString();
    const edges = graph.edges.filter(({ from, to }) => from !== 0 && to !== 0);
    await shaping.setEpoch(new Epoch({ ...graph, edges }), new Map());
    expect(tc.parties.get('10.0.0.0')).toBe('island 0 sides 00000000 first 1');
    expect(tc.parties.get('10.0.0.1')).toBe('island 1 sides 00000000 first 0');
    await shaping.setEpoch(new Epoch(graph), new Map());
    expect(tc.toString()).toBe(before);
  });

  test('with an endpoint that is cut off drops what it sends, and what is sent to it', async () => {
    await used([0, 1]);
    const before = tc.toString();
    shaping.cutOff(new Set([0]));
    await shaping.setEpoch(new Epoch(graph), new Map());
    expect(steps()).toContain('10.0.0.1 drop');
    expect(tc.parties.get('10.0.0.0')).toBe(`island ${graph.nodes.length} sides 00000000 first 1`);
    expect(tc.parties.get('10.0.0.1')).toBe('island 0 sides 00000000 first 0');
    shaping.cutOff(new Set());
    await shaping.setEpoch(new Epoch(graph), new Map());
    expect(tc.toString()).toBe(before);
  });

  test('with another fastest link changes the first class', async () => {
    await shaping.setEpoch(new Epoch(changedLink('a.0->s', { bandwidth: bps(30e6) })), new Map());
    expect(steps()[0]).toBe('class 1 30000000');
  });
});

test('endpoints that become known later get their addresses, and what was left of them is kept until then', async () => {
  const left = { ...firstClass(1, 6e6), minor: 2 };
  const stranger = { ...firstClass(1, 5e6), minor: 4 };
  tc.install(endpoint(0), {
    ...untouched('x', 44),
    foreignRoot: undefined,
    classifier: true,
    classes: new Map([left, stranger].map((shaped) => [shaped.minor, shaped])),
  });
  await start(KNOWN.filter(({ number }) => number !== 1));
  expect(tc.toString()).toContain('class 4e46:2 rate 6000000bit');
  expect(tc.toString()).toContain('class 4e46:4 rate 5000000bit');
  expect(tc.toString()).toContain('target 10.0.0.3 drop');
  expect(tc.toString()).not.toContain('target 10.0.0.1');
  await shaping.setKnown(KNOWN);
  expect(steps()).toEqual(['10.0.0.1 2', 'fd00::1 2']);
  // Nobody has used them since.
  await clock.advance(2 * IDLE_MS);
  shaping.forgetIdle();
  expect(shaping.pairs).toBe(0);
  expect(tc.toString()).not.toContain('4e46:2 ');
});
