import { expect, test } from 'vitest';
import {
  MAX_REQUESTS_UNDER_WAY,
  MIN_REQUEST_INTERVAL_MS,
  StateRequests,
} from '../../../../agent/mesh/exchange/state-requests.ts';
import { MAX_HOSTS } from '../../../../agent/mesh/wire/limits.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

function lab(answerAfterMs: number) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const requests = new StateRequests(
    (peer) => {
      asked.push(`${peer} ${clock.now()}`);
      return new Promise((resolve) => clock.after(answerAfterMs, resolve));
    },
    () => clock.now(),
  );
  clock.every(10, () => requests.proceed());
  return { clock, asked, requests };
}

test('a peer is asked at once, then not before the interval has passed, and only as often as wanted', async () => {
  const { clock, asked, requests } = lab(1);
  for (let time = 0; time < 10; time++) requests.want('a');
  await clock.advance(100);
  for (let time = 0; time < 10; time++) requests.want('a');
  await clock.advance(2000);
  expect(asked).toEqual(['a 0', `a ${MIN_REQUEST_INTERVAL_MS}`]);
});

test('a peer that does not answer is not asked again meanwhile', async () => {
  const { clock, asked, requests } = lab(1000);
  requests.want('a');
  await clock.advance(500);
  requests.want('a');
  await clock.advance(490);
  expect(asked).toEqual(['a 0']);
  await clock.advance(20);
  expect(asked).toEqual(['a 0', 'a 1000']);
});

test('many peers are asked a few at a time, each once', async () => {
  const { clock, asked, requests } = lab(100);
  for (let peer = 0; peer < 40; peer++) requests.want(`p${peer}`);
  expect(asked).toHaveLength(MAX_REQUESTS_UNDER_WAY);
  await clock.advance(1000);
  expect(new Set(asked.map((text) => text.split(' ')[0])).size).toBe(40);
  expect(asked).toHaveLength(40);
});

test('no more peers wait than there may be hosts', async () => {
  const { clock, asked, requests } = lab(0);
  for (let peer = 0; peer < 3 * MAX_HOSTS; peer++) requests.want(`p${peer}`);
  await clock.advance(5000);
  expect(asked.length).toBeLessThanOrEqual(MAX_HOSTS + MAX_REQUESTS_UNDER_WAY);
});
