/** What hosts and users say of the network between hosts. */
import { parsePings, roundTripsOf } from '../../controller/inject/measure.ts';
import { readNetwork } from '../../controller/inventory/network.ts';
import { wayTable } from '../../controller/placement/wide-area/tables.ts';
import { TopologyError } from '../../topology/load.ts';
import { type Target, textTarget } from './target.ts';

const HOSTS = ['a', 'b', 'c'];
const NETWORK = `ways:
  - { between: [a, b], roundTrip: 30ms, loss: 0.1%, bandwidth: 200Mbps }
  - { from: b, to: c, loss: 1% }
`;
const SAID = `192.0.2.7 --- statistics --- 25 packets transmitted, 24 received, 4% packet loss rtt min/avg/max/mdev = 0.1/0.2/0.3/0.1 ms
{"agents":[{"underlay":{"hosts":[{"host":"b","roundTripMs":1.5}]}}]}
`;

export const NETWORKS: readonly Target[] = [
  textTarget({
    name: 'network of hosts',
    seeds: [NETWORK],
    pieces: [
      'ways:',
      'between: [a, b]',
      'from: a',
      'to: b',
      'roundTrip: ',
      'loss: ',
      '30ms',
      '5%',
      '- ',
      '{',
      '}',
    ],
    read: (text) => wayTable(readNetwork(text, 'fuzz.yaml', HOSTS), HOSTS),
    isCoded: (error) => error instanceof TopologyError,
  }),
  textTarget({
    name: 'round trips',
    seeds: SAID.split('\n'),
    pieces: [
      'packets transmitted',
      'received',
      'rtt min/avg/max = ',
      '/',
      '192.0.2.7 ',
      'roundTripMs',
      'null',
    ],
    read: (text) => [parsePings(text), roundTripsOf(text)],
    isCoded: () => false,
  }),
];
