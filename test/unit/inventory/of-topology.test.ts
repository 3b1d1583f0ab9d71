/** Kollaps' attributes of machines. */
import { expect, test } from 'vitest';
import { inventoryOf } from '../../../controller/inventory/of-topology.ts';
import { loadTopology } from '../../../topology/load.ts';

const inventory = (services: string) => {
  const link = '<link origin="y" dest="z" latency="1" upload="1Mbps" network="n"/>';
  const text = `<experiment boot="boot:1"><services>${services}<service name="y"/><service name="z"/></services><bridges/><links>${link}</links></experiment>`;
  return inventoryOf(loadTopology(text, 'wan.xml').topology, 'wan.xml');
};
const told = (services: string) =>
  inventory(services)?.hosts.map(({ name, address, is }) => ({
    ...{ name, address },
    is: is.map(({ text, shape }) => `${text} ${shape?.value ?? ''}`.trim()),
  }));

test('a machine is a host, shaped at its address; of one without a name, SSH leads to the address', () => {
  expect(
    told(
      '<service name="a" machinename="m1.example" ip="192.0.2.1" kollaps_folder="/opt/k" topology_file="t.xml"/><service name="b" machinename="m2"/><service name="c" ip="2001:db8::3"/>',
    ),
  ).toEqual([
    { name: 'm1.example', address: 'm1.example', is: ['a 192.0.2.1'] },
    { name: 'm2', address: 'm2', is: ['b'] },
    { name: 'c', address: '2001:db8::3', is: ['c 2001:db8::3'] },
  ]);
});

test('services of one machine are its interfaces', () => {
  const two =
    '<service name="a" machinename="m" ip="192.0.2.1"/><service name="b" machinename="m" ip="10.0.0.1"/>';
  expect(told(two)).toEqual([{ name: 'm', address: 'm', is: ['a 192.0.2.1', 'b 10.0.0.1'] }]);
});

test('without machines there is none; a name that SSH does not take is refused', () => {
  expect(inventory('')).toBeUndefined();
  expect(() => inventory('<service name="a" machinename="-oProxyCommand=x"/>')).toThrow(
    /the machines of wan\.xml.*hosts\.a\.address/,
  );
});
