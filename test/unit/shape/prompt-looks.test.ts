import { beforeEach, expect, test } from 'vitest';
import { MOST_MS, PromptLooks, WATCH_MS } from '../../../agent/shape/prompt-looks.ts';

let now: number;
let announced: Set<number>;
/** Endpoints that somebody has changed, so that a look finds something to put back. */
let broken: Set<number>;
let looked: { readonly endpoint: number; readonly at: number }[];
let tookMs: number;
let looks: PromptLooks;

beforeEach(() => {
  now = 0;
  announced = new Set();
  broken = new Set();
  looked = [];
  tookMs = 0.3;
  looks = new PromptLooks({
    clock: { now: () => now, wallNow: () => now },
    changes: {
      take: () => {
        const taken = announced;
        announced = new Set();
        return taken;
      },
    },
    look: (endpoint) => {
      looked.push({ endpoint, at: now });
      now += tookMs;
      return broken.delete(endpoint);
    },
  });
});

/** Turns until `until`; before each, `happens`. */
function pass(until: number, happens: () => void = () => {}): void {
  while (now < until) {
    const next = now + WATCH_MS;
    happens();
    looks.turn(true);
    now = Math.max(now, next);
  }
}

const looksAt = (wanted: number): number => looked.filter(({ endpoint }) => endpoint === wanted).length;

test('what is announced is looked at in the next turn, once', () => {
  pass(200);
  expect(looked).toEqual([]);
  announced.add(7);
  pass(2000);
  expect(looked).toEqual([{ endpoint: 7, at: 200 }]);
});

test('what is announced before looks are allowed waits, unless all is read back meanwhile', () => {
  announced.add(1);
  looks.turn(false);
  announced.add(2);
  looks.forget();
  announced.add(3);
  now += WATCH_MS;
  looks.turn(false);
  expect(looked).toEqual([]);
  pass(1000);
  expect(looked.map(({ endpoint }) => endpoint)).toEqual([3]);
});

test('who removes things in a loop is put back ever more seldom, and at once again after a pause', () => {
  const breaks = (): void => {
    broken.add(1);
    announced.add(1);
  };
  pass(10_000, breaks);
  const times = looked.map(({ at }) => at);
  const pauses = times.slice(1).map((time, index) => time - times[index]!);
  expect(times[0]).toBe(0);
  expect(pauses.slice(0, 4).every((pause, index) => pause < 200 * 2 ** index)).toBe(true);
  for (const pause of pauses.slice(6)) {
    expect(pause).toBeGreaterThanOrEqual(MOST_MS);
    expect(pause).toBeLessThan(MOST_MS + 2 * WATCH_MS);
  }
  pass(20_000);
  const before = looked.length;
  breaks();
  pass(20_200);
  expect(looked.length).toBe(before + 1);
  breaks();
  pass(20_400);
  expect(looked.length).toBe(before + 2);
});

test('who changes what needs no correction is looked at, and others have their turn', () => {
  pass(5000, () => {
    for (const endpoint of [1, 2, 3]) announced.add(endpoint);
  });
  for (const endpoint of [1, 2, 3]) expect(looksAt(endpoint)).toBeGreaterThan(20);
});

test('however many change, looks take a tenth of the time', () => {
  tookMs = 2;
  pass(60_000, () => {
    for (let endpoint = 0; endpoint < 500; endpoint++) announced.add(endpoint);
  });
  expect(looked.length * tookMs).toBeLessThan(6100);
  expect(looked.length * tookMs).toBeGreaterThan(3000);
  const counts = Array.from({ length: 500 }, (_, endpoint) => looksAt(endpoint));
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
});

test('one whose repair takes long rests for long', () => {
  tookMs = 100;
  pass(60_000, () => {
    broken.add(1);
    announced.add(1);
  });
  expect(looked.length * tookMs).toBeLessThan(6100);
});
