import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endpointEnvironment, inheritedEnvironment } from '../../../agent/endpoints/environment.ts';

test('a command knows its node, service, replica and an address of each family', () => {
  const addresses = ['10.2.0.7', 'fd6e:6574:666f:2::7'];
  expect(endpointEnvironment({ name: 'web-2.13', addresses })).toEqual({
    NETFOLD_NODE: 'web-2.13',
    NETFOLD_SERVICE: 'web-2',
    NETFOLD_REPLICA: '13',
    NETFOLD_ADDRESS: '10.2.0.7',
    NETFOLD_ADDRESS6: 'fd6e:6574:666f:2::7',
  });
  expect(endpointEnvironment({ name: 'a.0', addresses: addresses.toReversed() })).toMatchObject({
    NETFOLD_ADDRESS: '10.2.0.7',
    NETFOLD_ADDRESS6: 'fd6e:6574:666f:2::7',
  });
});

test('it knows its folder, if there is one', () => {
  const endpoint = { name: 'a.0', addresses: ['10.2.0.7'] };
  expect(endpointEnvironment(endpoint, '/run/x/a.0').NETFOLD_DATA).toBe('/run/x/a.0');
  expect(endpointEnvironment(endpoint)).not.toHaveProperty('NETFOLD_DATA');
});

test('an address that it does not have is empty', () => {
  expect(endpointEnvironment({ name: 'a.0', addresses: ['10.2.0.7'] }).NETFOLD_ADDRESS6).toBe('');
  expect(endpointEnvironment({ name: 'a.0', addresses: ['fd00::7'] }).NETFOLD_ADDRESS).toBe('');
});

test("keeps Node's cache of netfold itself from applications, and leaves them a cache of the user's", () => {
  const own = join(import.meta.dirname, '../../../node_modules/.cache/netfold-compiled');
  for (const cache of [own, '/var/cache/netfold-compiled'])
    expect(
      inheritedEnvironment({ PATH: '/bin', NODE_COMPILE_CACHE: cache, NODE_COMPILE_CACHE_PORTABLE: '1' }),
    ).toEqual({ PATH: '/bin' });
  expect(inheritedEnvironment({ PATH: '/bin' })).toEqual({ PATH: '/bin' });
  const users = { PATH: '/bin', NODE_COMPILE_CACHE: '/home/x/cache' };
  expect(inheritedEnvironment(users)).toEqual(users);
});
