import { beforeEach, describe, expect, test } from 'vitest';
import { BURST, ClockSync, LATE_ANSWER_MS, MAX_UNDER_WAY } from '../../../agent/clock/clock-sync.ts';
import { ExperimentClock } from '../../../agent/clock/experiment-clock.ts';
import type { ClockPeer, Exchange } from '../../../agent/clock/peer-clock.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

/** How long a question takes, there and back alike. */
const RTT_MS = 10;

let clock: ManualClock;
let time: ExperimentClock;
let sync: ClockSync;
/** How many milliseconds the peers' clocks show more than the own monotonic one. */
let ahead: Record<string, number>;
let asked: string[];
let answers: Partial<Exchange>;
let timedCalls: number;
let rttMs: number;

beforeEach(() => {
  clock = new ManualClock();
  time = new ExperimentClock(clock);
  ahead = {};
  asked = [];
  answers = {};
  timedCalls = 0;
  rttMs = RTT_MS;
  sync = new ClockSync({ clock, time, probe, onTimed: () => timedCalls++ }, 'm');
});

function probe(peer: string): Promise<Exchange | undefined> {
  asked.push(peer);
  const start = clock.now();
  const at = (start + rttMs / 2 + (ahead[peer] ?? 0)) * 1000;
  const exchange = { incarnation: 1, asked: start, timed: true, received: at, sent: at };
  return new Promise((resolve) =>
    clock.after(rttMs, () => resolve({ ...exchange, answered: clock.now(), ...answers })),
  );
}

const peer = (name: string, timed = true, incarnation = 1): ClockPeer => ({
  name,
  peer: name,
  incarnation,
  timed,
});

/** Lets the clock know the time and its peers, without a question on its way. */
async function settle(...peers: ClockPeer[]): Promise<void> {
  sync.setPeers(peers);
  await clock.advance(1000);
  asked = [];
}

describe('which hosts are asked', () => {
  test('at first contact the reference, a few times, then the others, a few at once', async () => {
    sync.setPeers(['q', 'c', 'b', 'r', 's'].map((name) => peer(name)));
    expect(asked).toEqual(['b', 'q', 'c', 'r']);
    expect(asked).toHaveLength(MAX_UNDER_WAY);
    await clock.advance(RTT_MS);
    expect(asked[MAX_UNDER_WAY]).toBe('b');
    await clock.advance(1000);
    const counts = Map.groupBy(asked, (name) => name);
    expect([...counts].map(([name, { length }]) => `${name} ${length}`).sort()).toEqual(
      ['b', 'c', 'q', 'r', 's'].map((name) => `${name} ${BURST}`),
    );
  });

  test('the reference every other time, and all others in turn', async () => {
    await settle(peer('b'), peer('q'), peer('r'));
    for (let beat = 0; beat < 12; beat++) {
      sync.beat();
      await clock.advance(1000);
    }
    expect(asked.filter((_, at) => at % 2 === 1)).toEqual(Array(6).fill('b'));
    expect(asked.filter((_, at) => at % 2 === 0)).toEqual(['b', 'q', 'r', 'b', 'q', 'r']);
  });

  test('a host that was started anew, as if it were new', async () => {
    await settle(peer('b'), peer('q'));
    sync.setPeers([peer('b'), peer('q', true, 2)]);
    expect(asked).toEqual(['q']);
    expect(sync.rttMicros('q')).toBeUndefined();
    await clock.advance(1000);
    // It answers with its former identity: its answers are not of the present one.
    expect(sync.rttMicros('q')).toBeUndefined();
    answers = { incarnation: 2 };
    sync.setPeers([peer('b'), peer('q', true, 2)]);
    for (let beat = 0; beat < 4; beat++) {
      sync.beat();
      await clock.advance(1000);
    }
    expect(sync.rttMicros('q')).toBe(RTT_MS * 1000);
  });

  test('no host that left, of which nothing stays', async () => {
    await settle(peer('b'), peer('q'));
    sync.setPeers([peer('q')]);
    expect(sync.rttMicros('b')).toBeUndefined();
    expect(sync.status().peers.map(({ host }) => host)).toEqual(['q']);
    sync.setPeers([]);
    asked = [];
    sync.beat();
    expect(asked).toEqual([]);
  });
});

describe('the own clock', () => {
  const difference = (): number => time.exact()! / 1000 - clock.now();

  test('takes the time of the reference once, after all of the burst', async () => {
    ahead = { b: 5000, c: 9000 };
    sync.setPeers([peer('c'), peer('b')]);
    await clock.advance(RTT_MS * BURST - 1);
    expect(time.state).toBe('unset');
    await clock.advance(1);
    expect(difference()).toBeCloseTo(5000, 6);
    expect(timedCalls).toBe(1);
    expect(sync.timed).toBe(true);
  });

  test('is brought exactly there before the start, also over small differences', async () => {
    time.startIn(60_000);
    ahead = { b: -60_000.05 };
    await settle(peer('b'));
    expect(difference()).toBeCloseTo(-60_000.05, 6);
  });

  test.each([
    ['within the margin stays as it is', 0.09, 0],
    ['beyond it is slewed', 0.5, 0.5],
    ['far ahead is stepped, as far as it is certain', 56, 56],
  ])('%s', async (_, off, corrected) => {
    time.adopt(0);
    time.now();
    ahead = { b: 0 };
    await settle(peer('b'));
    expect(difference()).toBeCloseTo(0, 6);
    ahead = { b: off };
    // Older samples deny small differences until they are gone.
    for (let beat = 0; beat < 20; beat++) {
      sync.beat();
      await clock.advance(1000);
    }
    expect(difference()).toBeCloseTo(corrected, 6);
  });

  test('a difference of which half of the round trip is as large is not stepped', async () => {
    time.adopt(0);
    time.now();
    // 55 ms ahead as it seems, but the way there may have taken 110 ms.
    answers = { asked: clock.now() - 110 };
    await settle(peer('b'));
    expect(sync.status().offsetMs).toBeCloseTo(55, 6);
    expect(sync.status().errorMs).toBeCloseTo(60, 0);
    expect(Math.abs(difference())).toBeLessThan(0.01);
  });

  test('does not use what a new reference sent before it was one', async () => {
    ahead = { a: 1000, b: 1000 };
    await settle(peer('b'), peer('a', false));
    expect(difference()).toBeCloseTo(1000, 6);
    // It was steered since it was asked, by less than what its old samples would deny.
    ahead = { a: 1004, b: 1000 };
    sync.setPeers([peer('b'), peer('a')]);
    expect(sync.status()).toMatchObject({ reference: 'a', offsetMs: null });
    await clock.advance(1000);
    expect(sync.status().offsetMs! + difference()).toBeCloseTo(1004, 1);
  });

  test('is one to learn from only after two heartbeats, if no other is', () => {
    time.startIn(0);
    sync.setPeers([peer('b', false)]);
    sync.beat();
    sync.beat();
    expect(sync.timed).toBe(false);
    sync.beat();
    expect(sync.timed).toBe(true);
    expect(timedCalls).toBe(1);
    expect(sync.status()).toMatchObject({ reference: 'm', offsetMs: 0, errorMs: 0, state: 'running' });
  });

  test('leads those whose names come later, once it is known to be right', async () => {
    await settle(peer('p'), peer('q'));
    expect(sync.status().reference).toBe('m');
    sync.setPeers([peer('p'), peer('q'), peer('a')]);
    expect(sync.status().reference).toBe('a');
  });
});

test('gives the round-trip time to each host', async () => {
  time.adopt(0);
  ahead = { b: 0, q: 7 };
  await settle(peer('q'), peer('b'), peer('x', false));
  answers = { timed: false };
  const { reference, offsetMs, errorMs, peers } = sync.status();
  expect({ reference, offsetMs }).toEqual({ reference: 'b', offsetMs: 0 });
  expect(errorMs).toBeCloseTo(RTT_MS / 2, 0);
  expect(peers.map(({ host, rttMs }) => [host, rttMs])).toEqual([
    ['b', 10],
    ['q', 10],
    ['x', 10],
  ]);
  expect(peers[1]!.offsetMs).toBeCloseTo(7, 6);
});

describe('how long answers take now', () => {
  const beat = async (): Promise<string[]> => {
    asked = [];
    sync.beat();
    await clock.advance(2000);
    return asked;
  };

  test('is asked at once after a late one, and not again soon; regular requests go on, and the clock stays as known', async () => {
    await settle(peer('b'));
    rttMs = LATE_ANSWER_MS + 100;
    expect(await beat()).toEqual(['b', 'b', 'b']);
    expect(sync.answerTimes()).toEqual([{ host: 'b', ms: rttMs, lastingMs: RTT_MS }]);
    expect(sync.status().peers).toMatchObject([{ rttMs: RTT_MS }]);
    expect(await beat()).toEqual(['b']);
    await clock.advance(5000);
    expect(await beat()).toHaveLength(3);
  });

  test('one that is late alone is followed by two that are not', async () => {
    await settle(peer('b'));
    rttMs = 900;
    sync.beat();
    await clock.advance(100);
    rttMs = RTT_MS;
    await clock.advance(2000);
    expect(asked).toHaveLength(3);
    expect(sync.answerTimes()).toEqual([{ host: 'b', ms: RTT_MS, lastingMs: RTT_MS }]);
  });

  test('of one that is not late, nothing more is asked, nor of one that does not answer', async () => {
    await settle(peer('b'));
    rttMs = LATE_ANSWER_MS;
    expect(await beat()).toEqual(['b']);
    rttMs = 700;
    answers = { incarnation: 9 };
    expect(await beat()).toEqual(['b']);
  });

  test('is not known of who has answered less than three times', async () => {
    answers = { incarnation: 9 };
    await settle(peer('b'));
    expect(sync.answerTimes()).toEqual([]);
  });
});
