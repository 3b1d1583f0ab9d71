/** What is known of the mesh's connections. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { GIVE_UP_AFTER_MS, MeshSockets, withoutPeer } from '../../../../agent/mesh/libp2p/mesh-sockets.ts';

/** A connection of descriptor `fd`, which can be closed. */
const socketOf = (fd: number | undefined): Socket =>
  Object.assign(new EventEmitter(), { _handle: fd === undefined ? null : { fd } }) as unknown as Socket;

function lab() {
  const facts = new Map([
    [5, { shortestMicros: 900 as number | undefined, sentBytes: 1000, segments: 10, lostSegments: 1 }],
    [6, { shortestMicros: 700, sentBytes: 20, segments: 5, lostSegments: 2 }],
    [7, { shortestMicros: undefined, sentBytes: 3, segments: 0, lostSegments: 0 }],
  ]);
  const givenUp: [number, number][] = [];
  const sockets = new MeshSockets({
    readTcp: (fd) => {
      const found = facts.get(fd);
      if (!found) throw new Error('EBADF');
      return found;
    },
    giveUpAfter: (fd, ms) => givenUp.push([fd, ms]),
  });
  return { facts, givenUp, sockets };
}

test('the shortest round trip over all connections to one address', () => {
  const { sockets } = lab();
  for (const fd of [5, 6, 7])
    sockets.add(socketOf(fd), fd === 7 ? '/ip4/1.1.1.1/tcp/2' : '/ip4/1.1.1.1/tcp/1');
  expect(sockets.segments('/ip4/1.1.1.1/tcp/1').shortestMicros).toBe(700);
  expect(sockets.segments('/ip4/1.1.1.1/tcp/2').shortestMicros).toBeUndefined();
  expect(sockets.segments('/ip4/9.9.9.9/tcp/1').shortestMicros).toBeUndefined();
});

test('segments of all connections to one address, and how many were lost', () => {
  const { sockets } = lab();
  for (const fd of [5, 6, 7]) sockets.add(socketOf(fd), fd === 7 ? 'other' : 'x');
  expect(sockets.segments('x')).toMatchObject({ sent: 15, lost: 3 });
  expect(sockets.segments('nobody')).toMatchObject({ sent: 0, lost: 0 });
});

test('connections give up what is not acknowledged', () => {
  const { sockets, givenUp } = lab();
  sockets.add(socketOf(6), 'x');
  expect(givenUp).toEqual([[6, GIVE_UP_AFTER_MS]]);
});

test('bytes of connections that are closed stay counted', () => {
  const { sockets, facts } = lab();
  const first = socketOf(5);
  sockets.add(first, 'x');
  sockets.add(socketOf(6), 'y');
  expect(sockets.sentBytes()).toBe(1020);
  facts.delete(5);
  expect(sockets.sentBytes()).toBe(1020);
  first.emit('close');
  facts.set(6, { shortestMicros: 700, sentBytes: 50, segments: 0, lostSegments: 0 });
  expect(sockets.sentBytes()).toBe(1050);
});

test('without a descriptor, or a port to the kernel, nothing is known and nothing breaks', () => {
  const { sockets } = lab();
  sockets.add(socketOf(undefined), 'x');
  sockets.add(socketOf(99), 'x');
  const blind = new MeshSockets(undefined);
  blind.add(socketOf(5), 'x');
  for (const one of [sockets, blind]) {
    expect(one.segments('x')).toEqual({ sent: 0, lost: 0, shortestMicros: undefined });
    expect(one.sentBytes()).toBe(0);
  }
});

test('an address without its peer', () => {
  expect(withoutPeer('/ip4/192.0.2.7/tcp/4646/p2p/12D3KooW')).toBe('/ip4/192.0.2.7/tcp/4646');
  expect(withoutPeer('/ip4/192.0.2.7/tcp/4646')).toBe('/ip4/192.0.2.7/tcp/4646');
});
