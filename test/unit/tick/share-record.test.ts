import { expect, test } from 'vitest';
import { type LocalShare, ShareRecord } from '../../../agent/tick/share-record.ts';

const share = (source: number, destination: number, ceilingBps: number): LocalShare => ({
  source,
  destination,
  ceilingBps,
});

/** `time source>destination share (epoch)` */
function lines(record: ShareRecord): string[] {
  return record
    .entries()
    .map(
      ({ atMicros, source, destination, shareBps, epoch }) =>
        `${atMicros} ${source}>${destination} ${shareBps} (${epoch})`,
    );
}

test('keeps what changed, and nothing of what stays', () => {
  const record = new ShareRecord();
  record.note([share(0, 3, 10e6), share(1, 3, 20e6)], 100, 0);
  record.note([share(0, 3, 10e6), share(1, 3, 20e6)], 200, 0);
  record.note([share(0, 3, 12e6), share(1, 3, 20e6)], 300, 1);
  expect(lines(record)).toEqual(['100 0>3 10000000 (0)', '100 1>3 20000000 (0)', '300 0>3 12000000 (1)']);
});

test('a flow that is no longer there has no share; one that comes again begins anew', () => {
  const record = new ShareRecord();
  record.note([share(0, 3, 10e6), share(3, 0, 5e6)], 100, 0);
  record.note([share(3, 0, 5e6)], 200, 1);
  record.note([share(3, 0, 5e6)], 300, 1);
  record.note([share(0, 3, 10e6), share(3, 0, 5e6)], 400, 2);
  expect(lines(record).slice(2)).toEqual(['200 0>3 0 (1)', '400 0>3 10000000 (2)']);
});

test('a flow without a limit is told from one that has ended', () => {
  const record = new ShareRecord();
  record.note([share(0, 1, Number.POSITIVE_INFINITY)], 100, 0);
  expect(lines(record)).toEqual(['100 0>1 Infinity (0)']);
});

test('forgets the oldest, and says how many', () => {
  const record = new ShareRecord(3);
  for (let time = 1; time <= 5; time++) record.note([share(0, 1, time)], time * 10, 0);
  expect(lines(record)).toEqual(['30 0>1 3 (0)', '40 0>1 4 (0)', '50 0>1 5 (0)']);
  expect(record.forgotten).toBe(2);
});
