import { defineConfig } from 'vitest/config';

// As bin/netfold, which says why: some tests start threads, which read TypeScript by themselves.
const execArgv = ['--no-wasm-tier-up'];

/**
 * `unit` needs nothing but Node and runs before every commit. `kernel` needs root and a Linux kernel: it makes
 * namespaces and real traffic, so its files run one after the other, each in a process of its own (a network
 * namespace is a property of the thread), and after the unit tests, which would disturb what it measures. `kernel-beside`
 * is what of it measures nothing, and looks at nothing but its own: two files at a time. `docker`
 * starts a container engine of its own, `swarm` two, and builds netfold's image; `kubernetes` builds a cluster as well. `browser` opens the dashboard in Chromium, and is a command of its own. `vm` boots
 * Debian's kernel in an emulated machine and runs kernel tests there; `vm-alone` does what takes the
 * whole host, and `vm-long` what takes so long that `npm test` leaves it out (test/vm/README.md).
 */
const isSlow = process.env.NETFOLD_SLOW_MACHINE !== undefined;
const real = {
  execArgv,
  globalSetup: 'test/support/kernel-setup.ts',
  pool: 'forks',
  fileParallelism: false,
  // A busy machine lets a look at a running system come too late, once in some thousand times, and Node was seen to crash
  // on an emulated processor, once in ten machines; what is wrong fails twice. Those that needed it are named at the end.
  retry: 1,
} as const;

/**
 * What no other test disturbs, and what disturbs none. Not full-disk: an experiment that ends beside it takes away /run/netfold. Not
 * least-power: it looks into all processes of the machine, and root's `ping` gives up the capabilities that keep others out.
 */
const BESIDE = [
  'test/kernel/faults/{bounds,commands,fault-kinds,security}.test.ts',
  'test/kernel/interfaces/{absent-at-end,adoption,attach,coming-and-going,counting,exempt,ipv6-machines,take-over,tc-port}.test.ts',
  'test/kernel/lab/{addresses,api,crash,hosts-like,kollaps,ns2,package}.test.ts',
  'test/kernel/lab/{records,segments,service,services,side-doors,several-machines}.test.ts',
  'test/kernel/refusals/*.test.ts',
  'test/kernel/ssh/*.test.ts',
  'test/kernel/workbench/{capture,shrink}.test.ts',
];

const kernel = {
  ...real,
  testTimeout: 60_000,
  hookTimeout: isSlow ? 240_000 : 60_000,
};

const emulated = {
  ...real,
  testTimeout: 900_000,
  hookTimeout: 360_000,
};

export default defineConfig({
  test: {
    // A forgotten `.only` would pass for a whole run.
    allowOnly: process.env.CI === undefined,
    projects: [
      {
        test: {
          name: 'unit',
          execArgv,
          include: ['test/unit/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          // Those that fill every limit take seconds, and several times that on a busy machine.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...kernel,
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts', 'examples/sdk/*.test.ts'],
          exclude: BESIDE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...kernel,
          name: 'kernel-beside',
          include: BESIDE,
          sequence: { groupOrder: 2 },
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      {
        test: {
          ...real,
          name: 'docker',
          include: ['test/docker/**/*.test.ts'],
          sequence: { groupOrder: 3 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...real,
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          sequence: { groupOrder: 7 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...real,
          name: 'packages',
          include: ['test/packages/**/*.test.ts'],
          sequence: { groupOrder: 7 },
          // Debian is installed, and the job of `npm start` runs.
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          ...real,
          name: 'swarm',
          include: ['test/swarm/**/*.test.ts'],
          sequence: { groupOrder: 8 },
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          ...real,
          name: 'kubernetes',
          include: ['test/kubernetes/**/*.test.ts'],
          sequence: { groupOrder: 8 },
          // What it measures is not measured again.
          retry: 0,
        },
      },
      {
        test: {
          ...real,
          name: 'metrics',
          include: ['test/metrics/**/*.test.ts'],
          sequence: { groupOrder: 9 },
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...real,
          name: 'hosts',
          include: ['test/hosts/**/*.test.ts'],
          sequence: { groupOrder: 10 },
          testTimeout: 900_000,
          hookTimeout: 300_000,
          // What it measures is not measured again.
          retry: 0,
        },
      },
      {
        test: {
          ...kernel,
          name: 'verdict',
          include: ['test/verdict/**/*.test.ts'],
          sequence: { groupOrder: 11 },
        },
      },
      {
        test: {
          ...kernel,
          name: 'hostile',
          include: ['test/hostile/**/*.test.ts'],
          sequence: { groupOrder: 11 },
        },
      },
      {
        test: {
          ...emulated,
          name: 'vm',
          include: ['test/vm/interfaces.test.ts', 'test/vm/fidelity.test.ts'],
          sequence: { groupOrder: 4 },
          // One processor each, and a clock of their own: they disturb each other little.
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      {
        test: {
          ...emulated,
          name: 'vm-alone',
          include: ['test/vm/quickstart.test.ts', 'test/vm/joined.test.ts'],
          sequence: { groupOrder: 5 },
        },
      },
      {
        test: {
          ...emulated,
          name: 'vm-long',
          include: ['test/vm/{accuracy,kill,neighbours,paths,red}.test.ts'],
          sequence: { groupOrder: 6 },
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
    ],
  },
});
