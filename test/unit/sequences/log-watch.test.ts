/** Texts in logs: found however they are written, and told once. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LogWatch } from '../../../agent/notify/log-watch.ts';
import { NOTIFIED } from '../../../proto/control.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

let folder: string;
let time: ManualClock;
let told: string[];
let answer: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-log-watch-'));
  time = new ManualClock();
  told = [];
  answer = NOTIFIED;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fileOf = (endpoint: string): string => join(folder, `${endpoint}.log`);
function watch(): LogWatch {
  const tell = (endpoint: string, name: string): string => {
    told.push(`${name} ${endpoint}`);
    return answer;
  };
  const one = new LogWatch({ timers: time, fileOf, tell }, [
    { name: 'up', text: 'is up', endpoints: ['a.0', 'b.0'] },
    { name: 'ready', text: 'ready: 1', endpoints: ['a.0'] },
  ]);
  one.set([{ name: 'a.0' }, { name: 'c.0' }]);
  return one;
}

it('are found in what was there, and in pieces', async () => {
  writeFileSync(fileOf('a.0'), 'starting\nserver is up\n');
  writeFileSync(fileOf('c.0'), 'is up\n');
  const one = watch();
  await time.advance(100);
  expect(told).toEqual(['up a.0']);
  appendFileSync(fileOf('a.0'), 'is up again, rea');
  await time.advance(100);
  appendFileSync(fileOf('a.0'), 'dy: 1\n');
  await time.advance(1000);
  expect(told).toEqual(['up a.0', 'ready a.0']);
  one.set([{ name: 'a.0' }, { name: 'b.0' }]);
  writeFileSync(fileOf('b.0'), 'is up');
  await time.advance(200);
  expect(told).toEqual(['up a.0', 'ready a.0', 'up b.0']);
  one.stop();
  await time.advance(1000);
  expect(time.pendingTimers).toBe(0);
});

it('are found in a log that was emptied, and in one that comes later', async () => {
  const one = watch();
  await time.advance(300);
  writeFileSync(fileOf('a.0'), 'a long line that says nothing\n');
  await time.advance(100);
  writeFileSync(fileOf('a.0'), 'is up\n');
  await time.advance(100);
  expect(told).toEqual(['up a.0']);
  one.stop();
});

it('are told again until they are taken', async () => {
  answer = 'not yet';
  writeFileSync(fileOf('a.0'), 'is up\n');
  const one = watch();
  await time.advance(200);
  expect(told).toEqual(['up a.0', 'up a.0']);
  answer = NOTIFIED;
  await time.advance(500);
  expect(told).toHaveLength(3);
  one.stop();
});
