// @ts-check
/** `npm run bench -- NAME …`: sets up this machine as `npm start` does, then measures. */
import { join } from 'node:path';
import { describeMachine } from './machine.mjs';
import { ensureNodePackages } from './node-packages.mjs';
import { NODE_24, ROOT, runForeground, runtimeEnv } from './processes.mjs';
import { runMain } from './report.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

await runMain(async () => {
  await ensureSystemPackages(describeMachine(), 'start');
  await ensureNodePackages();
  const args = [join(ROOT, 'bench', 'main.ts'), ...process.argv.slice(2)];
  // npm runs us in the checkout; files are relative to where the user is.
  return runForeground(NODE_24, args, { cwd: process.env.INIT_CWD ?? process.cwd(), env: runtimeEnv() });
});
