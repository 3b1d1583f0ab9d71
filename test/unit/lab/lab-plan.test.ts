import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostsFileText, MAX_HOSTS, macOf, planLab } from '../../../controller/lab/lab-plan.ts';
import { NetfoldError } from '../../../proto/errors.ts';

const NAMES = ['client.0', 'client.1', 'client.2', 'server.0', 'server.1'];

test('endpoints are spread over the hosts in turn, with an address in the network of their host', () => {
  const { experiment, hosts, endpoints } = planLab('x', NAMES, 2);
  expect(experiment).toBe('x');
  expect(hosts).toEqual([
    { index: 0, name: 'host0', namespace: 'netfold.x+host0', address: '100.64.0.1' },
    { index: 1, name: 'host1', namespace: 'netfold.x+host1', address: '100.64.0.2' },
  ]);
  expect(endpoints).toEqual([
    { number: 0, name: 'client.0', namespace: 'netfold.x.client.0', address: '10.1.0.1', host: hosts[0] },
    { number: 1, name: 'client.1', namespace: 'netfold.x.client.1', address: '10.2.0.1', host: hosts[1] },
    { number: 2, name: 'client.2', namespace: 'netfold.x.client.2', address: '10.1.0.2', host: hosts[0] },
    { number: 3, name: 'server.0', namespace: 'netfold.x.server.0', address: '10.2.0.2', host: hosts[1] },
    { number: 4, name: 'server.1', namespace: 'netfold.x.server.1', address: '10.1.0.3', host: hosts[0] },
  ]);
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
      expect(new Set(all.map(({ address }) => address)).size).toBe(all.length);
      expect(new Set(all.map(({ namespace }) => namespace)).size).toBe(all.length);
      for (const { address, host } of endpoints)
        expect(address.startsWith(`10.${host.index + 1}.`)).toBe(true);
    }),
    { seed: 17, numRuns: 30 },
  );
});

describe('limits', () => {
  const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `s.${index}`);

  test('the last endpoint that fits a host has an address that can be one', () => {
    const { endpoints } = planLab('x', names(65_000), 1);
    expect(endpoints.at(-1)!.address).toBe('10.1.253.232');
    expect(endpoints[254]!.address).toBe('10.1.0.255');
    expect(endpoints[255]!.address).toBe('10.1.1.0');
  });

  test('the last host has one too', () => {
    const { hosts, endpoints } = planLab('x', names(300), MAX_HOSTS);
    expect(hosts.at(-1)!.address).toBe('100.64.0.254');
    expect(endpoints[253]!.address).toBe('10.254.0.1');
    expect(endpoints[254]!.address).toBe('10.1.0.2');
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

test('the hosts file has every endpoint, and every service as all of its replicas', () => {
  expect(hostsFileText(planLab('x', NAMES, 2))).toBe(
    `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
10.1.0.1\tclient.0 client
10.2.0.1\tclient.1 client
10.1.0.2\tclient.2 client
10.2.0.2\tserver.0 server
10.1.0.3\tserver.1 server
`,
  );
});
