import { defineConfig } from 'vitest/config';

/**
 * `unit` needs nothing but Node and runs before every commit. `kernel` needs root and a Linux kernel: it makes
 * namespaces and real traffic, so its files run one after the other, each in a process of its own (a network
 * namespace is a property of the thread), and after the unit tests, which would disturb what it measures.
 */
export default defineConfig({
  test: {
    // A forgotten `.only` would pass for a whole run.
    allowOnly: process.env.CI === undefined,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], sequence: { groupOrder: 0 } } },
      {
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          globalSetup: ['test/support/kernel-tests-need-root.ts'],
          sequence: { groupOrder: 1 },
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
