// @ts-check
/** `npm start [-- FILE …]`: sets up this machine, then runs FILE in the local lab and compares measured with target. */
import { describeMachine } from './machine.mjs';
import { ensureNodePackages } from './node-packages.mjs';
import { NODE_24, ROOT, runForeground, runtimeEnv } from './processes.mjs';
import { runMain } from './report.mjs';
import { verifyArguments } from './start-arguments.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

await runMain(async () => {
  await ensureSystemPackages(describeMachine(), 'start');
  await ensureNodePackages();
  const args = verifyArguments(process.argv.slice(2), ROOT);
  // npm runs us in the checkout; FILE is relative to where the user is.
  return runForeground(NODE_24, args, { cwd: process.env.INIT_CWD ?? process.cwd(), env: runtimeEnv() });
});
