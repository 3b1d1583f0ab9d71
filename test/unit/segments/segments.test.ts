/** Who is on a segment, and what a segment carries. */
import { expect, test } from 'vitest';
import { isApplications } from '../../../agent/segments/frames.ts';
import { endpointEdges, SegmentMap } from '../../../agent/segments/segment-map.ts';
import { Player } from '../../../agent/timeline/player.ts';
import { micros } from '../../../proto/units.ts';
import { loadTopology } from '../../../topology/load.ts';

const TOPOLOGY = `
services: { a: { replicas: 2 }, b: {}, far: {}, peer: {}, router: { forward: true }, deaf: {}, mute: {} }
bridges: [s, t]
links:
  - { from: a, to: s, latency: 1ms }
  - { from: b, to: s, latency: 1ms }
  - { from: s, to: t, latency: 1ms }
  - { from: far, to: t, latency: 1ms }
  - { from: peer, to: b, latency: 1ms }
  - { from: router, to: s, latency: 1ms }
  - { from: router, to: t, latency: 1ms }
  - { from: deaf, to: s, latency: 1ms, oneway: true }
  - { from: s, to: mute, latency: 1ms, oneway: true }
events:
  - at 1s leave a.1
`;

/** Sender → receivers, by names. */
function segments(atMicros: number): Record<string, string> {
  const player = new Player(loadTopology(TOPOLOGY, 'lab.yaml').topology, () => {});
  player.advance(micros(atMicros));
  const { graph } = player;
  const map = new SegmentMap(graph.endpoints.length, endpointEdges(graph));
  const names = (all: ReadonlySet<number>): string =>
    [...all]
      .map((number) => graph.endpoints[number]!.replace(/\.0$/, ''))
      .sort()
      .join(' ');
  return Object.fromEntries(
    graph.endpoints.map((name, number) => [name.replace(/\.0$/, ''), names(map.receivers(number))]),
  );
}

test('those that are linked to one bridge, or to each other, in the direction of their links', () => {
  expect(segments(0)).toEqual({
    a: 'a.1 b mute router',
    'a.1': 'a b mute router',
    b: 'a a.1 mute peer router',
    // A router does not pass groups on.
    router: 'a a.1 b far mute',
    far: 'router',
    peer: 'b',
    deaf: 'a a.1 b mute router',
    mute: '',
  });
});

test('those that have left get nothing', () => {
  expect(segments(2e6)).toMatchObject({ a: 'b mute router', b: 'a mute peer router', 'a.1': '' });
});

const v4 = (protocol: number): number[] => [
  ...Array(12).fill(0),
  8,
  0,
  ...Array(9).fill(0),
  protocol,
  ...Array(10).fill(0),
];
const v6 = (next: number, ...rest: number[]): number[] => [
  ...[...Array(12).fill(0), 0x86, 0xdd],
  ...[...Array(6).fill(0), next, ...Array(33).fill(0)],
  ...rest,
];

test.each<[string, number[], boolean]>([
  ['UDP over IPv4', v4(17), true],
  ['OSPF over IPv4', v4(89), true],
  ['UDP over IPv6', v6(17), true],
  ['an echo request', v6(58, 128), true],
  ['UDP after options', v6(0, 17, 0, 0, 0, 0, 0, 0, 0), true],
  ['a report of IGMP', v4(2), false],
  ['a report of MLD, after options', v6(0, 58, 0, 0, 0, 0, 0, 0, 0, 143), false],
  ['a report of MLD', v6(58, 131), false],
  ['a router solicitation', v6(58, 133), false],
  ['a neighbour solicitation', v6(58, 135), false],
  ['ARP', [...Array(12).fill(0), 8, 6, ...Array(28).fill(0)], false],
  ['half of IPv4', v4(17).slice(0, 30), false],
  ['half of IPv6', v6(17).slice(0, 50), false],
  ['options that end nowhere', v6(0), false],
  ['no type', v6(58), false],
  ['nothing', [], false],
])('%s', (_, frame, expected) => {
  expect(isApplications(Uint8Array.from(frame))).toBe(expected);
});
