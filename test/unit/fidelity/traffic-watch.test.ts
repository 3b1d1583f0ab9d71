/** Which paths are probed beside TCP, and who decides that one is too long: 100 endpoints that send in bursts. */
import { expect, test } from 'vitest';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { TURN_MS } from '../../../agent/fidelity/echoes.ts';
import { Probes } from '../../../agent/fidelity/probes.ts';
import { type Connection, type Flowing, TrafficWatch } from '../../../agent/fidelity/traffic-watch.ts';
import { UnderlayLoss } from '../../../agent/fidelity/underlay-loss.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import { FakeEchoes } from '../../support/fakes/fake-echoes.ts';

const PAIRS = 50;
/** 40 ms there and back. */
const TOPOLOGY = `
services: { client: { replicas: ${PAIRS} }, server: { replicas: ${PAIRS} } }
bridges: [s]
links:
  - { from: client, to: s, latency: 10ms, bandwidth: 20Mbps }
  - { from: server, to: s, latency: 10ms, bandwidth: 20Mbps }
`;
const epoch = new Epoch(expandGraph(loadTopology(TOPOLOGY, 'lab.yaml').topology));
const numberOf = (name: string): number => epoch.graph.endpoints.indexOf(name);
const clients: LocalEndpoint[] = Array.from({ length: PAIRS }, (_, at) => ({
  ...{ number: numberOf(`client.${at}`), name: `client.${at}`, namespace: `/run/netns/client${at}` },
  ...{ ifname: 'eth0', ifindex: 2, addresses: [`10.0.0.${at}`] },
}));
const peerOf = ({ name }: LocalEndpoint): number => numberOf(name.replace('client', 'server'));

/** What a connection says whose bursts have waited in their own queue all the time. */
const queued = (endpoint: LocalEndpoint): Connection => ({
  ...{ id: endpoint.name, peer: peerOf(endpoint), delivered: 500, retransmitted: 0, sinceAckMs: 10 },
  ...{ smoothedMicros: 90_000, shortestMicros: 70_000 },
});

/** Runs for a while; `trip`: of a probe to an address, ms. Returns when each code and path was seen first. */
function run(
  ms: number,
  trip: (address: string, now: number) => number | undefined,
  {
    isProbed = true,
    rateBps = 2e6,
    flowsUntil = ms,
    tcpFrom = 30_000,
  }: { isProbed?: boolean; rateBps?: number; flowsUntil?: number; tcpFrom?: number } = {},
) {
  const echoes = new FakeEchoes();
  const probes = new Probes(echoes, new UnderlayLoss());
  const flows = clients.map((from): Flowing => {
    return { source: from.number, destination: peerOf(from), rateBps, greedy: false, active: true };
  });
  const watch = new TrafficWatch(
    {
      ...{
        epoch: () => epoch,
        localFlows: () => (echoes.now < flowsUntil ? flows : []),
        forEachRemoteFlow: () => {},
      },
      // They begin after each endpoint was looked at once.
      connections: (endpoint) => (echoes.now < tcpFrom ? [] : [queued(endpoint)]),
      addressOf: (number) => `10.1.0.${number}`,
      realMicros: () => 0,
    },
    isProbed ? probes : undefined,
  );
  const found = new Map<string, number>();
  watch.begin(0);
  for (let now = 0; now < ms; now += TURN_MS) {
    echoes.now = now;
    const isNew = probes.turn(now);
    for (const { token, address } of echoes.takeSent()) {
      const took = trip(address, now);
      if (took !== undefined) echoes.answer(token, took);
    }
    if (!isNew && now % 1000 !== 0) continue;
    for (const { code, path } of watch.look(now, clients))
      if (!found.has(`${code} ${path}`)) found.set(`${code} ${path}`, now);
  }
  return { found, sent: echoes.history.length, watch, now: echoes.now };
}

test('connections that always meet their own queue are no false alarm: probes disprove it', () => {
  const { found, sent } = run(60_000, () => 41);
  expect([...found]).toEqual([]);
  expect(sent).toBeGreaterThan(50);
});

test('where the path is too long, probes say so, and of that path alone', () => {
  const long = `10.1.0.${peerOf(clients[1]!)}`;
  const { found } = run(60_000, (address) => (address === long ? 61 : 41));
  expect([...found.keys()]).toEqual(['RTT_LONG client.1 > server.1']);
});

test('without probes, TCP decides, where nothing has filled the queue', () => {
  expect(run(60_000, () => 41, { isProbed: false }).found.has('RTT_LONG client.1 > server.1')).toBe(true);
  expect(run(60_000, () => 41, { isProbed: false, rateBps: 12e6 }).found.size).toBe(0);
});

// What goes around netfold is not counted: the flow ends.
test.each([10_000, 10_300, 10_900])('a flow that something leads past its path at %i ms is named', (at) => {
  const { found } = run(20_000, (_, now) => (now < at ? 41 : 0.1), { flowsUntil: at, tcpFrom: 60_000 });
  const first = found.get('RTT_SHORT client.1 > server.1')!;
  expect(first - at).toBeLessThanOrEqual(3000);
});

test('who does not answer after its flow has ended may be gone: that is no fault, and soon nobody asks', () => {
  const { found, sent } = run(13_000, (_, now) => (now < 10_000 ? 41 : undefined), {
    ...{ flowsUntil: 10_000, tcpFrom: 60_000 },
  });
  expect([...found]).toEqual([]);
  const later = run(30_000, (_, now) => (now < 10_000 ? 41 : undefined), {
    ...{ flowsUntil: 10_000, tcpFrom: 60_000 },
  });
  expect(later.sent - sent).toBeLessThan(2 * PAIRS);
});

test('a measurement is told once, to who asks for what came after the last answer', () => {
  const { watch, now } = run(40_000, () => 41);
  const all = watch.measured(0);
  expect(all.length).toBeGreaterThan(10);
  expect(new Set(all.map(({ from }) => from)).size).toBe(all.length);
  for (const { from, to, ...one } of all) {
    expect(to).toBe(from.replace('client', 'server'));
    expect(one).toEqual({ roundTripMs: 40, measuredMs: 70, retransmitted: 0 });
  }
  expect(watch.measured(now)).toEqual([]);
  expect(watch.measured(now - 2000).length).toBeLessThan(all.length);
});
