import { beforeEach, expect, test } from 'vitest';
import { ExperimentClock } from '../../../agent/clock/experiment-clock.ts';
import { followLag, type LagCount } from '../../../agent/runlog/lag.ts';
import { RunLog } from '../../../agent/runlog/run-log.ts';
import type { TimelineChanges } from '../../../agent/timeline/player.ts';
import { Player } from '../../../agent/timeline/player.ts';
import { TimelineRunner } from '../../../agent/timeline/runner.ts';
import { loadTopology } from '../../../topology/load.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const { topology } = loadTopology(
  `services: { a: {}, b: {} }
links: [{ from: a, to: b, latency: 5ms, up: 3Mbps, down: 1Mbps }]
events:
  - at 1s set a--b latency=1ms
  - at 1s set a--b loss=1%
  - at 1500ms set a--b latency=2ms
  - at 960h set a--b latency=3ms`,
  'test.yaml',
);
const DAY_MS = 24 * 3600e3;

let clock: ManualClock;
let applied: { at: number; changes: TimelineChanges }[];
let time: ExperimentClock;
let runner: TimelineRunner;
let log: RunLog;
let lag: LagCount;
/** How long applying changes takes, and how long it has taken so far. */
let costMs: number;
let spentMs: number;
/** What it takes beyond that until delays are in force. */
let settleMs: number;

beforeEach(() => {
  clock = new ManualClock();
  applied = [];
  costMs = 0;
  spentMs = 0;
  settleMs = 0;
  const player = new Player(topology, () => {});
  const apply = async (changes: TimelineChanges): Promise<void> => {
    applied.push({ at: clock.now(), changes });
    spentMs += costMs;
    await Promise.resolve();
    spentMs += settleMs;
  };
  const busyClock = { now: () => clock.now() + spentMs, wallNow: () => clock.wallNow() + spentMs };
  time = new ExperimentClock(busyClock);
  log = new RunLog({ now: () => time.now() });
  lag = followLag(log);
  runner = new TimelineRunner({
    ...{ player, time, timers: clock, apply, log },
    giverOf: ({ origin }) => `agent ${origin}`,
  });
});

/** Starts the experiment in so many milliseconds; gives what was due before now. */
function start(inMs = 0): TimelineChanges {
  time.startIn(inMs);
  return runner.start();
}

const epochs = () =>
  log.of('epoch').map(({ dueMicros, appliedMicros, settledMicros, epoch }) => ({
    ...{ dueMicros, appliedMicros, settledMicros, epoch },
  }));

/** `time text: state (problem)` */
const outcomes = () =>
  log
    .of('outcome')
    .map(
      ({ command: { text }, atMicros, state, problem }) =>
        `${atMicros} ${text}: ${state}${problem ? ` (${problem})` : ''}`,
    );

const command = (text: string, at: number) => ({
  ...{ origin: 'host1', incarnation: 7, number: at, issuedAt: 0, at },
  text,
});

test('what is due is brought about when it is due, what is due together at once', async () => {
  const began = clock.now();
  start(200);
  await clock.advance(1199);
  expect(applied).toEqual([]);
  await clock.advance(1);
  expect(applied.map(({ changes }) => changes.atoms.length)).toEqual([2]);
  await clock.advance(500);
  expect(applied.map(({ at }) => at - began)).toEqual([1200, 1700]);
});

test('a start that is over gives what was due since, and goes on from there', async () => {
  const past = start(-1400);
  expect(past.atoms).toHaveLength(2);
  expect(past.graph).toBeDefined();
  await clock.advance(99);
  expect(applied).toHaveLength(0);
  await clock.advance(1);
  expect(applied).toHaveLength(1);
});

test('commands come into force when they are due, or at once when that is over', async () => {
  start(-1400);
  runner.addCommands([command('set a--b latency=7ms', 1_450_000)]);
  expect(applied).toHaveLength(0);
  await clock.advance(50);
  expect(applied.map(({ changes }) => changes.graph!.links[0]!.latency)).toEqual([7000]);
  runner.addCommands([command('crash b', 1_440_000)]);
  expect(applied[1]!.changes.atoms.map(({ verb }) => verb)).toEqual(['crash']);
  // It is the last command, though it arrived first.
  expect(applied[1]!.changes.graph!.links[0]!.latency).toBe(7000);
});

test('commands that arrive late are reported with the delay of the first of them', async () => {
  start(-3000);
  costMs = 1;
  runner.addCommands([command('crash b', 2_950_000), command('set a--b latency=7ms', 2_600_000)]);
  await clock.advance(0);
  expect(epochs()).toMatchObject([{ dueMicros: 2_600_000, appliedMicros: 3_001_000 }]);
});

test('commands that arrive before the start count from then on', async () => {
  runner.addCommands([command('set a--b latency=7ms', 10_000)]);
  expect(start(-20).atoms).toHaveLength(1);
  expect(applied).toHaveLength(0);
});

test('a clock that is steered moves what is due', async () => {
  start();
  await clock.advance(500);
  time.steer(400_000);
  await clock.advance(99);
  expect(applied).toHaveLength(0);
  await clock.advance(1);
  expect(applied).toHaveLength(1);
});

test("a date of the machine that is moved doesn't move what is due", async () => {
  start();
  clock.stepWall(-3600e3);
  await clock.advance(1000);
  expect(applied).toHaveLength(1);
});

test('waits longer than a timer can', async () => {
  start();
  await clock.advance(30 * DAY_MS);
  expect(applied).toHaveLength(2);
  await clock.advance(10 * DAY_MS - 1);
  expect(applied).toHaveLength(2);
  await clock.advance(1);
  expect(applied).toHaveLength(3);
});

test('reports how late changes came into force', async () => {
  expect(lag.summary).toEqual({ count: 0, latestMs: 0, meanMs: 0, p99Ms: 0, mostMs: 0 });
  start();
  costMs = 3;
  await clock.advance(1000);
  spentMs = 0;
  costMs = 1;
  await clock.advance(500);
  expect(lag.summary).toMatchObject({ count: 2, latestMs: 1, meanMs: 2, p99Ms: 3, mostMs: 3 });
});

test('remembers of each changes when it was due, when bandwidth was in force, and when all was', async () => {
  start();
  costMs = 3;
  settleMs = 0.5;
  await clock.advance(1000);
  spentMs = 0;
  costMs = 1;
  await clock.advance(500);
  expect(epochs()).toEqual([
    { dueMicros: 1_000_000, appliedMicros: 1_003_000, settledMicros: 1_003_500, epoch: 1 },
    { dueMicros: 1_500_000, appliedMicros: 1_501_000, settledMicros: 1_501_500, epoch: 2 },
  ]);
  expect(lag.summary).toMatchObject({ latestMs: 1.5, mostMs: 3.5 });
});

test('knows the time of the experiment from its start on', async () => {
  expect(runner.nowMicros).toBeUndefined();
  start(-50);
  expect(runner.nowMicros).toBe(50_000);
});

test('nothing happens once it is stopped', async () => {
  start();
  await clock.advance(999);
  runner.stop();
  await clock.advance(5000);
  expect(applied).toEqual([]);
});

test('delays are in force when their backend reports it, not when the report arrives, and never before bandwidth is', async () => {
  const player = new Player(topology, () => {});
  let changedAt = 0;
  let behindMs = 2;
  const apply = async (): Promise<void> => {
    changedAt = clock.now() + spentMs + behindMs;
    spentMs += 1;
    await Promise.resolve();
    spentMs += 40;
  };
  runner = new TimelineRunner({
    ...{ player, time, timers: clock, apply, log },
    changedAt: () => changedAt,
    giverOf: ({ origin }) => origin,
  });
  start();
  await clock.advance(1000);
  expect(epochs()).toEqual([
    { dueMicros: 1e6, appliedMicros: 1_001_000, settledMicros: 1_002_000, epoch: 1 },
  ]);
  behindMs = -30;
  await clock.advance(500);
  const [, second] = epochs();
  expect(second!.settledMicros).toBe(second!.appliedMicros);
});

test('records each command when it arrives, and its outcome once, when it is known', async () => {
  start();
  runner.addCommands([command('set a--b latency=7ms', 300_000), command('join a', 200_000)]);
  expect(log.of('command').map(({ command: { text } }) => text)).toEqual(['set a--b latency=7ms', 'join a']);
  expect(outcomes()).toEqual([]);
  await clock.advance(250);
  expect(outcomes()).toEqual([
    '200000 join a: failed (join is for endpoints, but none of them are absent then)',
  ]);
  await clock.advance(100);
  expect(outcomes().slice(1)).toEqual(['300000 set a--b latency=7ms: done']);
  runner.addCommands([command('set a--b latency=7ms', 300_000)]);
  await clock.advance(5000);
  expect(outcomes()).toHaveLength(2);
});

test('records that a reset has dropped a command which was not due yet', async () => {
  start();
  runner.addCommands([command('set a--b latency=7ms', 900_000)]);
  runner.addCommands([{ ...command('reset', 200_000), issuedAt: 100 }]);
  await clock.advance(300);
  expect(outcomes()).toEqual(['200000 reset: done', '200000 set a--b latency=7ms: undone']);
});

test('the log does not keep alive what was read of commands that are over', () => {
  start(0);
  const given = command('set a--b latency=7ms', 0);
  runner.addCommands([given]);
  for (const kind of ['command', 'outcome'] as const) {
    const logged = log.of(kind).map((entry) => entry.command);
    expect(logged).not.toEqual([]);
    for (const one of logged) {
      expect(one).toEqual(given);
      expect(one).not.toBe(given);
    }
  }
});
