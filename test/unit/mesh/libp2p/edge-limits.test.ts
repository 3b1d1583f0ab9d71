import { expect, test } from 'vitest';
import { BYTES_PER_HOST, EdgeLimits, MESSAGES_PER_HOST } from '../../../../agent/mesh/libp2p/edge-limits.ts';
import { MAX_GOSSIP_BYTES, MAX_HOSTS } from '../../../../agent/mesh/wire/limits.ts';

const second = 1000;
let now = 0;

/** How many of so many frames a second are accepted, over some seconds. */
function accepted(limits: EdgeLimits, perSecond: number, seconds: number, length = 300): number {
  let count = 0;
  for (let at = 0; at < perSecond * seconds; at++) {
    if (!limits.refuseFrame('peer', length) && limits.take('peer', 1) === 1) count++;
    now += second / perSecond;
  }
  return count;
}

test('what honest neighbours send always passes, also what they forward of all others', () => {
  for (const hosts of [2, 16, 500]) {
    const limits = new EdgeLimits(
      () => now,
      () => hosts,
    );
    const rate = 21 * hosts;
    expect(accepted(limits, rate, 20)).toBe(rate * 20);
  }
});

test('a flood gets no more than its rate, and each neighbour has its own', () => {
  const limits = new EdgeLimits(
    () => now,
    () => 3,
  );
  accepted(limits, 12_000, 5);
  expect(accepted(limits, 12_000, 5)).toBeLessThan(5 * (150 + 3 * MESSAGES_PER_HOST) + 2);
  expect(limits.refuseFrame('peer', 300)).toMatchObject({ rejected: 'GOSSIP_RATE' });
  expect(limits.refuseFrame('other', 300)).toBeUndefined();
});

test('bytes are limited, too, and messages in one frame', () => {
  const limits = new EdgeLimits(
    () => now,
    () => 1,
  );
  accepted(limits, 100, 5, MAX_GOSSIP_BYTES);
  const most = (5 * BYTES_PER_HOST) / MAX_GOSSIP_BYTES;
  expect(accepted(limits, 100, 5, MAX_GOSSIP_BYTES)).toBeLessThanOrEqual(most + 1);
  expect(limits.take('other', 1e6)).toBe(5 * (150 + MESSAGES_PER_HOST));
  expect(limits.take('other', 1)).toBe(0);
});

test('more hosts give a higher rate, and neighbours that come and go no more memory', () => {
  let hosts = 1;
  const limits = new EdgeLimits(
    () => now,
    () => hosts,
  );
  limits.take('peer', 1e6);
  hosts = 100;
  now += second;
  expect(limits.take('peer', 1e6)).toBeGreaterThanOrEqual(150);
  now += second;
  expect(limits.take('peer', 1e6)).toBe(150 + 100 * MESSAGES_PER_HOST);
  for (let peer = 0; peer < 2 * MAX_HOSTS; peer++) limits.refuseFrame(`peer ${peer}`, 1);
  expect(limits.take('peer', 1e6)).toBeGreaterThan(150 + 100 * MESSAGES_PER_HOST);
});
