/** Symptoms over time become causes with a beginning and an end. */
import { expect, test } from 'vitest';
import type { Symptom } from '../../../agent/fidelity/causes.ts';
import { Judge, type JudgedCause } from '../../../agent/fidelity/judge.ts';
import { stateOf } from '../../../agent/fidelity/state.ts';

const late = (measured = 5): Symptom => ({ code: 'PACKETS_LATE', measured, message: `${measured} ms late` });
const full: Symptom = { code: 'CPU_SATURATED', measured: 0, message: 'no idle time' };
const times = ({ since, until }: JudgedCause) => [since, until];

test('a cause begins with its first symptom, and ends when it was seen last, once it is absent for a while', () => {
  const judge = new Judge();
  judge.observe(0, []);
  judge.observe(1000, [late()]);
  judge.observe(2000, [late()]);
  expect(judge.causes.map(times)).toEqual([[1000, undefined]]);
  judge.observe(3000, []);
  judge.observe(4000, []);
  expect(judge.causes.map(times)).toEqual([[1000, undefined]]);
  judge.observe(5000, []);
  expect(judge.causes.map(times)).toEqual([[1000, 2000]]);
});

test('what comes and goes with every other look is one cause', () => {
  const judge = new Judge();
  for (let second = 0; second < 20; second++) judge.observe(second * 1000, second % 2 === 0 ? [late()] : []);
  expect(judge.causes).toHaveLength(1);
  expect(judge.causes[0]!.since).toBe(0);
});

test('what comes again after its end is another cause', () => {
  const judge = new Judge();
  judge.observe(0, [late()]);
  judge.observe(10_000, []);
  judge.observe(11_000, [late()]);
  expect(judge.causes.map(times)).toEqual([
    [0, 0],
    [11_000, undefined],
  ]);
});

test('what has to hold counts from its beginning, but not before it has held, and not with a pause', () => {
  const judge = new Judge();
  for (let second = 0; second <= 3; second++) judge.observe(second * 1000, [full]);
  expect(judge.causes).toEqual([]);
  judge.observe(3500, []);
  for (let second = 4; second <= 7; second++) judge.observe(second * 1000, [full]);
  expect(judge.causes).toEqual([]);
  judge.observe(8000, [full]);
  expect(judge.causes.map(times)).toEqual([[4000, undefined]]);
});

test('a symptom may have begun before the look that sees it', () => {
  const judge = new Judge();
  judge.observe(9000, [{ code: 'AGENT_STALLED', measured: 4000, message: 'stood still', since: 4000 }]);
  judge.observe(12_000, []);
  expect(judge.causes.map(times)).toEqual([[4000, 9000]]);
});

test('of what is equally bad, the latest is told: another container has ended', () => {
  const judge = new Judge();
  const wrong = (message: string): Symptom => ({ code: 'PLACE_WRONG', measured: 1, message });
  judge.observe(0, [wrong('web-1 does not run')]);
  judge.observe(1000, [wrong('web-2 does not run')]);
  expect(judge.causes).toMatchObject([{ message: 'web-2 does not run', since: 0 }]);
});

test('the worst value stays, with its words; for a floor, the least', () => {
  const judge = new Judge();
  for (const [at, value] of [2, 7, 3].entries()) judge.observe(at * 1000, [late(value)]);
  expect(judge.causes).toMatchObject([{ measured: 7, message: '7 ms late', bound: 1 }]);
  const floor = new Judge();
  for (const [at, measured] of [0.01, 0, 0.015].entries())
    floor.observe(at * 3000, [{ ...full, measured, message: `${measured}` }]);
  expect(floor.causes).toMatchObject([{ measured: 0, message: '0' }]);
});

test('one code at several places is several causes', () => {
  const judge = new Judge();
  const slow = (path: string): Symptom => ({
    code: 'UNDERLAY_SLOW',
    path,
    measured: 9,
    bound: 5,
    message: path,
  });
  judge.observe(0, [slow('a > b'), slow('a > c')]);
  judge.observe(1000, [slow('a > c')]);
  judge.observe(4000, [slow('a > c')]);
  expect(judge.causes.map(({ path, until, bound }) => [path, until, bound])).toEqual([
    ['a > b', 0, 5],
    ['a > c', undefined, 5],
  ]);
});

test('who follows it hears of the beginning and of the end', () => {
  const heard: unknown[] = [];
  const judge = new Judge({ onChange: ({ code, until }) => heard.push([code, until]) });
  judge.observe(0, [late()]);
  judge.observe(1000, [late()]);
  judge.observe(9000, []);
  expect(heard).toEqual([
    ['PACKETS_LATE', undefined],
    ['PACKETS_LATE', 1000],
  ]);
});

test('of causes that have ended, the oldest are forgotten and counted', () => {
  const judge = new Judge({ kept: 3 });
  for (let n = 0; n < 5; n++) {
    judge.observe(n * 20_000, [late()]);
    judge.observe(n * 20_000 + 10_000, []);
  }
  expect(judge.causes.map(({ since }) => since)).toEqual([40_000, 60_000, 80_000]);
  expect(judge.forgotten).toBe(2);
  judge.forget();
  expect([judge.causes, judge.forgotten]).toEqual([[], 0]);
});

test('one invalid cause makes a run invalid, and any cause makes it degraded', () => {
  const [degraded, invalid] = [{ weight: 'degraded' }, { weight: 'invalid' }] as const;
  expect([stateOf([]), stateOf([degraded]), stateOf([degraded, invalid])]).toEqual([
    'faithful',
    'degraded',
    'invalid',
  ]);
});
