import { describe, expect, test } from 'vitest';
import type { AgentOrder, Wanted } from '../../../controller/platform/port/platform.ts';
import { openPlatform, PLATFORM_NAMES, platformsFor } from '../../../controller/platform/registry.ts';
import { loadTopology } from '../../../topology/load.ts';
import { FakePlatform, failingAt, METHODS, PlatformFailure } from '../../support/fakes/fake-platform.ts';
import { platformContract } from '../../support/fakes/platform-contract.ts';

const TEXT = 'services: { a: {}, b: {}, c: {} }\nlinks: [{ from: a, to: b, latency: 1ms }]';
const { topology } = loadTopology(TEXT, 'x.yaml');
const remains = { experiment: 'x', endpoints: [], agents: () => [] };
const wanted: Wanted = { experiment: 'x', topology, endpoints: ['a.0', 'b.0', 'c.0'], options: {} };

describe('the fake of a platform', () =>
  platformContract(() => {
    const platform = new FakePlatform();
    return {
      platform,
      wanted,
      logFolder: '/tmp',
      traces: () => platform.toString(),
      shape: ({ endpoints }) => platform.mark(endpoints[0]!.namespace),
      isOwn: () => true,
      spoil: (plan) =>
        plan.endpoints.map((one) => [
          `${one.name} twice`,
          { ...plan, endpoints: [...plan.endpoints, { ...one, name: 'again' }] },
        ]),
      close: () => {},
    };
  }));

const ORDER: AgentOrder = {
  ...{ words: [], socket: 's', log: '', adopt: true },
  door: {
    endpoints: () => [],
    attach: () => Promise.resolve(),
    detach: () => Promise.resolve(),
    elsewhere: () => Promise.resolve(new Set()),
    tell: () => Promise.resolve(),
  },
};

describe('a platform that fails', () => {
  test.each(METHODS)('at %s, fails once and before it has done anything, or when it has', async (method) => {
    const fake = new FakePlatform();
    const made = fake.plan(wanted);
    for (const when of ['before', 'after'] as const) {
      const failing = failingAt(fake, method, when);
      const calls = {
        plan: () => failing.plan(wanted),
        make: () => failing.make(made, {}),
        startAgent: () => failing.startAgent(made.hosts[0]!, ORDER),
        exec: () => failing.exec(made.endpoints[0]!, ['true']),
        remove: () => failing.remove(remains),
        findLeftovers: () => failing.findLeftovers('machine'),
      };
      if (method === 'startAgent') await fake.make(made, {});
      const had = fake.toString();
      await expect((async () => calls[method]())()).rejects.toBeInstanceOf(PlatformFailure);
      if (when === 'before') expect(fake.toString()).toBe(had);
      await fake.remove(remains);
      expect(fake.toString()).toBe('');
    }
  });
});

describe('the registry', () => {
  test.each(PLATFORM_NAMES.map((name) => [name]))('%s is the name that its platform has', async (name) => {
    const platform = await openPlatform(name);
    expect(platform.name).toBe(name);
    expect(
      Object.keys(platform)
        .filter((key) => key !== 'contained')
        .sort(),
    ).toEqual([...METHODS, 'name', 'runsImages'].sort());
  });

  test.each(['docker2', '', 'toString', '__proto__'])('"%s" is no platform', async (name) => {
    await expect(openPlatform(name)).rejects.toMatchObject({
      code: 'PLATFORM_UNKNOWN',
      message: `there is no platform "${name}"`,
      remedy: expect.stringContaining('lab site docker'),
    });
  });

  test('all are asked where nobody can tell which one it is', async () => {
    const names = async (name: string | undefined) => (await platformsFor(name)).map((one) => one.name);
    expect(await names('site')).toEqual(['site']);
    expect(await names(undefined)).toEqual(PLATFORM_NAMES);
    expect(await names('of-another-version')).toEqual(PLATFORM_NAMES);
  });
});
