/** The real network between hosts, read from a file. */
import { expect, test } from 'vitest';
import { readNetwork } from '../../../controller/inventory/network.ts';
import { TopologyError } from '../../../topology/load.ts';

const HOSTS = ['fra', 'par', 'ams'];
const read = (text: string) => readNetwork(text, 'n.yaml', HOSTS);

test('every field; between is both directions', () => {
  const text = `ways:
  - { between: [fra, par], roundTrip: 9ms, loss: 0.1%, bandwidth: 200Mbps }
  - { from: par, to: ams, loss: 1% }
`;
  const gives = { latency: 4500, loss: 0.001, bandwidth: 200e6 };
  expect(read(text)).toEqual([
    { from: 'fra', to: 'par', ...gives },
    { from: 'par', to: 'fra', ...gives },
    { from: 'par', to: 'ams', loss: 0.01 },
  ]);
  expect(read('ways: []')).toEqual([]);
  expect(read('{"ways": [{"between": ["fra", "ams"], "roundTrip": "2ms"}]}')).toHaveLength(2);
});

test.each<[string, string, string]>([
  ['ways: [{ between: [fra, parr], roundTrip: 9ms }]', 'n.yaml:1:', 'did you mean "par"?'],
  ['ways: [{ between: [fra, fra], roundTrip: 9ms }]', 'from a host to itself', 'name two hosts'],
  ['ways: [{ between: [fra, par, ams], roundTrip: 9ms }]', 'ways[0]', 'between: [host1, host2]'],
  ['ways: [{ from: fra, roundTrip: 9ms }]', 'not named', 'from and to'],
  ['ways: [{ between: [fra, par], to: ams }]', 'not named', 'between: [host1, host2]'],
  ['ways: [{ between: [fra, par], roundTrip: 9 }]', 'ways[0].roundTrip', 'roundTrip: 30ms'],
  ['ways: [{ between: [fra, par], loss: 120% }]', 'ways[0].loss', '0.1%'],
  ['ways: [{ between: [fra, par], rtt: 9ms }]', '"rtt"', 'known keys: between, from, to, roundTrip'],
  ['ways: fra', 'ways', 'ways: [{ between'],
  ['- fra', 'no network of hosts', 'ways: [{ between'],
  ['', 'no network of hosts', 'ways: [{ between'],
  ['ways: [', 'n.yaml:1:', ''],
])('%s is refused', (text, message, remedy) => {
  let said = '';
  try {
    read(text);
  } catch (error) {
    expect(error).toBeInstanceOf(TopologyError);
    said = (error as Error).message;
  }
  expect(said).toContain(message);
  expect(said).toContain(remedy);
});
