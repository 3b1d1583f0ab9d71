/** Endpoints that are attached and detached in the kernel while another is in use: all of enforcement, without an agent. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_TIME } from '../../../agent/clock/clock.ts';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { namespacePath } from '../../../agent/kernel/netns/namespaces.ts';
import { createDelayBackend } from '../../../agent/linux/delay/delay-backend.ts';
import { numbersByAddress } from '../../../agent/linux/objects/endpoint-numbers.ts';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import { type KnownEndpoint, Shaping } from '../../../agent/shape/shaping.ts';
import { type Place, ping } from '../../../controller/verify/traffic.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import { run, until } from '../../support/lab/lab.ts';
import { connectMachines, type Machines } from '../../support/lab/machines.ts';

/** Round trips: a–b 80 ms, c–b 60 ms of which 19 % are lost. */
const graph = expandGraph(
  loadTopology(
    `services: { a: {}, b: {}, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 25ms, up: 20Mbps, down: 10Mbps }
  - { from: b, to: s, latency: 15ms }
  - { from: c, to: s, latency: 15ms, loss: 10% }`,
    'test.yaml',
  ).topology,
);

let network: Machines;
let programs: Programs;
let enforcer: Enforcer;
let shaping: Shaping;
let cancelTick: () => void;
const known = new Map<number, KnownEndpoint>();

beforeEach(() => {
  network = connectMachines(3);
  known.clear();
});

afterEach(async () => {
  cancelTick();
  await enforcer.stop();
  await programs.close();
  network.remove();
});

const places = () => network.machines as readonly Place[] as readonly [Place, Place, Place];

function endpointAt({ namespace, address }: Place, number: number): LocalEndpoint {
  const text = execFileSync('ip', ['-n', namespace, '-j', 'link', 'show', 'eth0'], { encoding: 'utf8' });
  const [{ ifindex }] = JSON.parse(text) as [{ ifindex: number }];
  const name = graph.endpoints[number]!;
  return { number, name, namespace: namespacePath(namespace), ifname: 'eth0', ifindex, addresses: [address] };
}

/** As an agent does it. */
async function come(place: Place, number: number): Promise<LocalEndpoint> {
  const endpoint = endpointAt(place, number);
  programs.countTraffic(endpoint);
  await shaping.attach(endpoint);
  known.set(number, { number, addresses: endpoint.addresses });
  await tell();
  return endpoint;
}

async function leave(endpoint: LocalEndpoint): Promise<void> {
  await shaping.detach(endpoint);
  await programs.stopCounting(endpoint);
  known.delete(endpoint.number);
  await tell();
}

async function tell(): Promise<void> {
  programs.usage.setEndpoints(numbersByAddress([...known.values()]));
  await shaping.setKnown([...known.values()]);
}

async function start(backend: 'netem' | 'delay-line', pairsFromTheStart: number): Promise<void> {
  programs = loadPrograms(64, 8);
  enforcer = new Enforcer({
    ...SYSTEM_TIME,
    tc: programs.tc,
    delay: createDelayBackend(backend, programs, 1),
  });
  shaping = new Shaping({
    ...SYSTEM_TIME,
    enforcer,
    epoch: new Epoch(graph),
    expected: 3,
    pairsFromTheStart,
  });
  cancelTick = SYSTEM_TIME.timers.every(50, () => {
    const { count, source, destination } = programs.usage.read();
    for (let row = 0; row < count; row++)
      if (source[row]! >= 0 && destination[row]! >= 0) shaping.use(source[row]!, destination[row]!);
    shaping.setRates(new Map());
    shaping.forgetIdle();
    const next = shaping.nextInTurn();
    if (next !== undefined) shaping.audit(next);
  });
}

const qdiscs = async ({ namespace }: Place): Promise<string> =>
  (await run('ip', ['netns', 'exec', namespace, 'tc', 'qdisc', 'show'])).out;

const able = delayBackends(probeMachine());
const ways: [backend: (typeof able)[number], pairsFromTheStart: number][] = [];
for (const backend of able)
  for (const count of backend === 'netem' ? [100] : [100, 0]) ways.push([backend, count]);

describe.each(ways)('with %s, where up to %d pairs are made from the start', (backend, fromTheStart) => {
  it('an endpoint comes back in another namespace at another address, and others are not disturbed', async () => {
    const [a, b, c] = places();
    await start(backend, fromTheStart);
    const untouched = await qdiscs(a);
    const first = await come(a, 0);
    await come(b, 1);
    await come(c, 2);
    expect((await ping(a, b, 5, 20)).medianMs).toBeGreaterThan(80);
    const beside = ping(c, b, 500, 10);
    await sleep(300);
    await leave(first);
    // Its interface is restored, and its packets belong to no path.
    expect(await qdiscs(a)).toBe(untouched);
    expect((await ping(a, b, 5, 20)).medianMs).toBeLessThan(20);
    for (let life = 0; life < 3; life++) {
      const again = network.replace(0, `10.9.0.${77 + life}`);
      const endpoint = await come(again, 0);
      const { received, medianMs } = await ping(again, b, 5, 20);
      expect(received).toBe(5);
      expect(medianMs).toBeGreaterThan(80);
      expect(medianMs).toBeLessThan(100);
      expect(enforcer.verify(endpoint)).toEqual([]);
      // The second has left before any agent received its announcement.
      if (life === 1) network.replace(0, '10.9.0.90');
      await leave(endpoint);
    }
    const { received, medianMs } = await beside;
    expect(medianMs).toBeGreaterThan(60);
    expect(medianMs).toBeLessThan(70);
    // 500 × 0.81, and four standard deviations.
    expect(received).toBeGreaterThan(405 - 36);
    expect(received).toBeLessThan(405 + 36);
    expect([...shaping.degraded]).toEqual([]);
    expect(await shaping.verify()).toEqual([]);
  });

  it('an interface that vanishes is forgotten, whatever is held there', async () => {
    const [a, b, c] = places();
    await start(backend, fromTheStart);
    const first = await come(a, 0);
    await come(b, 1);
    await come(c, 2);
    const pinging = ping(b, a, 50, 20).catch(() => undefined);
    await sleep(300);
    execFileSync('ip', ['-n', a.namespace, 'link', 'delete', 'eth0']);
    await until(() => shaping.degraded.has('a.0'), 'the audit has seen it');
    await leave(first);
    expect([...shaping.degraded]).toEqual([]);
    expect(await shaping.verify()).toEqual([]);
    await pinging;
    expect((await ping(b, c, 20, 20)).medianMs).toBeGreaterThan(60);
  });
});
