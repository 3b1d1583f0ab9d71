import { expect, test } from 'vitest';
import { afterRefusal } from '../../../controller/ui/data/connection.ts';

test('an experiment of which the page has heard, and nobody knows any more, has ended', () => {
  const after = (before: Parameters<typeof afterRefusal>[0]) => afterRefusal(before, 'EXPERIMENT_UNKNOWN');
  expect(after('live')).toBe('ended');
  // The stream's end was never heard: a server that was started again does not know of it.
  expect(after('lost')).toBe('ended');
  expect(after('ended')).toBe('ended');
});

test('one of which it has heard nothing may be just starting, and other refusals say nothing of its end', () => {
  expect(afterRefusal('connecting', 'EXPERIMENT_UNKNOWN')).toBe('connecting');
  expect(afterRefusal('live', 'AGENT_FAILED')).toBe('live');
  expect(afterRefusal('lost', 'UNREACHABLE')).toBe('lost');
});
