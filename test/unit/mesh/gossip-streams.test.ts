import { expect, it } from 'vitest';
import { type GossipConnection, GossipStreams, GRACE_MS } from '../../../agent/mesh/gossip-streams.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const GOSSIP = { protocol: '/meshsub/1.2.0', direction: 'outbound', status: 'open' };

/** Of peer `name`; whether it was aborted stands in `aborted`. */
function connection(name: string, streams: GossipConnection['streams'], aborted: string[], status = 'open') {
  return { status, remotePeer: name, streams, abort: () => aborted.push(name) };
}

async function abortedAfter(
  connections: (aborted: string[]) => GossipConnection[],
  ms = GRACE_MS,
): Promise<string[]> {
  const clock = new ManualClock();
  const aborted: string[] = [];
  const all = connections(aborted);
  const streams = new GossipStreams({ connections: () => all, timers: clock });
  streams.ended('b');
  await clock.advance(ms);
  return aborted;
}

it('ends what is left of connections to a peer without gossip, after a while', async () => {
  const others = [
    { ...GOSSIP, direction: 'inbound' },
    { ...GOSSIP, status: 'closed' },
    { ...GOSSIP, protocol: '/netfold/clock/1/x' },
  ];
  const left = (aborted: string[]) => [connection('b', others, aborted), connection('b', [], aborted)];
  expect(await abortedAfter(left)).toEqual(['b', 'b']);
  expect(await abortedAfter(left, GRACE_MS - 1)).toEqual([]);
});

it('leaves connections alone where one has gossip, those to other peers, and those that are closed', async () => {
  expect(
    await abortedAfter((aborted) => [connection('b', [], aborted), connection('b', [GOSSIP], aborted)]),
  ).toEqual([]);
  expect(
    await abortedAfter((aborted) => [connection('c', [], aborted), connection('b', [], aborted, 'closed')]),
  ).toEqual([]);
});

it('does nothing any more when it is stopped', async () => {
  const clock = new ManualClock();
  const aborted: string[] = [];
  const streams = new GossipStreams({ connections: () => [connection('b', [], aborted)], timers: clock });
  streams.ended('b');
  streams.stop();
  await clock.advance(GRACE_MS);
  expect(aborted).toEqual([]);
});
