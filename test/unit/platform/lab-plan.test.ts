import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressBytes, addressKey } from '../../../agent/kernel/netlink/addresses.ts';
import { placementOf } from '../../../controller/cli/options/placement-options.ts';
import { byTraffic } from '../../../controller/platform/lab/by-traffic.ts';
import { familiesOf } from '../../../controller/platform/lab/ip-choice.ts';
import {
  hostsFileText,
  type LabEndpoint,
  type LabHost,
  MAX_HOSTS,
  macOf,
  planLab,
} from '../../../controller/platform/lab/lab-plan.ts';
import { parsePlacement } from '../../../controller/platform/site/site-plan.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import { loadTopology } from '../../../topology/load.ts';

const NAMES = ['client.0', 'client.1', 'client.2', 'server.0', 'server.1'];

test('endpoints are spread over the hosts in turn, with addresses in the networks of their host', () => {
  const { experiment, ipv6, hosts, endpoints } = planLab('x', NAMES, 2);
  expect({ experiment, ipv6 }).toEqual({ experiment: 'x', ipv6: true });
  expect(hosts).toEqual([
    {
      index: 0,
      name: 'host0',
      namespace: 'netfold.x+host0',
      address: '100.64.0.1',
      meshPort: 4646,
      networks: [
        { prefix: '10.1.0.0', length: 16, gateway: '100.64.0.1' },
        { prefix: 'fd6e:6574:666f:1::', length: 64, gateway: 'fe80::1' },
      ],
    },
    {
      index: 1,
      name: 'host1',
      namespace: 'netfold.x+host1',
      address: '100.64.0.2',
      meshPort: 4646,
      networks: [
        { prefix: '10.2.0.0', length: 16, gateway: '100.64.0.2' },
        { prefix: 'fd6e:6574:666f:2::', length: 64, gateway: 'fe80::1' },
      ],
    },
  ]);
  expect(endpoints).toEqual([
    planned(0, 'client.0', '10.1.0.1', 'fd6e:6574:666f:1::1', hosts[0]),
    planned(1, 'client.1', '10.2.0.1', 'fd6e:6574:666f:2::1', hosts[1]),
    planned(2, 'client.2', '10.1.0.2', 'fd6e:6574:666f:1::2', hosts[0]),
    planned(3, 'server.0', '10.2.0.2', 'fd6e:6574:666f:2::2', hosts[1]),
    planned(4, 'server.1', '10.1.0.3', 'fd6e:6574:666f:1::3', hosts[0]),
  ]);
});

function planned(number: number, name: string, address: string, address6: string, host: unknown): unknown {
  const place = { namespace: `netfold.x.${name}`, interface: { name: 'eth0', index: 2 } };
  return { number, name, ...place, address, addresses: [address, address6], host };
}

test('without IPv6 there is one network and one address, the same as with it', () => {
  const dual = planLab('x', NAMES, 2);
  const { ipv6, hosts, endpoints } = planLab('x', NAMES, 2, { ipv6: false });
  expect(ipv6).toBe(false);
  expect(hosts.map(({ networks }) => networks)).toEqual(dual.hosts.map(({ networks }) => [networks[0]]));
  expect(endpoints.map(({ addresses }) => addresses)).toEqual(dual.endpoints.map(({ address }) => [address]));
  expect(
    hostsFileText(planLab('x', ['a.0'], 1, { ipv6: false }))
      .split('\n')
      .slice(0, 2),
  ).toEqual(['127.0.0.1\tlocalhost', '10.1.0.1\ta.0 a']);
});

test('without IPv4 there is one network and one address, the same as with it; hosts keep IPv4', () => {
  const dual = planLab('x', NAMES, 2);
  const { ipv4, ipv6, hosts, endpoints } = planLab('x', NAMES, 2, { ipv4: false });
  expect({ ipv4, ipv6 }).toEqual({ ipv4: false, ipv6: true });
  expect(hosts.map(({ address }) => address)).toEqual(dual.hosts.map(({ address }) => address));
  expect(hosts.map(({ networks }) => networks)).toEqual(dual.hosts.map(({ networks }) => [networks[1]]));
  const sixth = dual.endpoints.map(({ addresses }) => addresses[1]);
  expect(endpoints.map(({ address }) => address)).toEqual(sixth);
  expect(endpoints.map(({ addresses }) => addresses)).toEqual(sixth.map((address) => [address]));
  expect(hostsFileText(planLab('x', ['a.0'], 1, { ipv4: false }))).toBe(
    '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfd6e:6574:666f:1::1\ta.0 a\n',
  );
});

test.each([
  [undefined, true, { ipv4: true, ipv6: true }],
  [undefined, false, { ipv4: true, ipv6: false }],
  ['4', true, { ipv4: true, ipv6: false }],
  ['4', false, { ipv4: true, ipv6: false }],
  ['6', true, { ipv4: false, ipv6: true }],
  ['both', true, { ipv4: true, ipv6: true }],
] as const)('--ip %s on a kernel with IPv6 or not (%s)', (ip, hasIpv6, families) => {
  expect(familiesOf(ip, hasIpv6)).toEqual(families);
});

test.each(['6', 'both'] as const)('--ip %s on a kernel without IPv6 is refused', (ip) => {
  expect(() => familiesOf(ip, false)).toThrow(
    expect.objectContaining({ code: 'IPV6_MISSING', message: `--ip ${ip}: this kernel has no IPv6` }),
  );
});

test('endpoints on given hosts have the addresses of these, one after the other', () => {
  const { endpoints } = planLab('x', NAMES, 3, { hostOf: Int32Array.of(2, 2, 0, 2, 0) });
  expect(endpoints.map(({ host, address }) => `${host.name} ${address}`)).toEqual([
    'host2 10.3.0.1',
    'host2 10.3.0.2',
    'host0 10.1.0.1',
    'host2 10.3.0.3',
    'host0 10.1.0.2',
  ]);
});

test('by traffic, endpoints behind the same slow link are on the same host', () => {
  const text = `services: { a: { replicas: 3 }, b: { replicas: 3 } }
bridges: [s, t]
links:
  - { from: a, to: s, bandwidth: 100Mbps }
  - { from: b, to: t, bandwidth: 100Mbps }
  - { from: s, to: t, bandwidth: 1Mbps }`;
  const hostOf = byTraffic(loadTopology(text, 'x.yaml').topology, 2)!;
  expect([...new Set(hostOf.slice(0, 3))]).toHaveLength(1);
  expect([...new Set(hostOf.slice(3))]).toHaveLength(1);
  expect(hostOf[0]).not.toBe(hostOf[3]);
  expect(byTraffic(loadTopology(text, 'x.yaml').topology, 0)).toBeUndefined();
  expect(byTraffic(loadTopology(text, 'x.yaml').topology, MAX_HOSTS + 1)).toBeUndefined();
});

test('only a lab is spread by traffic; by default there is no choice among its options', () => {
  const flags = { hosts: 2, at: [] };
  expect(placementOf(flags).placement).toEqual({ hosts: 2 });
  expect(placementOf({ ...flags, placement: 'traffic' }).placement).toEqual({ hosts: 2, spread: 'traffic' });
  const at = [parsePlacement('client=eth0')];
  expect(() => placementOf({ hosts: 1, at, placement: 'turns' })).toThrow('--placement is for a lab');
});

test('hosts may have no endpoints', () => {
  const { hosts, endpoints } = planLab('x', ['a.0'], 3);
  expect(hosts.map(({ name }) => name)).toEqual(['host0', 'host1', 'host2']);
  expect(endpoints.map(({ host }) => host.name)).toEqual(['host0']);
});

test('no two things have the same address or namespace, also in a large lab', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: MAX_HOSTS }), fc.nat(3000), (hostCount, endpointCount) => {
      const names = Array.from({ length: endpointCount }, (_, index) => `s.${index}`);
      const { hosts, endpoints } = planLab('x', names, hostCount);
      const all = [...hosts, ...endpoints];
      expect(new Set(all.map(({ namespace }) => namespace)).size).toBe(all.length);
      const addresses = [
        ...hosts.map(({ address }) => address),
        ...endpoints.flatMap((endpoint) => endpoint.addresses),
      ];
      const keys = new Set(addresses.map((address) => addressKey(addressBytes(address))));
      expect(keys.size).toBe(hosts.length + 2 * endpoints.length);
      const strays = endpoints.filter((endpoint) => networksOf(endpoint).join() !== '0,1');
      expect(strays).toEqual([]);
    }),
    { seed: 17, numRuns: 15 },
  );
});

/** The networks of its host that its first, second … address lies in. */
function networksOf({ addresses, host }: LabEndpoint): number[] {
  const networks = listsOf(host);
  return addresses.map((address) => {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    return networks.findIndex((list) => list[family].check(address, family));
  });
}

const lists = new WeakMap<LabHost, readonly Record<'ipv4' | 'ipv6', BlockList>[]>();

/** Of each network of a host; making one takes longer than asking it. */
function listsOf(host: LabHost): readonly Record<'ipv4' | 'ipv6', BlockList>[] {
  const known = lists.get(host);
  if (known) return known;
  const made = host.networks.map(({ prefix, length }) => {
    const both = { ipv4: new BlockList(), ipv6: new BlockList() };
    const family = isIP(prefix) === 6 ? 'ipv6' : 'ipv4';
    both[family].addSubnet(prefix, length, family);
    return both;
  });
  lists.set(host, made);
  return made;
}

describe('the plan of 2,668 endpoints', () => {
  const names = Array.from({ length: 2668 }, (_, index) => `s${index % 4}.${index >> 2}`);

  test('on four hosts gives each 667, each with its own number as port and hardware address', () => {
    const { hosts, endpoints } = planLab('x', names, 4);
    expect(hosts.map((host) => endpoints.filter((one) => one.host === host).length)).toEqual([
      667, 667, 667, 667,
    ]);
    expect(endpoints.at(-1)).toMatchObject({
      number: 2667,
      name: 's3.666',
      namespace: 'netfold.x.s3.666',
      addresses: ['10.4.2.155', 'fd6e:6574:666f:4::29b'],
    });
    expect(new Set(endpoints.map(({ number }) => macOf('endpoint', number).join(':'))).size).toBe(2668);
  });

  test('on one host has all of them in its one network', () => {
    const { endpoints } = planLab('x', names, 1);
    expect(endpoints.at(-1)!.addresses).toEqual(['10.1.10.108', 'fd6e:6574:666f:1::a6c']);
  });

  test('has a hosts file with a line for each address, short enough to be read for every name', () => {
    const text = hostsFileText(planLab('x', names, 4));
    expect(text.split('\n')).toHaveLength(2 + 2 * 2668 + 1);
    expect(text.length).toBeLessThan(250_000);
  });
});

describe('limits', () => {
  const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `s.${index}`);

  test('the last endpoint that fits a host has an address that can be one', () => {
    const { endpoints } = planLab('x', names(65_000), 1);
    expect(endpoints.at(-1)!.addresses).toEqual(['10.1.253.232', 'fd6e:6574:666f:1::fde8']);
    expect(endpoints[254]!.addresses).toEqual(['10.1.0.255', 'fd6e:6574:666f:1::ff']);
    expect(endpoints[255]!.addresses).toEqual(['10.1.1.0', 'fd6e:6574:666f:1::100']);
  });

  test('the last host has one too', () => {
    const { hosts, endpoints } = planLab('x', names(300), MAX_HOSTS);
    expect(hosts.at(-1)!.address).toBe('100.64.0.254');
    expect(endpoints[253]!.addresses).toEqual(['10.254.0.1', 'fd6e:6574:666f:fe::1']);
    expect(endpoints[254]!.addresses).toEqual(['10.1.0.2', 'fd6e:6574:666f:1::2']);
  });

  test.each([
    [65_001, 1, /65001 endpoints.*1 hosts/, /at most 65000/],
    [3, 0, /--hosts 0/, /in this range/],
    [3, 255, /--hosts 255: .*1 to 254/, /in this range/],
    [3, 1.5, /--hosts 1.5/, /in this range/],
    [3, Number.NaN, /--hosts NaN/, /in this range/],
  ])('%d endpoints on %d hosts are refused', (endpointCount, hostCount, message, remedy) => {
    let error: unknown;
    try {
      planLab('x', names(endpointCount), hostCount);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(NetfoldError);
    expect(error).toMatchObject({ code: 'LAB_LIMIT', blame: 'input' });
    expect((error as NetfoldError).message).toMatch(message);
    expect((error as NetfoldError).remedy).toMatch(remedy);
  });
});

describe('hardware addresses', () => {
  test('are written by kind and number', () => {
    expect(Buffer.from(macOf('endpoint', 0x010203)).toString('hex')).toBe('021000010203');
    expect(Buffer.from(macOf('host', 5)).toString('hex')).toBe('022000000005');
    expect(Buffer.from(macOf('fabric', 253)).toString('hex')).toBe('0230000000fd');
  });

  test('are unicast, locally administered, and different for all', () => {
    const all = (['endpoint', 'host', 'fabric'] as const).flatMap((kind) =>
      [0, 1, 255, 256, 65_534].map((number) => macOf(kind, number)),
    );
    expect(new Set(all.map((mac) => mac.join(':'))).size).toBe(15);
    for (const [first] of all) expect(first! & 3).toBe(2);
  });
});

test('the hosts file has every endpoint by both addresses, and every service as all of its replicas', () => {
  expect(hostsFileText(planLab('x', NAMES, 2))).toBe(
    `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
10.1.0.1\tclient.0 client
fd6e:6574:666f:1::1\tclient.0 client
10.2.0.1\tclient.1 client
fd6e:6574:666f:2::1\tclient.1 client
10.1.0.2\tclient.2 client
fd6e:6574:666f:1::2\tclient.2 client
10.2.0.2\tserver.0 server
fd6e:6574:666f:2::2\tserver.0 server
10.1.0.3\tserver.1 server
fd6e:6574:666f:1::3\tserver.1 server
`,
  );
});
