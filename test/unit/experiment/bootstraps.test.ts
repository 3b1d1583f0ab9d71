import { describe, expect, test } from 'vitest';
import { makeBootstraps, parseBootstrap } from '../../../controller/experiment/bootstraps.ts';
import { lab as labPlatform } from '../../../controller/platform/lab/lab.ts';
import { type LabPlan, planLab } from '../../../controller/platform/lab/lab-plan.ts';
import type { Plan } from '../../../controller/platform/port/plan.ts';
import { site as sitePlatform } from '../../../controller/platform/site/site.ts';
import { parsePlacement, planSite } from '../../../controller/platform/site/site-plan.ts';
import { bootstrapSchema, topologyHash } from '../../../proto/bootstrap.ts';

const topology = { file: 'x.yaml', text: 'services: {}' };
const settings = { delayBackend: 'delay-line', logFolder: '/logs', leaseMs: 2000, partial: true } as const;
const link = { mtu: 1500, txQueueLength: 1000, txQueues: 1, gsoMaxSegments: 1, gsoSegmentsByDefault: 1 };
const lab = planLab('x', ['a.0', 'b.0', 'c.0'], 2);
const site = planSite(
  'x',
  ['a.0', 'b.0', 'c.0'],
  ['c=eth3', 'a=eth1@web'].map(parsePlacement),
  ({ ifname }) => ({
    link: { ...link, ifname, ifindex: Number(ifname.at(-1)) },
    addresses: ['2001:db8::9', `192.0.2.${ifname.at(-1)}`],
  }),
  { host: 'here', listen: { address: '2001:db8::1', port: 4700 } },
);

describe('the bootstraps of agents', () => {
  const security = { key: 'k', assignment: { 'b.0': 'host1' } };
  const made = makeBootstraps(lab, topology, settings, security);

  test('each its own endpoints and all the same topology and settings', () => {
    expect([...made.values()].map(({ endpoints }) => endpoints.map(({ name }) => name))).toEqual([
      ['a.0', 'c.0'],
      ['b.0'],
    ]);
    for (const bootstrap of made.values()) {
      expect(bootstrap).toMatchObject({
        ...settings,
        topology: { ...topology, hash: topologyHash(topology) },
        mesh: security,
      });
      expect(bootstrapSchema.parse(bootstrap)).toEqual(bootstrap);
    }
  });

  test('another identity than the one that goes with the experiment, and where else it is reached', () => {
    const own = {
      key: 'k',
      identity: '/var/lib/id',
      announce: ['/ip4/203.0.113.7/tcp/1'],
      allow: [{ peer: 'p' }],
    };
    expect(makeBootstraps(site, topology, settings, own).get('here')!.mesh).toMatchObject(own);
    expect(made.get('host1')!.mesh.identity).toBe('/run/netfold/x/identity/host1');
  });

  test('where it listens, and where the others do', () => {
    expect(made.get('host1')!.mesh).toMatchObject({
      listen: ['/ip4/100.64.0.2/tcp/4646'],
      peers: ['/ip4/100.64.0.1/tcp/4646'],
    });
    expect(makeBootstraps(site, topology, settings).get('here')!.mesh).toEqual({
      listen: ['/ip6/2001:db8::1/tcp/4700'],
      peers: [],
    });
  });
});

describe('the plan of a running experiment', () => {
  const withoutNetworks = ({ hosts, endpoints, ...rest }: LabPlan): LabPlan => ({
    ...rest,
    hosts: hosts.map((host) => ({ ...host, networks: [] })),
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, host: { ...endpoint.host, networks: [] } })),
  });
  const standing = (plan: Plan) => ({ experiment: 'x', standing: makeBootstraps(plan, topology, settings) });

  test('follows from the bootstraps of agents, for a lab', async () => {
    expect(await labPlatform.plan(standing(lab))).toEqual(withoutNetworks(lab));
  });

  test('follows from the bootstraps of agents, for interfaces of this machine', async () => {
    expect(await sitePlatform.plan(standing(site))).toEqual(site);
  });

  test.each([
    [lab, 'lab'],
    [site, 'site'],
  ])('tells the platform to a controller that comes later', (plan, platform) => {
    const told = [...makeBootstraps(plan, topology, settings).values()];
    expect(told.map((one) => one.platform)).toEqual(told.map(() => platform));
  });

  test.each([
    [lab, false, 'lab'],
    [site, true, 'site'],
  ])('also from what an older version has told them', (plan, existing, platform) => {
    for (const bootstrap of makeBootstraps(plan, topology, settings).values()) {
      const { platform: _, ...rest } = bootstrap;
      const endpoints = rest.endpoints.map(({ outlivesAgent: __, ...one }) => ({ ...one, existing }));
      const read = parseBootstrap(JSON.parse(JSON.stringify({ ...rest, endpoints })));
      expect(read).toEqual({ ...bootstrap, platform });
    }
  });
});
