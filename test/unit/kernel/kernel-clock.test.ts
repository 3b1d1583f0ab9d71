import { expect, test } from 'vitest';
import { kernelMonotonicNanos, monotonicAheadIn } from '../../../agent/kernel/bpf/kernel-clock.ts';

test('the offset of a time namespace is read, also a negative one', () => {
  expect(monotonicAheadIn('monotonic           0         0\nboottime            0         0\n')).toBe(0n);
  expect(monotonicAheadIn('monotonic       86400         5\nboottime            7         0\n')).toBe(
    86_400_000_000_005n,
  );
  expect(monotonicAheadIn('monotonic          -1 500000000\nboottime            0         0\n')).toBe(
    -500_000_000n,
  );
  expect(monotonicAheadIn('')).toBe(0n);
});

test('outside of one, the clock is the process’ own', () => {
  const before = process.hrtime.bigint();
  const now = kernelMonotonicNanos();
  expect(now >= before && now <= process.hrtime.bigint()).toBe(true);
});
