import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { systemTimers } from '../../../../agent/clock/clock.ts';
import { Gate } from '../../../../agent/mesh/libp2p/gate.ts';
import {
  type GossipConnection,
  GossipStreams,
  LOOK_MS,
  openGossip,
} from '../../../../agent/mesh/libp2p/gossip-streams.ts';
import { createNode, topicOf } from '../../../../agent/mesh/libp2p/libp2p-node.ts';
import { MeshSockets } from '../../../../agent/mesh/libp2p/mesh-sockets.ts';
import { Admission } from '../../../../agent/mesh/trust/admission.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

const GOSSIP = { protocol: '/meshsub/1.2.0', direction: 'outbound', status: 'open' };

const connection = (
  remotePeer: string,
  streams: GossipConnection['streams'] = [],
  status = 'open',
): GossipConnection => ({ status, remotePeer, streams });

function lab(connections: GossipConnection[]) {
  const clock = new ManualClock();
  const opened: GossipConnection[] = [];
  const streams = new GossipStreams({
    connections: () => connections,
    open: (one) => opened.push(one),
    timers: clock,
  });
  streams.start();
  return { clock, opened, streams };
}

it('has a stream opened, on one connection, for a peer that has had none in two looks', async () => {
  const others = [
    { ...GOSSIP, direction: 'inbound' },
    { ...GOSSIP, status: 'closed' },
    { ...GOSSIP, protocol: '/netfold/clock/1/x' },
  ];
  const connections = [connection('a', [], 'closed'), connection('a', others), connection('a')];
  const { clock, opened } = lab(connections);
  await clock.advance(LOOK_MS);
  expect(opened).toEqual([]);
  await clock.advance(LOOK_MS);
  expect(opened).toEqual([connections[1]]);
  await clock.advance(LOOK_MS);
  expect(opened).toHaveLength(2);
});

it('leaves alone peers with a stream on any connection, new ones, and those that left', async () => {
  const connections = [connection('a'), connection('a', [GOSSIP]), connection('b')];
  const { clock, opened } = lab(connections);
  await clock.advance(LOOK_MS);
  connections.pop();
  connections.push(connection('c'));
  await clock.advance(LOOK_MS);
  // What was missing must be missing still.
  connections.splice(0, 3, connection('a', [GOSSIP]), connection('b'));
  await clock.advance(LOOK_MS);
  expect(opened).toEqual([]);
});

it('does nothing any more when it is stopped', async () => {
  const { clock, opened, streams } = lab([connection('a')]);
  streams.stop();
  await clock.advance(3 * LOOK_MS);
  expect(opened).toEqual([]);
});

type PeerId = ReturnType<Awaited<ReturnType<typeof createNode>>['getPeers']>[number];

const stops: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function gossiping() {
  const options = { experiment: 'test', listen: ['/ip4/127.0.0.1/tcp/0'] };
  const sockets: Socket[] = [];
  const watch = new MeshSockets(undefined);
  const node = await createNode(options, new Gate(new Admission(), undefined), {
    add: (socket, address) => {
      sockets.push(socket);
      watch.add(socket, address);
    },
  });
  await node.start();
  const { pubsub } = node.services;
  const topic = topicOf('test');
  pubsub.subscribe(topic);
  const streams = new GossipStreams({
    connections: () => node.getConnections(),
    open: (connection) => openGossip(pubsub, connection),
    timers: systemTimers,
  });
  streams.start();
  stops.push(
    () => streams.stop(),
    () => node.stop(),
  );
  let [received, identified] = [0, 0];
  pubsub.addEventListener('message', () => received++);
  node.addEventListener('peer:identify', () => identified++);
  const say = (): Promise<unknown> => pubsub.publish(topic, new Uint8Array(1));
  /** As gossipsub does when reading the stream of a peer fails. */
  const forgetOther = (): void => {
    const gossip = pubsub as unknown as { onPeerDisconnected(peer: PeerId): void };
    gossip.onPeerDisconnected(node.getPeers()[0]!);
  };
  return { node, sockets, say, forgetOther, received: () => received, identified: () => identified };
}

it('gossips over the second of two connections when the first one is lost', async () => {
  const [a, b] = [await gossiping(), await gossiping()];
  const address = b.node.getMultiaddrs()[0]!;
  const bothReceive = async (): Promise<boolean> => {
    const before = [a.received(), b.received()];
    await Promise.all([a.say(), b.say()]);
    await sleep(100);
    return a.received() > before[0]! && b.received() > before[1]!;
  };
  const first = await a.node.dial(address);
  await expect.poll(bothReceive, { timeout: 5000 }).toBe(true);
  const second = await a.node.dial(address, { force: true });
  expect(second.id).not.toBe(first.id);
  // It announces the peer to gossipsub.
  await expect.poll(() => [a.identified(), b.identified()], { timeout: 5000 }).toEqual([2, 2]);
  for (const { sockets, forgetOther } of [a, b]) {
    // As the kernel ends a connection on which nothing was acknowledged.
    sockets[0]!.destroy(new Error('ETIMEDOUT'));
    forgetOther();
  }
  await expect.poll(() => first.status).not.toBe('open');
  await expect.poll(bothReceive, { timeout: 5 * LOOK_MS }).toBe(true);
  expect(a.node.getConnections().map(({ id }) => id)).toEqual([second.id]);
}, 30_000);
