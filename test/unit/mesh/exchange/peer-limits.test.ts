import { expect, test } from 'vitest';
import {
  BYTES_BURST,
  BYTES_PER_SECOND,
  COMMANDS_BURST,
  COMMANDS_PER_SECOND,
  GOSSIP_BURST,
  GOSSIP_PER_SECOND,
  PeerLimits,
  QUESTIONS_PER_SECOND,
} from '../../../../agent/mesh/exchange/peer-limits.ts';
import { MAX_HOSTS } from '../../../../agent/mesh/wire/limits.ts';
import { MAX_ALL_COMMANDS } from '../../../../proto/command.ts';

function newLimits() {
  const time = { now: 0 };
  return { time, limits: new PeerLimits(() => time.now) };
}

/** How many of `count` are let through. */
const passed = (count: number, refuse: () => unknown): number =>
  Array.from({ length: count }, refuse).filter((refused) => refused === undefined).length;

test('messages: a burst, then so many a second, each peer for itself', () => {
  const { time, limits } = newLimits();
  const say = (peer: string) => () => limits.refuseGossip(peer, 10);
  expect(passed(GOSSIP_BURST + 100, say('a'))).toBe(GOSSIP_BURST);
  expect(limits.refuseGossip('a', 10)).toMatchObject({ rejected: 'GOSSIP_RATE', reason: /messages/ });
  expect(passed(5, say('b'))).toBe(5);
  time.now = 1000;
  expect(passed(1000, say('a'))).toBe(GOSSIP_PER_SECOND);
  time.now = 1e9;
  expect(passed(GOSSIP_BURST + 100, say('a'))).toBe(GOSSIP_BURST);
});

test('commands: all that there can be at once, then so many a second; none is taken of too many', () => {
  const { time, limits } = newLimits();
  expect(limits.refuseCommands('a', 0)).toBeUndefined();
  expect(limits.refuseCommands('a', COMMANDS_BURST + 1)).toMatchObject({ rejected: 'COMMAND_RATE' });
  expect(limits.refuseCommands('a', MAX_ALL_COMMANDS)).toBeUndefined();
  expect(passed(1000, () => limits.refuseCommands('a', 1))).toBe(COMMANDS_BURST - MAX_ALL_COMMANDS);
  expect(limits.refuseCommands('b', 7)).toBeUndefined();
  time.now = 1000;
  expect(passed(1000, () => limits.refuseCommands('a', 1))).toBe(COMMANDS_PER_SECOND);
  expect(limits.refuseCommands('a', 0)).toBeUndefined();
});

test('bytes: large messages use them up sooner; what is refused costs nothing', () => {
  const { time, limits } = newLimits();
  const size = 256 * 1024;
  expect(passed(100, () => limits.refuseGossip('a', size))).toBe(BYTES_BURST / size);
  expect(limits.refuseGossip('a', size)).toMatchObject({ rejected: 'GOSSIP_RATE', reason: /bytes/ });
  time.now = 2000;
  expect(passed(100, () => limits.refuseGossip('a', size))).toBe((2 * BYTES_PER_SECOND) / size);
});

test('whole tables count as well, and none is asked for while the peer owes', () => {
  const { time, limits } = newLimits();
  expect(limits.mayAsk('a')).toBe(true);
  limits.took('a', BYTES_BURST + BYTES_PER_SECOND);
  expect(limits.mayAsk('a')).toBe(false);
  expect(limits.refuseGossip('a', 1)).toMatchObject({ rejected: 'GOSSIP_RATE' });
  expect(limits.mayAsk('b')).toBe(true);
  time.now = 1001;
  expect(limits.mayAsk('a')).toBe(true);
});

test('questions', () => {
  const { time, limits } = newLimits();
  expect(passed(20, () => limits.refuseQuestion('state', 'a'))).toBe(QUESTIONS_PER_SECOND);
  expect(passed(20, () => limits.refuseQuestion('clock', 'a'))).toBe(QUESTIONS_PER_SECOND);
  expect(passed(20, () => limits.refuseQuestion('state', 'b'))).toBe(QUESTIONS_PER_SECOND);
  time.now = 500;
  expect(passed(20, () => limits.refuseQuestion('state', 'a'))).toBe(QUESTIONS_PER_SECOND / 2);
});

test('peers without end share one allowance, and do not push out those that talk', () => {
  const { time, limits } = newLimits();
  for (let number = 0; number < MAX_HOSTS; number++) limits.refuseGossip(`p${number}`, 1);
  expect(passed(3 * GOSSIP_BURST, () => limits.refuseGossip(`new-${Math.random()}`, 1))).toBe(GOSSIP_BURST);
  expect(limits.size).toBe(MAX_HOSTS);
  expect(limits.refuseGossip('p0', 1)).toBeUndefined();
  // Those that have been silent make room.
  time.now = 60_000;
  expect(limits.refuseGossip('late', 1)).toBeUndefined();
  expect(limits.size).toBe(1);
});
