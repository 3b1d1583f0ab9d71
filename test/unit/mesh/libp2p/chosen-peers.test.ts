import { expect, test } from 'vitest';
import { type ChosenConnection, ChosenPeers, LOOK_MS } from '../../../../agent/mesh/libp2p/chosen-peers.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

function lab(peers: readonly string[], closing: () => Promise<void> = async () => {}) {
  const ended: string[] = [];
  const connections: ChosenConnection[] = peers.map((remotePeer) => ({
    ...{ status: 'open', remotePeer },
    close: () => {
      ended.push(remotePeer);
      return closing();
    },
    abort: () => ended.push(`${remotePeer}, aborted`),
  }));
  const clock = new ManualClock();
  const chosen = new ChosenPeers({ connections: () => connections, timers: clock });
  chosen.start();
  return { clock, chosen, connections, ended };
}

test('without chosen peers, all connections stay', async () => {
  const { clock, chosen, ended } = lab(['a', 'b']);
  await clock.advance(5 * LOOK_MS);
  expect(chosen.isKept('b')).toBe(true);
  chosen.choose(new Set(['a']));
  expect([chosen.isKept('a'), chosen.isKept('b')]).toEqual([true, false]);
  chosen.choose(undefined);
  await clock.advance(5 * LOOK_MS);
  expect(ended).toEqual([]);
});

test('one that is not chosen ends, but not before it was there for a while', async () => {
  const { clock, chosen, connections, ended } = lab(['a', 'b']);
  chosen.choose(new Set(['a']));
  await clock.advance(LOOK_MS);
  connections.push(...lab(['c']).connections);
  expect(ended).toEqual([]);
  await clock.advance(LOOK_MS);
  expect(ended).toEqual(['b']);
  chosen.stop();
  await clock.advance(5 * LOOK_MS);
  expect(ended).toEqual(['b']);
});

test('one that does not close is aborted', async () => {
  const { clock, chosen, ended } = lab(['b'], () => Promise.reject(new Error('stuck')));
  chosen.choose(new Set());
  await clock.advance(2 * LOOK_MS);
  expect(ended).toEqual(['b', 'b, aborted']);
});
