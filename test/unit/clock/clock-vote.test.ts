/** No host moves the clocks of others alone, neither at once nor in small steps. */
import { beforeEach, describe, expect, test } from 'vitest';
import { ClockSync } from '../../../agent/clock/clock-sync.ts';
import { vote } from '../../../agent/clock/clock-vote.ts';
import { ExperimentClock } from '../../../agent/clock/experiment-clock.ts';
import type { Exchange } from '../../../agent/clock/peer-clock.ts';
import { FOLLOWED_PPM, SlewBudget } from '../../../agent/clock/slew-budget.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const YEAR_MS = 365 * 86_400_000;

let clock: ManualClock;
let time: ExperimentClock;
let sync: ClockSync;
/** How many milliseconds the peers' clocks show more than the own monotonic one. */
let ahead: Record<string, number>;
/** How late a peer answers, in milliseconds. */
let late: Record<string, number>;
let wrong: string[];

beforeEach(() => {
  clock = new ManualClock();
  time = new ExperimentClock(clock);
  ahead = {};
  late = {};
  wrong = [];
  sync = new ClockSync(
    { clock, time, probe, onTimed: () => {}, onWrong: (_, host) => wrong.push(host) },
    'm',
  );
});

function probe(peer: string): Promise<Exchange | undefined> {
  const asked = clock.now();
  const at = (asked + 1 + (ahead[peer] ?? 0)) * 1000;
  const exchange = { incarnation: 1, asked, timed: true, received: at, sent: at };
  const after = 2 + (late[peer] ?? 0);
  return new Promise((resolve) => clock.after(after, () => resolve({ ...exchange, answered: clock.now() })));
}

async function beats(count: number): Promise<void> {
  for (let beat = 0; beat < count; beat++) {
    sync.beat();
    await clock.advance(1000);
  }
}

const setPeers = (...names: string[]): void =>
  sync.setPeers(names.map((name) => ({ name, peer: name, incarnation: 1, timed: true })));
/** How far this host's time is from the honest one, in milliseconds. */
const off = (): number => Math.abs(time.exact()! - clock.now() * 1000) / 1000;

describe('the reference', () => {
  test('moves nobody by a year, is named, and another one is followed', async () => {
    setPeers('a', 'b', 'q');
    await beats(15);
    expect(sync.status().reference).toBe('a');
    ahead = { a: YEAR_MS };
    await beats(30);
    expect(off()).toBeLessThan(1);
    expect(wrong).toEqual(['a']);
    expect(sync.status().reference).toBe('b');
    setPeers('b', 'q');
    await beats(5);
    expect(sync.status()).toMatchObject({ reference: 'b', peers: [{ host: 'b' }, { host: 'q' }] });
  });

  test('that lies from the start is not believed by one that comes late', async () => {
    ahead = { a: YEAR_MS };
    setPeers('a', 'b', 'q');
    await beats(5);
    expect(time.state).toBe('running');
    expect(off()).toBeLessThan(1);
    expect(wrong).toEqual(['a']);
  });

  test('moves a settled clock of the only other host by no step', async () => {
    setPeers('a');
    await beats(15);
    ahead = { a: YEAR_MS };
    await beats(30);
    expect(off()).toBeLessThan(1);
  });

  test('does not get further with answers that come late', async () => {
    setPeers('a', 'b', 'q');
    await beats(15);
    for (let round = 1; round <= 10; round++) {
      late = { a: 900 };
      ahead = { a: round * 480 };
      await beats(4);
    }
    expect(off()).toBeLessThan(60);
  });

  test('is believed again once it is right', async () => {
    setPeers('a', 'b', 'q');
    await beats(15);
    ahead = { a: 10_000 };
    await beats(20);
    expect(sync.status().reference).toBe('b');
    ahead = {};
    await beats(30);
    expect(sync.status().reference).toBe('a');
  });
});

test('a host whose own clock is wrong follows the others, also if it was the reference', async () => {
  const names = ['n', 'q', 'r'];
  time.startIn(0);
  await beats(4);
  setPeers(...names);
  await beats(15);
  expect(sync.status().reference).toBe('m');
  ahead = Object.fromEntries(names.map((name) => [name, 3_600_000]));
  await beats(30);
  expect(Math.abs(time.exact()! / 1000 - clock.now() - 3_600_000)).toBeLessThan(1);
});

test('two against two is no majority', () => {
  const at = (offset: number) => ({ offset, error: 100 });
  expect(vote([at(0), at(10), at(1e6), at(1e6)])).toEqual({ right: new Set(), wrong: new Set() });
  expect(vote([at(0), at(10), at(1e6)]).wrong.size).toBe(1);
  // However late it answers.
  expect(vote([at(0), at(10), { offset: 1e6, error: 1e7 }]).wrong.size).toBe(1);
});

test('who asks for more all the time moves a clock no faster than clocks diverge', () => {
  const budget = new SlewBudget(0);
  const fake = new ManualClock();
  const slewed = new ExperimentClock(fake);
  slewed.adopt(0);
  return (async () => {
    for (let second = 0; second < 10_000; second += 10) {
      slewed.steer(budget.spend(40_000, fake.now()));
      await fake.advance(10_000);
    }
    const moved = slewed.exact()! - fake.now() * 1000;
    expect(moved).toBeGreaterThan(100_000);
    expect(moved).toBeLessThan(60_000 + 10_000 * FOLLOWED_PPM);
  })();
});
