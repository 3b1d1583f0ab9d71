import { expect, test } from 'vitest';
import { Losses } from '../../../agent/enforce/losses.ts';

test('losses are told while they go on, and no longer', () => {
  const losses = new Losses('found no room');
  losses.observe(0);
  expect(losses.problem).toBeUndefined();
  losses.observe(12);
  expect(losses.problem).toBe('12 packets of the last 5 s found no room');
  losses.observe(15);
  expect(losses.problem).toBe('3 packets of the last 5 s found no room');
  losses.observe(15);
  expect(losses.problem).toBeUndefined();
});
