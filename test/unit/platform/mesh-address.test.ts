import { describe, expect, test } from 'vitest';
import {
  ANY_ADDRESS,
  listenAt,
  parseListen,
  parsePeer,
  reachableAt,
} from '../../../controller/mesh-address.ts';

describe('where an agent listens', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7', 4646],
    ['192.0.2.7:5000', '192.0.2.7', 5000],
    ['2001:db8::7', '2001:db8::7', 4646],
    ['[2001:db8::7]:5000', '2001:db8::7', 5000],
  ])('%s', (text, address, port) => {
    expect(parseListen(text)).toEqual({ address, port });
  });

  test.each(['', 'eth0', '192.0.2', '192.0.2.7:', '192.0.2.7:0', '192.0.2.7:65536', '[192.0.2.7', '::1:x'])(
    '"%s" is no such place',
    (text) => {
      expect(() => parseListen(text)).toThrow(/write ADDRESS/);
    },
  );
});

describe('an agent to join through', () => {
  test.each([
    ['192.0.2.7', '/ip4/192.0.2.7/tcp/4646'],
    ['[2001:db8::7]:5000', '/ip6/2001:db8::7/tcp/5000'],
    ['gate.example.org:5000', '/dns/gate.example.org/tcp/5000'],
    ['/ip4/192.0.2.7/tcp/1/p2p/X', '/ip4/192.0.2.7/tcp/1/p2p/X'],
  ])('%s', (text, multiaddr) => {
    expect(parsePeer(text)).toBe(multiaddr);
  });

  test.each([
    '',
    'a b',
    '-x',
    '192.0.2.7:99999',
    '/x',
    '/ip4/192.0.2.7',
    '/ip4/192.0.2.7/udp/1',
    '/ip4//tcp/1',
  ])('"%s" is none', (text) => {
    expect(() => parsePeer(text)).toThrow(/multiaddr/);
  });
});

describe('where others reach it', () => {
  const own = ['192.0.2.7', '198.51.100.9', '2001:db8::7'];

  test('at the one address, whatever others there are', () => {
    expect(reachableAt({ address: '198.51.100.9', port: 5000 }, own)).toEqual(['/ip4/198.51.100.9/tcp/5000']);
  });

  test('at every address of the family', () => {
    expect(reachableAt({ address: '0.0.0.0', port: 4646 }, own)).toEqual([
      '/ip4/192.0.2.7/tcp/4646',
      '/ip4/198.51.100.9/tcp/4646',
    ]);
    expect(reachableAt({ address: '::', port: 1 }, own)).toEqual(['/ip6/2001:db8::7/tcp/1']);
    expect(reachableAt(ANY_ADDRESS, own)).toHaveLength(3);
  });

  test('it listens in the families that the machine has', () => {
    const [four, six] = ['/ip4/0.0.0.0/tcp/4646', '/ip6/::/tcp/4646'];
    expect(listenAt(ANY_ADDRESS, own)).toEqual([four, six]);
    expect(listenAt(ANY_ADDRESS, ['192.0.2.7'])).toEqual([four]);
    expect(listenAt(ANY_ADDRESS, ['2001:db8::7'])).toEqual([six]);
    expect(listenAt(ANY_ADDRESS, [])).toEqual([four]);
    expect(listenAt({ address: '2001:db8::7', port: 1 }, own)).toEqual(['/ip6/2001:db8::7/tcp/1']);
  });
});
