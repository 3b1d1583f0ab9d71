/** Classes and delays that come with the first packets, in the kernel: two endpoints and all of enforcement. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_TIME } from '../../../agent/clock/clock.ts';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import type { DelayBackend } from '../../../agent/enforce/ports.ts';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { addressBytes, addressKey } from '../../../agent/kernel/netlink/addresses.ts';
import { DelayLine } from '../../../agent/linux/delay-line/delay-line.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import { Shaping } from '../../../agent/shape/shaping.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { FakeDelay } from '../../support/fakes/fake-delay.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { runIn, until } from '../../support/lab/lab.ts';

const graph = expandGraph(
  loadTopology(
    `services: { a: {}, b: {} }
links:
  - { from: a, to: b, latency: 60ms, up: 20Mbps, down: 8Mbps }`,
    'test.yaml',
  ).topology,
);
const ROUND_TRIP_MS = 120;

interface Host {
  readonly programs: Programs;
  readonly enforcer: Enforcer;
  readonly shaping: Shaping;
  /** What a tick of an agent does here; gives how many pairs of addresses have sent something in it. */
  tick(): Promise<number>;
}

let cable: Cable;
let hosts: Host[];

beforeEach(async () => {
  cable = layCable();
  hosts = [];
  for (const address of cable.b.addresses)
    await until(async () => (await pings(1, address)).length === 1, `${address} answers`);
});

afterEach(async () => {
  for (const { enforcer, programs } of hosts) {
    await enforcer.stop();
    await programs.close();
  }
  cable.remove();
});

/** An agent's enforcement. */
async function host(
  local: readonly LocalEndpoint[],
  idleMs = 60_000,
  epoch = graph,
  backend?: DelayBackend,
): Promise<Host> {
  const programs = loadPrograms(64, 4);
  const delay = backend ?? new DelayLine({ seed: 1, arrivalFd: programs.arrivalFd });
  const enforcer = new Enforcer({ tc: programs.tc, delay, ...SYSTEM_TIME });
  const shaping = new Shaping({
    enforcer,
    expected: local.length,
    epoch: new Epoch(epoch),
    idleMs,
    pairsFromTheStart: 0,
    ...SYSTEM_TIME,
  });
  for (const one of local) {
    programs.countTraffic(one);
    await shaping.attach(one);
  }
  const known = [cable.a, cable.b].map(({ number, addresses }) => ({ number, addresses }));
  programs.usage.setEndpoints(
    new Map(
      known.flatMap(({ number, addresses }) =>
        addresses.map((text) => [addressKey(addressBytes(text)), number] as const),
      ),
    ),
  );
  await shaping.setKnown(known);
  const tick = async (): Promise<number> => {
    const { count, source, destination } = programs.usage.read();
    let pairs = 0;
    for (let row = 0; row < count; row++) {
      // Neighbour discovery is not a path's traffic.
      if (source[row]! < 0 || destination[row]! < 0) continue;
      pairs++;
      shaping.use(source[row]!, destination[row]!);
    }
    shaping.forgetIdle();
    await sleep(20);
    return pairs;
  };
  const one = { programs, enforcer, shaping, tick };
  hosts.push(one);
  return one;
}

const place = ({ name, namespace, addresses }: Cable['a']) => ({
  name,
  namespace: namespace.split('/').at(-1)!,
  address: addresses[0]!,
});

const tc = async (what: string, at = cable.a): Promise<string> =>
  (
    await runIn(
      place(at),
      'tc',
      what,
      'show',
      'dev',
      'eth0',
      ...(what === 'filter' ? ['parent', '4e46:'] : []),
    )
  ).out;

const trees = async (): Promise<string> =>
  (
    await Promise.all(
      [cable.a, cable.b].flatMap((at) => ['qdisc', 'class', 'filter'].map((what) => tc(what, at))),
    )
  ).join('\n');

/** Round trips in milliseconds of pings from `a`. */
async function pings(count: number, to = cable.b.addresses[0]!): Promise<number[]> {
  const { out } = await runIn(place(cable.a), 'ping', '-n', '-i', '0.2', '-W', '1', '-c', String(count), to);
  return [...out.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]));
}

const withPartition: Graph = { ...graph, partitions: [[0, 1]] };

describe('the first packet of a pair', () => {
  it('has the round trip of its path, and makes classes there and back, in both families', async () => {
    const { shaping, enforcer } = await host([cable.a, cable.b]);
    expect(await tc('class')).toMatch(/^class htb 4e46:1 root leaf 1: prio 0 rate 20Mbit [^\n]*\n$/);
    for (const address of cable.b.addresses) {
      const [trip] = await pings(1, address);
      expect(trip).toBeGreaterThan(ROUND_TRIP_MS - 0.5);
      expect(trip).toBeLessThan(ROUND_TRIP_MS + 60);
    }
    await until(() => shaping.pairs === 2, 'both directions have a class');
    expect(await tc('class')).toMatch(/class htb 4e46:2 root leaf 2: prio 0 rate 20Mbit/);
    expect(await tc('class', cable.b)).toMatch(/class htb 4e46:1 root leaf 1: prio 0 rate 8Mbit/);
    for (const one of [cable.a, cable.b]) expect(enforcer.verify(one)).toEqual([]);
  });

  it('has it also when source and destination are different hosts’, and the next tick sees it', async () => {
    await host([cable.a]);
    await host([cable.b]);
    const [trip] = await pings(1);
    expect(trip).toBeGreaterThan(ROUND_TRIP_MS / 2 - 0.5);
    for (const one of hosts) {
      expect(one.shaping.pairs).toBe(0);
      expect(await one.tick()).toBe(1);
      expect(one.shaping.pairs).toBe(1);
    }
  });

  it('passes in the class of its interface until it has its own', async () => {
    await host([cable.a]);
    const before = /Sent (\d+) bytes/.exec(
      (await runIn(place(cable.a), 'tc', '-s', 'class', 'show', 'dev', 'eth0', 'classid', '4e46:1')).out,
    )![1];
    await runIn(place(cable.a), 'ping', '-n', '-c', '3', '-i', '0.2', '-W', '1', cable.b.addresses[0]!);
    const after = /Sent (\d+) bytes/.exec(
      (await runIn(place(cable.a), 'tc', '-s', 'class', 'show', 'dev', 'eth0', 'classid', '4e46:1')).out,
    )![1];
    expect(Number(after) - Number(before)).toBe(3 * 98);
  });
});

describe('where there is no path', () => {
  it('nothing arrives, not even the first packet; others pass', async () => {
    const { shaping, tick } = await host([cable.a, cable.b], 60_000, withPartition);
    for (const address of cable.b.addresses) expect(await pings(2, address)).toEqual([]);
    await tick();
    expect(shaping.pairs).toBe(0);
    await runIn(place(cable.a), 'ip', 'address', 'add', '10.9.0.66/24', 'dev', 'eth0');
    const { out } = await runIn(
      place(cable.a),
      'ping',
      '-n',
      '-c',
      '1',
      '-I',
      '10.9.0.66',
      cable.b.addresses[0]!,
    );
    expect(out).toContain('1 received');
  });

  it('one way, the destination drops the first, and the source what follows', async () => {
    const oneWay = { ...graph, edges: graph.edges.filter(({ from }) => from === 1) };
    const { tick } = await host([cable.a, cable.b], 60_000, oneWay);
    expect(await pings(1)).toEqual([]);
    expect(await tick()).toBe(1);
    expect(await pings(2)).toEqual([]);
    // Dropped before it is counted.
    expect(await tick()).toBe(0);
  });

  it('and there is one again, all is byte for byte as before', async () => {
    const { shaping } = await host([cable.a, cable.b]);
    expect(await pings(2)).toHaveLength(2);
    await until(() => shaping.pairs === 2, 'both directions have a class');
    const before = await trees();
    expect(before).toMatch(/qdisc htb 4e46: root.*qdisc bfifo 2: parent 4e46:2/s);
    await shaping.setEpoch(new Epoch(withPartition), new Map());
    expect(await pings(2)).toEqual([]);
    await shaping.setEpoch(new Epoch({ ...graph, edges: [] }), new Map());
    expect(await pings(1)).toEqual([]);
    await shaping.setEpoch(new Epoch(graph), new Map());
    expect((await trees()).replaceAll(/direct_packets_stat \d+/g, '')).toBe(
      before.replaceAll(/direct_packets_stat \d+/g, ''),
    );
    const [trip] = await pings(1);
    expect(trip).toBeGreaterThan(ROUND_TRIP_MS - 0.5);
  });
});

describe('what is idle', () => {
  it('goes: classes, targets and counters; and comes again', async () => {
    const { shaping, tick, enforcer } = await host([cable.a, cable.b], 800);
    await pings(1);
    await tick();
    expect(shaping.pairs).toBe(2);
    await until(async () => {
      await tick();
      return shaping.pairs === 0;
    }, 'both are idle');
    expect(await tc('class')).not.toContain('4e46:2');
    for (const one of [cable.a, cable.b]) expect(enforcer.verify(one)).toEqual([]);
    const [trip] = await pings(1);
    expect(trip).toBeGreaterThan(ROUND_TRIP_MS - 0.5);
    expect(shaping.pairs).toBe(2);
  });

  it('is not counted again: a tick reads what was sent in it, and pairs without limit come and go', async () => {
    const { tick } = await host([cable.a]);
    await pings(1);
    expect(await tick()).toBe(1);
    expect(await tick()).toBe(0);
    await pings(1, cable.b.addresses[1]!);
    await pings(1);
    expect(await tick()).toBe(2);
    expect(await tick()).toBe(0);
  });
});

it('what a killed agent left is adopted: the classes stay as they are, and what is idle of them goes', async () => {
  const first = await host([cable.a, cable.b], 60_000, graph, new FakeDelay());
  await pings(2);
  await first.tick();
  const before = await tc('class');
  expect(before).toContain('4e46:2');
  // As kill -9 leaves it: descriptors are closed, nothing is removed.
  await first.programs.close();
  hosts = [];
  const second = await host([cable.a], 1000);
  expect(await tc('class')).toBe(before);
  expect(second.shaping.pairs).toBe(1);
  expect(second.enforcer.verify(cable.a)).toEqual([]);
  await until(async () => {
    await second.tick();
    return second.shaping.pairs === 0;
  }, 'nobody uses it');
  expect(await tc('class')).not.toContain('4e46:2');
});

it('an epoch changes in the kernel only what is different in it', async () => {
  const { shaping, programs } = await host([cable.a, cable.b]);
  await pings(2);
  await until(() => shaping.pairs === 2, 'both directions have a class');
  const tried: string[] = [];
  const apply = programs.tc.apply.bind(programs.tc);
  programs.tc.apply = (endpoint, ops) => {
    tried.push(...ops.map(({ op }) => `${endpoint.name} ${op}`));
    return apply(endpoint, ops);
  };
  const faster = graph.links.map((link) =>
    link.bandwidth === 8e6 ? { ...link, bandwidth: 9e6 as never } : link,
  );
  await shaping.setEpoch(new Epoch({ ...graph, links: faster }), new Map());
  // The first class of `b`, which is as fast as its only link, and the class towards `a`.
  expect(tried).toEqual(['b.0 set-class', 'b.0 set-class', 'b.0 set-queue']);
  expect(await tc('class', cable.b)).toMatch(/4e46:1 root leaf 1: prio 0 rate 9Mbit/);
});
