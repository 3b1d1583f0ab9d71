// @ts-check
/**
 * `npm test [-- ARGUMENTS OF VITEST]`: sets up this machine, then runs the static checks and all tests but the longest
 * (`vm-long`, which `npm run test:vm` has, `packages`, `browser`, `swarm`, `kubernetes`, `hosts`, `verdict`, `hostile` and `metrics`). Its last line is `N passed, N failed`. A check counts as one; a skipped test
 * fails the run, unless arguments chose some tests.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecks, STATIC_CHECKS, VITEST } from './checks.mjs';
import { describeMachine } from './machine.mjs';
import { ensureNodePackages } from './node-packages.mjs';
import { NODE_24, ROOT, runForeground, runtimeEnv } from './processes.mjs';
import { mayColour, runMain, sayDoing, sayFailed } from './report.mjs';
import { ensureSystemPackages } from './system-packages.mjs';
import { summarize } from './test-summary.mjs';

/** By name: of several exclusions (`!vm-long`), Vitest leaves out only what all of them name. */
const PROJECTS = ['unit', 'kernel', 'kernel-beside', 'docker', 'vm', 'vm-alone'];

/**
 * @param {readonly string[]} args
 * @returns {Promise<import('./test-summary.mjs').Summary>}
 */
async function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'netfold-test-'));
  try {
    const file = join(folder, 'report.json');
    // Vitest colours files and pipes too.
    const env = mayColour(process.stdout, process.env) ? runtimeEnv() : { ...runtimeEnv(), NO_COLOR: '1' };
    const ours = `--reporter=${join(ROOT, 'deploy/setup/second-tries.mjs')}`;
    const reporters = ['--reporter=default', ours, '--reporter=json', `--outputFile.json=${file}`];
    // What was chosen may be among the longest.
    const chosen = args.length > 0 ? args : PROJECTS.flatMap((name) => ['--project', name]);
    const code = await runForeground(NODE_24, [...VITEST, ...reporters, ...chosen], { cwd: ROOT, env });
    return summarize(readReport(file), code, ROOT);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} file */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

await runMain(async () => {
  const args = process.argv.slice(2);
  const own = /** @type {const} */ (['browser', 'metrics', 'kubernetes']);
  const purpose =
    own.find((name) => args.some((arg) => arg === name || arg === `--project=${name}`)) ?? 'test';
  await ensureSystemPackages(describeMachine(), purpose);
  await ensureNodePackages();
  const checks = await runChecks(STATIC_CHECKS);
  const tests = await runTests(args);
  for (const name of checks.failed) sayFailed(`check failed: ${name}`);
  const skipsFail = args.length === 0 || process.env.CI !== undefined;
  if (skipsFail) for (const name of tests.notRun) sayFailed(`skipped, which fails the run: ${name}`);
  else if (tests.notRun.length > 0)
    sayDoing(`${tests.notRun.length} tests did not run: not chosen, or skipped`);
  const passed = checks.passed + tests.passed;
  const failed = checks.failed.length + tests.failed + (skipsFail ? tests.notRun.length : 0);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
});
