import { describe, expect, it } from 'vitest';
import { micros } from '../../../proto/units.ts';
import { expandGraph } from '../../../topology/fold/graph.ts';
import { loadTopology, TopologyError } from '../../../topology/load.ts';
import { checkReport, checkText, failedReport } from '../../../topology/report/check.ts';
import { pathLookup, pathsReport } from '../../../topology/report/paths.ts';
import { timelineRows, timelineText } from '../../../topology/report/timeline.ts';
import { native, problems } from './support.ts';

const TOPOLOGY = native(`services: { client: { replicas: 2 }, server: {}, far: {} }
bridges: [s1]
links:
  - { from: client, to: s1, latency: 250us, jitter: 3ms, loss: 1%, up: 20Mbps, down: 5Mbps }
  - { from: s1, to: server, latency: 10ms, jitter: 4ms }
events:
  - at 5s crash client.1
  - at 5s set s1--server latency=20ms up=1Mbps
  - at 9s run server "true"
  - from 10s to 11s partition client | server`);

describe('paths', () => {
  it('of single pairs are the same rows', () => {
    const pathOf = pathLookup(expandGraph(TOPOLOGY));
    const [row] = pathsReport(TOPOLOGY, { from: 'client.1', to: 'server' }).rows();
    expect(pathOf('client.1', 'server.0')).toEqual(row);
    expect(pathOf('client.1', 'server.0')).toBe(pathOf('client.1', 'server.0'));
    expect(pathOf('client.0', 'far.0')).toEqual({ from: 'client.0', to: 'far.0', reachable: false });
    expect(pathOf('client.0', 'nobody')).toBeUndefined();
    expect(pathOf('client.0', 'client.0')).toBeUndefined();
  });
  it('are rows in the units of the contract', () => {
    expect([...pathsReport(TOPOLOGY, { from: 'client.1', to: 'server' }).rows()]).toEqual([
      {
        from: 'client.1',
        to: 'server.0',
        latencyMs: 10.25,
        jitterMs: 5,
        loss: 0.01,
        bandwidthBps: 20e6,
        // 0.4 µs a byte at the only link that has a bandwidth.
        smallPacketMs: 10.274,
        fullPacketMs: 10.8556,
        hops: 2,
        links: ['client.1->s1', 's1->server.0'],
      },
    ]);
    expect([...pathsReport(TOPOLOGY, { from: 'server', to: 'client.0' }).rows()]).toMatchObject([
      { bandwidthBps: 5e6 },
    ]);
  });

  it('name the distribution of the jitter where it is not normal', () => {
    const report = pathsReport(
      native(`services: { a: {}, b: {} }
links:
  - { from: a, to: b, jitter: 3ms, distribution: pareto, oneway: true }
  - { from: b, to: a, jitter: 4ms, distribution: normal, oneway: true }`),
    );
    const json: object[] = JSON.parse([...report.json()].join(''));
    expect(json[0]).toMatchObject({ from: 'a.0', jitterMs: 3, distribution: 'pareto' });
    expect(json[1]).not.toHaveProperty('distribution');
    const [, first, second] = [...report.text()];
    expect(first).toContain(' 3ms pareto ');
    expect(second).toMatch(/ 4ms {2}/);
  });

  it('are null where there is no limit, and say where there is no path', () => {
    const rows = [
      ...pathsReport(native('services: { a: {}, b: {} }\nlinks: [{ from: a, to: b, oneway: true }]')).rows(),
    ];
    expect(rows).toEqual([
      expect.objectContaining({ from: 'a.0', to: 'b.0', bandwidthBps: null }),
      { from: 'b.0', to: 'a.0', reachable: false },
    ]);
  });

  it('are all pairs of all replicas, or those asked for', () => {
    const count = (options: object): number => [...pathsReport(TOPOLOGY, options).rows()].length;
    expect(count({})).toBe(12);
    expect(count({ from: 'client' })).toBe(6);
    expect(count({ from: 'client', to: 'client' })).toBe(2);
    expect(count({ to: 'far' })).toBe(3);
  });

  it('are those of the instant that is asked for', () => {
    const latencies = (at: number): unknown[] =>
      [...pathsReport(TOPOLOGY, { from: 'client', to: 'server', at: micros(at) }).rows()].map((row) =>
        'latencyMs' in row ? row.latencyMs : null,
      );
    expect(latencies(4e6)).toEqual([10.25, 10.25]);
    expect(latencies(5e6)).toEqual([20.25, null]);
    expect(latencies(10e6)).toEqual([null, null]);
  });

  it.each([
    ['clent', /no endpoint "clent"/, /did you mean "client"/],
    ['client.2', /no endpoint "client.2"/, /client.0 to client.1/],
    ['s1', /"s1" is a bridge/, /services are/],
    ['', /no endpoint ""/, /services are/],
  ])('of %j are refused with the nearest name', (from, message, remedy) => {
    expect(() => pathsReport(TOPOLOGY, { from })).toThrow(
      expect.objectContaining({
        code: 'NAME_UNKNOWN',
        message: expect.stringMatching(message),
        remedy: expect.stringMatching(remedy),
      }),
    );
  });

  it('are a table and a JSON array of the same rows', () => {
    const report = pathsReport(TOPOLOGY, { from: 'client' });
    expect(JSON.parse([...report.json()].join(''))).toEqual([...report.rows()]);
    expect(JSON.parse([...pathsReport(TOPOLOGY, { from: 'far', to: 'far' }).json()].join(''))).toEqual([]);
    expect(
      [...report.text()].slice(0, 4).map((line) => line.split(/ {2,}/).map((cell) => cell.trim())),
    ).toEqual([
      'from,to,latency,jitter,loss,bandwidth,60 bytes,1514 bytes,hops,links'.split(','),
      'client.0,client.1,500us,4.243ms,1.99%,5Mbps,620us,3.528ms,2,client.0->s1 s1->client.1'.split(','),
      ['client.0', 'far.0', 'unreachable'],
      'client.0,server.0,10.25ms,5ms,1%,20Mbps,10.274ms,10.856ms,2,client.0->s1 s1->server.0'.split(','),
    ]);
  });
});

describe('check', () => {
  it('sums up a valid file and lists its warnings', () => {
    const { topology, warnings } = loadTopology(
      'services: { a: { replicas: 2 }, b: {} }\nbridges: [s]\nlinks: [{ from: a, to: b }]',
      'x.yaml',
    );
    const report = checkReport(topology, warnings);
    expect(report).toMatchObject({
      valid: true,
      summary: { services: 2, endpoints: 3, bridges: 1, links: 1, events: 0 },
    });
    expect(checkText(report, 'x.yaml').split('\n')).toEqual([
      'x.yaml:2:11: warning: bridges.s: the bridge s has no links (link it or remove it)',
      'x.yaml: x is valid: 2 services, 3 endpoints, 1 bridge, 1 link, 0 events; routing by least latency',
    ]);
  });

  it('lists what is wrong with another', () => {
    const report = failedReport(problems('services: { a: { replicas: 0 } }'));
    expect(report.valid).toBe(false);
    expect(checkText(report, 'x.yaml')).toMatch(
      /^test.yaml:1:28: error: services.a.replicas: .*\nx.yaml: not valid: 1 error$/,
    );
  });

  it('has a message with all errors on the error itself', () => {
    expect(() => native('services: { a: { replicas: 0 }, b: { replicas: 0 } }')).toThrow(TopologyError);
    expect(() => native('services: { a: { replicas: 0 }, b: { replicas: 0 } }')).toThrow(
      /services\.a.*\n.*services\.b/,
    );
  });
});

describe('timeline', () => {
  it('lists atomic changes in order, with the epoch that each instant starts', () => {
    const rows = timelineRows(TOPOLOGY).map(({ atMs, epoch, verb, target, detail }) => [
      atMs,
      epoch,
      verb,
      target,
      detail,
    ]);
    expect(rows).toEqual([
      [5000, 1, 'crash', 'client.1', undefined],
      [5000, 1, 'set', 's1--server', 'latency=20ms up=1Mbps'],
      [9000, 1, 'run', 'server.0', 'true'],
      [10_000, 2, 'partition', 'client | server', undefined],
      [11_000, 3, 'heal', 'client | server', undefined],
    ]);
    expect(timelineText(timelineRows(TOPOLOGY)).split('\n')[1]).toMatch(/^ +5s +1 {2}crash +client\.1$/);
  });
});
