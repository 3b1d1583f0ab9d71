/** Addresses of peers. */
import { expect, test } from 'vitest';
import { directIpv4 } from '../../../../agent/mesh/libp2p/peer-addresses.ts';

test.each([
  ['/ip4/192.0.2.7/tcp/4646', '192.0.2.7'],
  ['/ip4/192.0.2.7/tcp/4646/p2p/12D3KooW', '192.0.2.7'],
  ['/ip6/2001:db8::7/tcp/4646', undefined],
  ['/ip4/192.0.2.7/tcp/4646/p2p/12D3KooW/p2p-circuit/p2p/12D3KooX', undefined],
  ['/dns4/host.example/tcp/4646', undefined],
])('%s: %s', (address, expected) => {
  expect(directIpv4(address)).toBe(expected);
});
