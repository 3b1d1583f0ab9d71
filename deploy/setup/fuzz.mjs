// @ts-check
/** `npm run fuzz -- --minutes N`: hostile inputs for every decoder and grammar. */
import { join } from 'node:path';
import { ensureNodePackages } from './node-packages.mjs';
import { NODE_24, ROOT, runForeground, runtimeEnv } from './processes.mjs';
import { runMain } from './report.mjs';

await runMain(async () => {
  await ensureNodePackages();
  const args = [join(ROOT, 'test', 'fuzz', 'main.ts'), ...process.argv.slice(2)];
  // npm runs us in the checkout; files are relative to where the user is.
  return runForeground(NODE_24, args, { cwd: process.env.INIT_CWD ?? process.cwd(), env: runtimeEnv() });
});
