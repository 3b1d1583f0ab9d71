import { describe, expect, test } from 'vitest';
import { formatGreedyShares, greedyShares, parseFlowPairs } from '../../../agent/share/greedy-shares.ts';
import { impairment } from '../../../proto/impairment.ts';
import { bps, UNLIMITED } from '../../../proto/units.ts';
import type { Graph, GraphLink } from '../../../topology/model/model.ts';
import { pathTable } from '../../support/path-table.ts';

const link = (name: string, bandwidth: number): GraphLink => ({
  name,
  ...impairment({ bandwidth: bps(bandwidth) }),
});

const GRAPH: Graph = {
  routing: 'latency',
  endpoints: ['client.0', 'client.1', 'lone.0', 'server.0'],
  nodes: ['client.0', 'client.1', 'lone.0', 'server.0', 's1'],
  forwards: [false, false, false, false, true],
  edges: [],
  links: [link('s1->server.0', 50e6), link('client.1->s1', 10e6), link('s1->client.0', UNLIMITED)],
};

const FOLDING = pathTable([
  { from: 0, to: 3, latency: 20e3, links: [0] },
  { from: 3, to: 0, latency: 5e3, links: [2] },
  { from: 1, to: 3, latency: 20e3, links: [1, 0] },
]);

test('rows name endpoints and the link that limits, in the order of the question', () => {
  expect(greedyShares(GRAPH, FOLDING, parseFlowPairs('client.1>server, client.0>server.0'))).toEqual([
    { from: 'client.1', to: 'server.0', rateBps: 10e6, limitedBy: 'client.1->s1' },
    { from: 'client.0', to: 'server.0', rateBps: 40e6, limitedBy: 's1->server.0' },
  ]);
});

test('what nothing limits has null for a rate', () => {
  expect(greedyShares(GRAPH, FOLDING, [{ from: 'server', to: 'client.0' }])).toEqual([
    { from: 'server.0', to: 'client.0', rateBps: null, limitedBy: null },
  ]);
});

test('the table lines up', () => {
  const rows = greedyShares(GRAPH, FOLDING, parseFlowPairs('client.1>server,server>client.0'));
  expect(formatGreedyShares(rows)).toBe(
    [
      'from      to            share  limited by',
      'client.1  server.0     10Mbps  client.1->s1',
      'server.0  client.0  unlimited  -',
    ].join('\n'),
  );
});

describe('what can not be answered is a coded error', () => {
  test.each([
    ['client>server', 'FLOW_REPLICA_MISSING', 'client.0'],
    ['nobody>server', 'FLOW_ENDPOINT_UNKNOWN', 'lone.0'],
    ['client.2>server', 'FLOW_ENDPOINT_UNKNOWN', 'did you mean "client.0"'],
    ['s1>server', 'FLOW_ENDPOINT_UNKNOWN', 'server.0'],
    ['server>server.0', 'FLOW_SAME_ENDPOINT', 'different'],
    ['client.0>server,client.0>server.0', 'FLOW_TWICE', 'once'],
    ['lone>server', 'FLOW_UNREACHABLE', 'forward: true'],
  ])('%s is %s', (flows, code, remedy) => {
    const ask = () => greedyShares(GRAPH, FOLDING, parseFlowPairs(flows));
    expect(ask).toThrow(
      expect.objectContaining({ code, blame: 'input', remedy: expect.stringContaining(remedy) }),
    );
  });

  test.each(['', 'a', 'a>', '>b', 'a>b>c', 'a>b,', 'a-b'])('"%s" is not a list of flows', (text) => {
    expect(() => parseFlowPairs(text)).toThrow(
      expect.objectContaining({ code: 'FLOW_SYNTAX', blame: 'usage' }),
    );
  });
});

test('a pair with several paths is refused', () => {
  const several = { path: (from: number, to: number) => FOLDING.path(from, to), count: () => 2 };
  expect(() => greedyShares(GRAPH, several, parseFlowPairs('client.1>server'))).toThrow(
    expect.objectContaining({ code: 'FLOW_SEVERAL_PATHS' }),
  );
});
