import { describe, expect, test } from 'vitest';
import { SLICE_MS } from '../../../agent/linux/delay-line/wake/pace.ts';
import { Sleeper } from '../../../agent/linux/delay-line/wake/sleeper.ts';
import { SeededRandom } from '../../../topology/model/random.ts';

/** A thread whose sleep lasts as long as it asked for, and `lateMs` more. */
class FakeThread {
  now = 0;
  lateMs = 0;
  /** Instead, by how long it slept. */
  lateAfter: ((sleptMs: number) => number) | undefined;
  sleeps = 0;
  /** How often arrivals could have woken it. */
  waits = 0;
  /** When it went to another processor. */
  readonly moves: number[] = [];
  readonly sleeper = new Sleeper({
    now: () => this.now,
    wait: (nanoseconds) => {
      if (nanoseconds === 0) return 0;
      this.waits++;
      this.#sleep(nanoseconds);
      return 0;
    },
    pause: (nanoseconds) => this.#sleep(nanoseconds),
    move: () => this.moves.push(this.now),
  });

  #sleep(nanoseconds: number): void {
    this.sleeps++;
    const asked = nanoseconds / 1e6;
    this.now += asked + (this.lateAfter?.(asked) ?? this.lateMs);
  }
}

/** Packets come and leave at this rate for so long; how late each was released, after the first 100 ms. */
function run(thread: FakeThread, perSecond: number, ms: number, mayWait = true): number[] {
  const late: number[] = [];
  const [start, gap] = [thread.now, 1000 / perSecond];
  let due = start + gap;
  let counted = start;
  while (thread.now < start + ms) {
    thread.sleeper.sleep(due, Number.POSITIVE_INFINITY, mayWait);
    const arrived = Math.floor((thread.now - counted) / gap);
    counted += arrived * gap;
    thread.sleeper.arrived(arrived, thread.now);
    // Time passes also for a thread that doesn't sleep.
    thread.now += 0.002;
    for (; due <= thread.now + thread.sleeper.slackMs; due += gap)
      if (thread.now > start + 100) late.push(thread.now - due);
  }
  return late;
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

test('few packets are released at their times', () => {
  const late = run(new FakeThread(), 700, 1000);
  expect(Math.max(...late.map(Math.abs))).toBeLessThan(0.02);
});

test('very many packets are released together, half of a slice early or late at most, and on time in the mean', () => {
  const thread = new FakeThread();
  const late = run(thread, 9300, 1000);
  expect(thread.sleeps).toBeLessThan(1000 / SLICE_MS + 700);
  expect(Math.max(...late)).toBeLessThan(SLICE_MS / 2 + 0.02);
  expect(Math.min(...late)).toBeGreaterThan(-SLICE_MS / 2 - 0.011);
  expect(Math.abs(mean(late))).toBeLessThan(0.02);
});

test('a sleep that lasts too long does not make packets later', () => {
  const thread = new FakeThread();
  thread.lateMs = 0.06;
  run(thread, 2300, 500);
  expect(Math.abs(mean(run(thread, 2300, 1000)))).toBeLessThan(0.02);
});

/** Wakes later the longer it slept, and then passes packets on slowly: two kinds of processors. */
const PROCESSORS = {
  'wakes at once': { lateMs: () => 0.015, coldMs: 0.02 },
  'wakes late from long sleeps': {
    lateMs: (slept: number) => (slept < 1 ? 0.02 : slept < 16 ? 0.1 : 0.25),
    coldMs: 0.12,
  },
} as const;

describe.each(Object.entries(PROCESSORS))('on a processor that %s', (_, { lateMs, coldMs }) => {
  test.each([0.7, 3, 10, 100, 1000])('packets that come every %d ms leave on time', (gap) => {
    const random = new SeededRandom(3);
    const thread = new FakeThread();
    thread.lateAfter = (slept) => lateMs(slept) * (0.7 + 0.6 * random.next());
    const errors: number[] = [];
    let [due, spun] = [gap, 0];
    for (let packet = 0; packet < 600; packet++, due += gap) {
      const sleeps = thread.sleeps;
      while (due > thread.now + thread.sleeper.slackMs) {
        const [before, slept] = [thread.now, thread.sleeps];
        thread.sleeper.sleep(due, Number.POSITIVE_INFINITY, true);
        // A turn of the thread's loop takes time.
        if (thread.sleeps === slept) thread.now += 0.003;
        if (thread.sleeps === slept) spun += thread.now - before;
      }
      const took = thread.sleeps > sleeps && gap > 1 ? coldMs : 0.02;
      const late = thread.now + took / 2 - due;
      thread.now += took;
      thread.sleeper.passed(1, took, late);
      if (packet >= 100) errors.push(late);
    }
    expect(Math.abs(mean(errors))).toBeLessThan(0.01);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(0.15);
    // The budget.
    expect((spun - 20) / thread.now).toBeLessThan(0.021);
  });
});

test('a pause of the machine does not have packets leave early for long', () => {
  const { sleeper } = new FakeThread();
  const before = sleeper.slackMs;
  for (let turn = 0; turn < 2000; turn++) sleeper.passed(4, 0.12, 0);
  expect(sleeper.slackMs - before).toBeCloseTo(0.05, 2);
  sleeper.passed(100, 80, 40);
  expect(sleeper.slackMs).toBeLessThan(0.15);
});

test('with a path that is too quick, each packet has its own time whatever their number', () => {
  const late = run(new FakeThread(), 9300, 500, false);
  expect(Math.max(...late.map(Math.abs))).toBeLessThan(0.02);
});

test('when the crowd is gone, arrivals wake it again', () => {
  const thread = new FakeThread();
  run(thread, 9300, 300);
  for (let turn = 0; turn < 200; turn++)
    thread.sleeper.sleep(thread.now + 1000, Number.POSITIVE_INFINITY, true);
  expect(thread.waits).toBeGreaterThan(0);
  // And it sleeps through, instead of looking every now and then.
  const before = thread.sleeps;
  thread.sleeper.sleep(thread.now + 1000, Number.POSITIVE_INFINITY, true);
  expect(thread.sleeps).toBe(before + 1);
});

test('what waits behind a pause of the machine is done at once', () => {
  const thread = new FakeThread();
  run(thread, 9300, 300);
  thread.now += 40;
  const before = thread.sleeps;
  thread.sleeper.sleep(thread.now - 30, Number.POSITIVE_INFINITY, true);
  expect(thread.sleeps).toBe(before);
});

test.each([700, 9300])(
  'with %i packets a second it leaves a processor on which sleeps end late',
  (perSecond) => {
    const thread = new FakeThread();
    run(thread, perSecond, 200);
    expect(thread.moves).toEqual([]);
    thread.lateMs = 0.7;
    const start = thread.now;
    run(thread, perSecond, 1000);
    expect(thread.moves[0]! - start).toBeLessThan(10);
    // Where it is no better elsewhere it goes on ever less often.
    expect(thread.moves.length).toBeGreaterThan(1);
    expect(thread.moves.length).toBeLessThan(9);
    // And at once where it was better for a while.
    thread.lateMs = 0;
    run(thread, perSecond, 4000);
    thread.lateMs = 0.7;
    const again = thread.now;
    run(thread, perSecond, 100);
    expect(thread.moves.filter((at) => at >= again).length).toBeGreaterThan(1);
  },
);

test('it stays where one sleep is late now and then, or all are a little', () => {
  const thread = new FakeThread();
  thread.lateMs = 0.3;
  run(thread, 700, 500);
  for (let round = 0; round < 100; round++) {
    thread.lateMs = 5;
    thread.sleeper.sleep(thread.now + 1, Number.POSITIVE_INFINITY, true);
    thread.lateMs = 0.1;
    thread.sleeper.sleep(thread.now + 1, Number.POSITIVE_INFINITY, true);
  }
  expect(thread.moves).toEqual([]);
});
