/** Several paths of equal cost between two endpoints, in the kernel: who chooses where packets are sent and where they arrive agree. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_TIME } from '../../../agent/clock/clock.ts';
import { Enforcer } from '../../../agent/enforce/enforcer.ts';
import { laneOf } from '../../../agent/enforce/lanes.ts';
import { Epoch } from '../../../agent/epoch/epoch.ts';
import { addressBytes } from '../../../agent/kernel/netlink/addresses.ts';
import { createDelayBackend } from '../../../agent/linux/delay/delay-backend.ts';
import { numbersByAddress } from '../../../agent/linux/objects/endpoint-numbers.ts';
import { delayBackends, probeMachine } from '../../../agent/linux/probe/probe.ts';
import { loadPrograms, type Programs } from '../../../agent/linux/programs/programs.ts';
import { Shaping } from '../../../agent/shape/shaping.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology } from '../../../topology/load.ts';
import type { Graph } from '../../../topology/model/model.ts';
import { type Cable, layCable } from '../../support/kernel/veth-pair.ts';
import { runIn, until } from '../../support/lab/lab.ts';
import { LATE_MS } from '../../support/speed.ts';

const FLOWS = join(import.meta.dirname, '../../support/traffic/flows.ts');
const SEED = 0x5eedf00d;
const PORT = 5005;
/** Of the paths, in their order: far apart, so that each is known by its time. */
const LATENCIES_MS = [10, 60, 120, 180];
const APART_MS = 100;

const graph = expandGraph(
  loadTopology(
    `routing: hops
ecmp: 4
services: { a: {}, b: {} }
bridges: [s1, s2, s3, s4]
links:
${LATENCIES_MS.map(
  (
    latency,
    index,
  ) => `  - { from: a, to: s${index + 1}, latency: ${latency}ms, bandwidth: ${10 * (index + 1)}Mbps }
  - { from: s${index + 1}, to: b }`,
).join('\n')}`,
    'test.yaml',
  ).topology,
);
/** The third path is gone. */
const without: Graph = { ...graph, edges: graph.edges.filter(({ from, to }) => from !== 4 && to !== 4) };

let cable: Cable;
let programs: Programs;
let enforcer: Enforcer;
let shaping: Shaping;
let echo: ChildProcess;

const name = ({ namespace }: Cable['a']): string => namespace.split('/').at(-1)!;

/** Ports and their shortest round trips, ms. */
async function ask(address: string, first: number, count: number): Promise<[port: number, ms: number][]> {
  const place = { name: 'a', namespace: name(cable.a), address };
  const words = [FLOWS, 'ask', address, PORT, first, count, 3].map(String);
  const { code, out, err } = await runIn(place, process.execPath, ...words);
  if (code !== 0) throw new Error(err);
  return out
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number) as [number, number]);
}

/** The path of a datagram of UDP, by what its header says. */
function laneOfPort(from: string, to: string, port: number, lanes: number): number {
  const isV4 = !from.includes(':');
  const packet = new Uint8Array(isV4 ? 28 : 48);
  const view = new DataView(packet.buffer);
  packet[0] = isV4 ? 0x45 : 0x60;
  packet[isV4 ? 9 : 6] = 17;
  packet.set(addressBytes(from).subarray(isV4 ? 12 : 0), isV4 ? 12 : 8);
  packet.set(addressBytes(to).subarray(isV4 ? 12 : 0), isV4 ? 16 : 24);
  view.setUint16(isV4 ? 20 : 40, port);
  view.setUint16(isV4 ? 22 : 42, PORT);
  return laneOf(SEED, lanes, packet, 0, packet.length);
}

/** Frames from `a` by the path that the classifier gave them, since the last call. */
function counted(): number[] {
  const frames = LATENCIES_MS.map(() => 0);
  const rows = programs.usage.read();
  for (let row = 0; row < rows.count; row++)
    if (rows.source[row] === 0)
      frames[Math.floor(rows.destination[row]! / graph.nodes.length)]! += rows.frames[row]!;
  return frames;
}

const COUNT = 48;

describe.each(delayBackends(probeMachine()))('with %s', (backend) => {
  beforeEach(async () => {
    cable = layCable();
    const epoch = new Epoch(graph);
    programs = loadPrograms(64, 4, undefined, { lanes: epoch.lanes, seed: SEED });
    const delay = createDelayBackend(backend, programs, 1, SEED);
    enforcer = new Enforcer({ tc: programs.tc, delay, ...SYSTEM_TIME });
    shaping = new Shaping({ enforcer, expected: 2, epoch, ...SYSTEM_TIME });
    for (const one of [cable.a, cable.b]) {
      programs.countTraffic(one);
      await shaping.attach(one);
    }
    programs.usage.setEndpoints(numbersByAddress([cable.a, cable.b]));
    await shaping.setKnown([cable.a, cable.b]);
    let said = '';
    echo = spawn('ip', ['netns', 'exec', name(cable.b), process.execPath, FLOWS, 'echo', String(PORT)]);
    echo.stdout!.on('data', (text: Buffer) => {
      said += text.toString();
    });
    await until(() => said.includes('ready'), 'the other end answers');
  });

  afterEach(async () => {
    echo.kill('SIGKILL');
    await enforcer.stop();
    await programs.close();
    cable.remove();
  });

  describe.each([0, 1])('flows between the addresses %d of both', (family) => {
    it('take the path of their hash there and back, with its latency', async () => {
      const [from, to] = [cable.a.addresses[family]!, cable.b.addresses[family]!];
      counted();
      const seen = await ask(to, 20_000, COUNT);
      const expected = LATENCIES_MS.map(() => 0);
      expect(seen).toHaveLength(COUNT);
      for (const [port, ms] of seen) {
        const lane = laneOfPort(from, to, port, LATENCIES_MS.length);
        expected[lane]! += 3;
        const roundTripMs = 2 * LATENCIES_MS[lane]!;
        expect(ms, `port ${port} by path ${lane}`).toBeGreaterThan(roundTripMs - 1);
        expect(ms, `port ${port} by path ${lane}`).toBeLessThan(roundTripMs + APART_MS - 10 + LATE_MS);
      }
      for (const flows of expected) expect(flows).toBeGreaterThan(0);
      expect(counted()).toEqual(
        expected.map((frames) => expect.toSatisfy((all: number) => all >= frames && all <= frames + 12)),
      );
    });
  });

  it('a path that is gone takes no flows, and its flows take the others', async () => {
    const [from, to] = [cable.a.addresses[0]!, cable.b.addresses[0]!];
    await shaping.setEpoch(new Epoch(without), new Map());
    const left = LATENCIES_MS.filter((_, lane) => lane !== 2);
    counted();
    for (const [port, ms] of await ask(to, 21_000, COUNT)) {
      const roundTripMs = 2 * left[laneOfPort(from, to, port, 3)]!;
      expect(ms).toBeGreaterThan(roundTripMs - 1);
      expect(ms).toBeLessThan(roundTripMs + APART_MS - 10 + LATE_MS);
    }
    expect(counted()[3]).toBe(0);
    await shaping.setEpoch(new Epoch(graph), new Map());
    const back = await ask(to, 20_000, COUNT);
    for (const [port, ms] of back)
      expect(ms).toBeGreaterThan(2 * LATENCIES_MS[laneOfPort(from, to, port, 4)]! - 1);
  });

  it('all fragments of a datagram take one path, whatever its ports', async () => {
    const place = { name: 'a', namespace: name(cable.a), address: cable.b.addresses[0]! };
    const { out } = await runIn(place, 'ping', '-n', '-c', '3', '-i', '0.3', '-s', '4000', place.address);
    const times = [...out.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]));
    expect(times).toHaveLength(3);
    expect(counted().filter((frames) => frames > 6)).toHaveLength(1);
  });

  it('classes of all paths have the rates of their links', async () => {
    const { out } = await runIn(
      { name: 'a', namespace: name(cable.a), address: '' },
      'tc',
      'class',
      'show',
      'dev',
      'eth0',
    );
    const rates = [...out.matchAll(/rate (\d+Mbit)/g)].map((match) => match[1]);
    expect(rates.toSorted()).toEqual(['10Mbit', '20Mbit', '30Mbit', '40Mbit']);
    expect(await shaping.verify()).toEqual([]);
  });
});
