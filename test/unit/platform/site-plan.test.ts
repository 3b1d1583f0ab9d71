import { describe, expect, test } from 'vitest';
import {
  type Placement,
  parsePlacement,
  planSite,
  type Surveyed,
} from '../../../controller/platform/site/site-plan.ts';

const NAMES = ['client.0', 'client.1', 'server.0'];

const link = (ifname: string, ifindex: number): Surveyed['link'] => ({
  ifname,
  ifindex,
  mtu: 1500,
  txQueueLength: 1000,
  txQueues: 1,
  gsoMaxSegments: 65_535,
  gsoSegmentsByDefault: 65_535,
});

/** Every interface but `eth9` exists; `bare0` has no address. */
function survey({ ifname, namespace }: Placement): Surveyed {
  if (ifname === 'eth9') return { link: undefined, addresses: [] };
  if (ifname === 'bare0') return { link: link(ifname, 3), addresses: [] };
  const last = namespace.length + 1;
  return { link: link(ifname, 40 + last), addresses: [`192.0.2.${last}`, `2001:db8::${last}`] };
}

const plan = (...placements: string[]) => planSite('x', NAMES, placements.map(parsePlacement), survey);

describe('a placement', () => {
  test('names an endpoint, an interface, and a namespace or none', () => {
    expect(parsePlacement('server=eth0@web')).toEqual({ node: 'server', ifname: 'eth0', namespace: 'web' });
    expect(parsePlacement('client.1=enp3s0f1.7')).toEqual({
      node: 'client.1',
      ifname: 'enp3s0f1.7',
      namespace: '',
    });
  });

  test.each(['', 'a', 'a=', '=eth0', 'a=eth0@', 'a=eth0@b/c', 'a=eth0=x', 'a=a-name-of-16-chars', 'a=b c'])(
    '"%s" is none',
    (text) => {
      expect(() => parsePlacement(text)).toThrow(
        expect.objectContaining({ code: 'PLACEMENT_INVALID', blame: 'usage' }),
      );
    },
  );
});

test('the plan has one host, this machine, and every endpoint where it was placed', () => {
  const made = plan('server=eth1', 'client.1=eth0@bb', 'client.0=eth0@a');
  expect(made).toMatchObject({
    experiment: 'x',
    platform: 'site',
    place: 'interfaces of this machine',
    outlivesAgent: true,
    hosts: [{ name: 'host0', namespace: '', meshPort: 0 }],
  });
  expect(made.endpoints.map(({ host: _, ...endpoint }) => endpoint)).toEqual([
    {
      number: 0,
      name: 'client.0',
      namespace: 'a',
      interface: { name: 'eth0', index: 42 },
      address: '192.0.2.2',
      addresses: ['192.0.2.2', '2001:db8::2'],
    },
    {
      number: 1,
      name: 'client.1',
      namespace: 'bb',
      interface: { name: 'eth0', index: 43 },
      address: '192.0.2.3',
      addresses: ['192.0.2.3', '2001:db8::3'],
    },
    {
      number: 2,
      name: 'server.0',
      namespace: '',
      interface: { name: 'eth1', index: 41 },
      address: '192.0.2.1',
      addresses: ['192.0.2.1', '2001:db8::1'],
    },
  ]);
});

describe('is refused', () => {
  const rest = ['client.0=eth0@a', 'client.1=eth0@bb'];
  test.each([
    ['an endpoint without a place', rest, 'PLACEMENT_UNKNOWN', /server\.0 has no place/],
    ['several without', [rest[0]!], 'PLACEMENT_UNKNOWN', /client\.1, server\.0 have no place/],
    [
      'an endpoint in two places',
      [...rest, 'server=e@c', 'server.0=e@d'],
      'PLACEMENT_INVALID',
      /server\.0 is placed twice/,
    ],
    [
      'two endpoints in one namespace',
      [...rest, 'server=e@a'],
      'PLACEMENT_INVALID',
      /client\.0 and server\.0 are both in the namespace a/,
    ],
    ['a service with replicas', [...rest, 'client=e@c'], 'PLACEMENT_UNKNOWN', /"client" has 2 replicas/],
    ['a name that the topology lacks', [...rest, 'sever=e@c'], 'PLACEMENT_UNKNOWN', /no "sever"/],
    [
      'an interface that is not there',
      [...rest, 'server=eth9@c'],
      'INTERFACE_UNKNOWN',
      /"eth9" in the namespace c/,
    ],
    [
      'an interface without addresses',
      [...rest, 'server=bare0'],
      'ADDRESS_MISSING',
      /bare0 of server has no address/,
    ],
  ])('%s', (_, placements, code, message) => {
    expect(() => plan(...placements)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message),
        remedy: expect.stringMatching(/\S/),
      }),
    );
  });
});

describe('with other machines', () => {
  const listen = { address: '192.0.2.1', port: 5000 };

  test('only what is here has a place, under the numbers of the whole', () => {
    const made = planSite('x', NAMES, [parsePlacement('server=eth1')], survey, { host: 'here', listen });
    expect(made.endpoints.map(({ number, name }) => [number, name])).toEqual([[2, 'server.0']]);
    expect(made.hosts).toMatchObject([{ name: 'here', address: '192.0.2.1', meshPort: 5000 }]);
  });

  test('two interfaces of one namespace are two endpoints, and one is one', () => {
    const both = ['client.0=eth0', 'client.1=eth1'].map(parsePlacement);
    const { endpoints } = planSite('x', NAMES, both, survey, { listen });
    expect(endpoints.map(({ name, interface: { name: ifname } }) => [name, ifname])).toEqual([
      ['client.0', 'eth0'],
      ['client.1', 'eth1'],
    ]);
    const twice = ['client.0=eth0', 'client.1=eth0'].map(parsePlacement);
    expect(() => planSite('x', NAMES, twice, survey, { listen })).toThrow(/both in this namespace \(eth0\)/);
  });

  test('what is placed has to exist all the same', () => {
    expect(() => planSite('x', NAMES, [parsePlacement('printer=eth1')], survey, { listen })).toThrow(
      expect.objectContaining({ code: 'PLACEMENT_UNKNOWN' }),
    );
  });
});
