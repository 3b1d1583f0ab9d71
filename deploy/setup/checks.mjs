// @ts-check
/** What `npm run check` looks at: one table, and running it on two cores. */
import { capture, lastLines, NODE_24, ROOT, runtimeEnv } from './processes.mjs';
import { formatSeconds, sayDone, sayFailed } from './report.mjs';

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string[]} args of Node 24
 */

/** @param {string} path below node_modules */
const tool = (path) => `node_modules/${path}`;

/** Vitest with the settings that every run needs; the native loader writes no file into node_modules. */
export const VITEST = [tool('vitest/vitest.mjs'), 'run', '--configLoader', 'native'];

/** @type {Check} */
export const UNIT_TESTS = { name: 'unit tests', args: [...VITEST, '--project', 'unit'] };

/** @type {readonly Check[]} */
export const STATIC_CHECKS = [
  { name: 'types', args: [tool('typescript/bin/tsc'), '-p', '.', '--pretty', 'false'] },
  {
    name: 'types of the dashboard',
    args: [tool('typescript/bin/tsc'), '-p', 'controller/ui', '--pretty', 'false'],
  },
  {
    name: 'format and lint',
    args: [
      tool('@biomejs/biome/bin/biome'),
      'ci',
      '--colors=off',
      '--error-on-warnings',
      '--max-diagnostics=100',
      '.',
    ],
  },
  { name: 'generated messages in step', args: ['proto/build.ts', '--check'] },
  { name: 'generated schema in step', args: ['topology/formats/native/build-schema.ts', '--check'] },
  { name: 'built eBPF object in step', args: ['bpf/build.ts', '--check'] },
  { name: 'built dashboard in step', args: ['controller/ui/build.ts', '--check'] },
];

/** Check's machines, and many users', have two cores. */
const AT_ONCE = 2;

/**
 * Runs checks, at most two at a time in the order given, and reports each; for a failed one, its whole output.
 * @param {readonly Check[]} checks
 * @returns {Promise<{ passed: number, failed: string[] }>} the names of those that failed
 */
export async function runChecks(checks) {
  const waiting = [...checks];
  /** @type {string[]} */
  const failed = [];
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const { code, output, milliseconds } = await capture(NODE_24, check.args, {
        cwd: ROOT,
        env: { ...runtimeEnv(), NO_COLOR: '1', FORCE_COLOR: undefined },
      });
      if (code === 0) {
        sayDone(`${check.name} (${formatSeconds(milliseconds)})`);
      } else {
        failed.push(check.name);
        sayFailed(`${check.name} (${formatSeconds(milliseconds)}), exit code ${code}`);
        process.stdout.write(`${lastLines(output, Number.POSITIVE_INFINITY)}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { passed: checks.length - failed.length, failed };
}
