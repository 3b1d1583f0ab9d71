import { expect, test } from 'vitest';
import { RunLog } from '../../../agent/runlog/run-log.ts';
import { type LocalShare, ShareChanges } from '../../../agent/runlog/share-changes.ts';

const NAMES = ['a', 'b', 'c', 'd'];

const share = (source: number, destination: number, ceilingBps: number): LocalShare => ({
  source,
  destination,
  ceilingBps,
});

function changesOf(capacity = 100) {
  const log = new RunLog({ now: () => 0, capacity: { share: capacity } });
  return { log, changes: new ShareChanges(log, NAMES) };
}

/** `time source>destination share (epoch)` */
function lines(log: RunLog): string[] {
  return log
    .of('share')
    .map(({ atMicros, from, to, shareBps, epoch }) => `${atMicros} ${from}>${to} ${shareBps} (${epoch})`);
}

test('keeps what changed, and nothing of what stays', () => {
  const { log, changes } = changesOf();
  changes.note([share(0, 3, 10e6), share(1, 3, 20e6)], 100, 0);
  changes.note([share(0, 3, 10e6), share(1, 3, 20e6)], 200, 0);
  changes.note([share(0, 3, 12e6), share(1, 3, 20e6)], 300, 1);
  expect(lines(log)).toEqual(['100 a>d 10000000 (0)', '100 b>d 20000000 (0)', '300 a>d 12000000 (1)']);
});

test('a flow that is no longer there has no share; one that comes again begins anew', () => {
  const { log, changes } = changesOf();
  changes.note([share(0, 3, 10e6), share(3, 0, 5e6)], 100, 0);
  changes.note([share(3, 0, 5e6)], 200, 1);
  changes.note([share(3, 0, 5e6)], 300, 1);
  changes.note([share(0, 3, 10e6), share(3, 0, 5e6)], 400, 2);
  expect(lines(log).slice(2)).toEqual(['200 a>d 0 (1)', '400 a>d 10000000 (2)']);
});

test('a flow without a limit is told from one that has ended', () => {
  const { log, changes } = changesOf();
  changes.note([share(0, 1, Number.POSITIVE_INFINITY)], 100, 0);
  expect(lines(log)).toEqual(['100 a>b null (0)']);
});

test('forgets the oldest, and says how many', () => {
  const { log, changes } = changesOf(3);
  for (let time = 1; time <= 5; time++) changes.note([share(0, 1, time)], time * 10, 0);
  expect(lines(log)).toEqual(['30 a>b 3 (0)', '40 a>b 4 (0)', '50 a>b 5 (0)']);
  expect(log.forgotten('share')).toBe(2);
});
