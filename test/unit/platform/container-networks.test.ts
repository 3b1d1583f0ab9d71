import { describe, expect, test } from 'vitest';
import type { Inspected } from '../../../controller/platform/containers/containers.ts';
import { chooseNetwork, isRange, sharedNetworks } from '../../../controller/platform/containers/networks.ts';
import { parseSandbox, sandboxName } from '../../../controller/platform/containers/sandbox.ts';

const container = (networks: Record<string, string[]>, networkMode = 'bridge'): Inspected => ({
  ...{ id: 'x', name: 'web', namespacePath: '/proc/1/ns/net', networks, networkMode },
});
const NONE: ReadonlySet<string> = new Set();

describe('the network of a container', () => {
  const both = container({ net: ['10.77.0.2', 'fd77::2'], other: ['10.78.0.2'], empty: [] });

  test('is the only one with an address', () => {
    const only = container({ net: ['10.77.0.2'], empty: [] });
    expect(chooseNetwork(only, undefined, NONE)).toEqual({ network: 'net', addresses: ['10.77.0.2'] });
  });

  test.each(['net', '10.77.0.0/16', 'fd77::/64', '10.77.0.2/32'])('is %s', (wanted) => {
    expect(chooseNetwork(both, wanted, NONE)).toEqual({
      network: 'net',
      addresses: ['10.77.0.2', 'fd77::2'],
    });
  });

  test('is the one that all share', () => {
    const shared = sharedNetworks([both, container({ net: ['10.77.0.3'] }), both]);
    expect([...shared]).toEqual(['net']);
    expect(chooseNetwork(both, undefined, shared).network).toBe('net');
  });

  test.each<[Inspected, string | undefined, string]>([
    [both, undefined, 'CONTAINER_NETWORKS'],
    [both, '10.0.0.0/8', 'CONTAINER_NETWORKS'],
    [both, 'empty', 'CONTAINER_NETWORKS'],
    [both, '10.99.0.0/16', 'CONTAINER_NETWORKS'],
    [container({}, 'none'), undefined, 'CONTAINER_WITHOUT_NETWORK'],
    [container({}, 'container:123'), undefined, 'CONTAINER_WITHOUT_NETWORK'],
    [container({ host: [] }, 'host'), undefined, 'CONTAINER_ON_HOST'],
    [{ ...container({}, 'host'), isPod: true }, undefined, 'CONTAINER_ON_HOST'],
    [{ ...container({ pod: [] }, 'pod'), isPod: true }, undefined, 'CONTAINER_WITHOUT_NETWORK'],
  ])('%o as %s: %s', (one, wanted, code) => {
    expect(() => chooseNetwork(one, wanted, NONE)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    ['10.0.0.0/8', true],
    ['fd00::/8', true],
    ['10.0.0.0/33', false],
    ['10.0.0.0', false],
    ['net/8', false],
  ])('%s is a range: %s', (text, expected) => {
    expect(isRange(text)).toBe(expected);
  });
});

test('the name of a sandbox says whose it is', () => {
  const sandbox = {
    ...({ platform: 'docker', experiment: 'my_x-1', endpoint: 'web.10' } as const),
    ...{ container: '0123456789ab', inode: 4026532000 },
  };
  expect(sandboxName(sandbox)).toBe('netfold-docker+my_x-1+web.10+0123456789ab+4026532000');
  expect(parseSandbox(sandboxName(sandbox))).toEqual(sandbox);
  const ofPod = { ...sandbox, platform: 'cri' } as const;
  expect(parseSandbox(sandboxName(ofPod))).toEqual(ofPod);
  expect(parseSandbox('netfold.x.web.0')).toBeUndefined();
  expect(parseSandbox('netfold-docker')).toBeUndefined();
});
