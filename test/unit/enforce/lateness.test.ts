import { expect, it } from 'vitest';
import { Lateness, meanLateMs } from '../../../agent/enforce/lateness.ts';

it('is a problem while the mean of the last seconds is above a millisecond', () => {
  const lateness = new Lateness();
  lateness.observe({ released: 1000, lateMs: 50 });
  expect(lateness.problem).toBeUndefined();
  lateness.observe({ released: 1500, lateMs: 50 + 500 * 2.25 });
  expect(lateness.problem).toMatch(/^500 packets of the last 5 s left 2\.3 ms late on average/);
  // Only what has left since counts.
  lateness.observe({ released: 1700, lateMs: 50 + 500 * 2.25 + 200 * 0.9 });
  expect(lateness.problem).toBeUndefined();
});

it('says nothing of few packets, of none, and of a backend that does not measure', () => {
  const lateness = new Lateness();
  lateness.observe({ released: 0, lateMs: 0 });
  expect(lateness.problem).toBeUndefined();
  lateness.observe({ released: 99, lateMs: 9900 });
  expect(lateness.problem).toBeUndefined();
  lateness.observe({ released: 199, lateMs: 19_900 });
  expect(lateness.problem).toBeDefined();
  // Silence afterwards is no lateness.
  lateness.observe({ released: 199, lateMs: 19_900 });
  expect(lateness.problem).toBeUndefined();
  lateness.observe(undefined);
  expect(lateness.problem).toBeUndefined();
});

it('has a mean of packets only', () => {
  expect(meanLateMs({ released: 0, lateMs: 0 })).toBeUndefined();
  expect(meanLateMs({ released: 4, lateMs: 1 })).toBe(0.25);
});

it('what was done before the beginning says nothing', () => {
  const lateness = new Lateness();
  lateness.begin({ released: 400, lateMs: 16_000 });
  lateness.observe({ released: 600, lateMs: 16_010 });
  expect(lateness.problem).toBeUndefined();
  lateness.observe({ released: 800, lateMs: 17_000 });
  expect(lateness.problem).toContain('200 packets');
});
