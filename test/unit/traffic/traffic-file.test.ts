/** `traffic:` of a file. */
import { describe, expect, it } from 'vitest';
import { micros } from '../../../proto/units.ts';
import { nativeText } from '../../../topology/formats/native/write.ts';
import { loadTopology } from '../../../topology/load.ts';
import { trafficSources } from '../../../topology/model/traffic.ts';
import { graphAt } from '../../../topology/timeline/graph-at.ts';

const LAB = `services: { a: { replicas: 3 }, b: { replicas: 2 }, c: {} }
bridges: [s]
links:
  - { from: a, to: s, latency: 1ms }
  - { from: b, to: s, latency: 1ms }
  - { from: c, to: s, latency: 1ms }
traffic:
`;
const load = (...entries: string[]) =>
  loadTopology(`${LAB}${entries.map((one) => `  - { ${one} }\n`).join('')}`, 'lab.yaml').topology;
const traffic = (entry: string) => load(entry).traffic![0]!;

describe('traffic', () => {
  it('is constant with a rate, and greedy without', () => {
    expect(traffic('from: a.1, to: c, rate: 2Mbps')).toMatchObject({
      ...{
        name: 'a.1>c',
        kind: 'constant',
        rate: 2e6,
        size: 1000,
        start: 0,
        count: 1,
        seed: 1,
        simulated: false,
      },
      ...{ from: { name: 'a', replica: 1 }, to: { name: 'c' } },
    });
    expect(traffic('from: a.1, to: c')).toMatchObject({ kind: 'greedy' });
    expect(traffic('from: a.1, to: c')).not.toHaveProperty('stop');
  });

  it('has all that is written', () => {
    const entry =
      'from: a, to: b, name: web, kind: pareto, rate: 1Mbps, size: 200B, on: 1s, off: 2s, shape: 1.2, start: 5s, stop: 1m, count: 4, seed: 9';
    expect(traffic(entry)).toMatchObject({
      ...{ name: 'web', kind: 'pareto', size: 200, on: 1e6, off: 2e6, shape: 1.2, start: 5e6, stop: 60e6 },
      ...{ count: 4, seed: 9 },
    });
  });

  it('is written as it was read', () => {
    const topology = load(
      'from: a, to: b, name: web, kind: pareto, rate: 1Mbps, size: 200B, on: 1s, off: 2s, shape: 1.2, start: 5s, stop: 1m, count: 4, seed: 9',
      'from: c, to: a.2',
      'from: s, to: c, rate: 3Mbps, simulated: true',
      'from: c, to: a.0, kind: exponential, rate: 64Kbps',
      'from: c, to: a.0, name: keys, kind: telnet',
      'from: c, to: a.0, kind: telnet, protocol: udp, interval: 200ms, seed: 3',
      'from: c, to: a.0, protocol: tcp, rate: 64Kbps, size: 5000B',
      'from: c, to: a.0, kind: ftp, size: 1000B, off: 2s',
      'from: c, to: a.0, kind: web, stop: 1m',
      'from: c, to: a.0, rate: 64Kbps, start: never',
      'from: c, to: a.0, trace: "packets: 0 100, 8000 1472"',
      'from: c, to: a.0, name: day, flows: "flows: 0 100 0, 8000 1472 5"',
      'from: c, to: a.0, name: day, protocol: udp, flows: "flows: 7 100 0"',
    );
    const again = loadTopology(nativeText(topology), 'lab.yaml').topology;
    const bare = (one: typeof topology) => one.traffic!.map(({ position: _, ...rest }) => rest);
    expect(bare(again)).toEqual(bare(topology));
  });

  it('goes from each replica to that with its number, and there are as many as asked', () => {
    const topology = load(
      'from: a, to: b, rate: 1Mbps, count: 2',
      'from: s, to: c, rate: 1Mbps, simulated: true',
    );
    const graph = graphAt(topology, micros(0));
    const sources = trafficSources(topology.traffic!, graph);
    const name = (node: number): string => graph.nodes[node]!;
    expect(sources.map(({ index, from, to }) => `${index} ${name(from)}>${name(to)}`)).toEqual([
      ...['0 a.0>b.0', '1 a.0>b.0', '2 a.1>b.1', '3 a.1>b.1', '4 a.2>b.0', '5 a.2>b.0', '6 s>c.0'],
    ]);
  });

  it.each([
    ['from: a, to: x, rate: 1Mbps', 'there is no "x"'],
    ['from: a.3, to: c, rate: 1Mbps', 'there is no "a.3"'],
    ['from: s, to: c, rate: 1Mbps', 'is a bridge, which sends nothing'],
    ['from: c, to: c.0, rate: 1Mbps', 'crosses no link'],
    ['from: a, to: c, kind: greedy, rate: 1Mbps', 'takes what it can get'],
    ['from: a, to: c, kind: pareto', 'has a rate'],
    ['from: a, to: c, kind: pareto, rate: 1Mbps, simulated: true', "can't be simulated"],
    ['from: a, to: c, rate: 1Mbps, size: 10B', 'are no datagram'],
    ['from: a, to: c, rate: 1Mbps, start: 5s, stop: 5s', 'ends before it begins'],
    ['from: a, to: c, rate: 1Mbps, start: later', 'later'],
    ['from: a, to: c, rate: 1Mbps, on: 1s', 'has no on'],
    ['from: a, to: c, kind: exponential, rate: 1Mbps, shape: 2', 'has no shape'],
    ['from: a, to: c, rate: 1', 'has no unit'],
    ['from: a, to: c, rate: 1Mbps, count: 5000', 'more than 10000'],
    ['from: a, to: c, rate: 1Mbps, simulated: true, count: 50000', 'more than 100000'],
    ['from: a, to: c, rat: 1Mbps', 'rat'],
    ['from: a', 'to'],
    ['from: a, to: c, kind: web, protocol: udp', 'web traffic is TCP'],
    ['from: a, to: c, kind: web, size: 10B', 'web traffic has no size'],
    ['from: a, to: c, kind: telnet, rate: 1Mbps', 'has no rate of its own'],
    ['from: a, to: c, kind: ftp, simulated: true', "can't be simulated"],
    ['from: a, to: c, kind: trace', 'plays a file'],
    ['from: a, to: c, kind: web, trace: "packets: 0 100"', 'web traffic has no trace'],
    ['from: a, to: c, trace: "packets: 0 100, 5 x"', 'no trace of packets'],
    ['from: a, to: c, trace: "packets: 0 100, 9 100, 5 100"', 'no trace of packets'],
    ['from: a, to: c, rate: 1Mbps, interval: 1s', 'has no interval'],
    ['from: a, to: c, kind: flows', 'those of a file'],
    ['from: a, to: c, kind: web, flows: "flows: 0 100 0"', 'web traffic has no flows'],
    ['from: a, to: c, flows: "flows: 0 0 0"', 'no trace of flows'],
    ['from: a, to: c, flows: "flows: 5 1 0, 4 1 0"', 'no trace of flows'],
    ['from: a, to: c, flows: "flows: 0 100 0", size: 100B', 'flows traffic has no size'],
    ['from: a, to: c, flows: "flows: 0 100 0", simulated: true', "can't be simulated"],
    ['from: a, to: c, protocol: udp, flows: "flows: 0 1000000000000 0"', 'more than 1000000'],
  ])('{ %s } is refused', (entry, message) => {
    expect(() => load(entry)).toThrow(message);
  });
});

describe('a trace of packets', () => {
  const read = (csv: string) =>
    loadTopology(`${LAB}  - { from: a.0, to: c, trace: p.csv }\n`, 'lab.yaml', undefined, undefined, {
      read: (file) => (file === 'p.csv' ? { text: csv } : { problem: 'there is none' }),
    });
  it('is read from CSV, from its first packet on', () => {
    const { topology, expanded } = read('frame,time,size\n1,10.5,100\n2,10.508,1472\n');
    expect(topology.traffic![0]).toMatchObject({ kind: 'trace', trace: 'packets: 0 100, 8000 1472' });
    expect(loadTopology(expanded!(), 'lab.yaml').topology.traffic![0]!.trace).toBe(
      topology.traffic![0]!.trace,
    );
    expect(read('time_ms,size\n2,1\n2.5,2').topology.traffic![0]!.trace).toBe('packets: 0 1, 500 2');
  });
  it.each([
    ['', 'no column time'],
    ['time,size\n', 'has no packets'],
    ['time,size\n1,2000', 'no datagram'],
    ['time,size\n1,2.5', 'no datagram'],
    ['time,size\nx,100', 'is no number'],
    ['time,size\n1', 'is no number'],
    ['time,size\n5,10\n4,10', 'before that of the row above'],
    ['time,size\n0,10\n90000,10', 'longer than a day'],
  ])('%j is refused', (csv, message) => {
    expect(() => read(csv)).toThrow(message);
  });
  it('of a file that is not there is refused', () => {
    const missing = () => loadTopology(`${LAB}  - { from: a.0, to: c, trace: q.csv }\n`, 'lab.yaml');
    expect(missing).toThrow('no other file can be read here');
  });
});
