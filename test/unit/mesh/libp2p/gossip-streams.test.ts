import { expect, it } from 'vitest';
import {
  type GossipConnection,
  GossipStreams,
  LOOK_MS,
} from '../../../../agent/mesh/libp2p/gossip-streams.ts';
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
