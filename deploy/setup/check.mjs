// @ts-check
/** `npm run check`: everything that needs no root and takes seconds. */
import { runChecks, STATIC_CHECKS, UNIT_TESTS } from './checks.mjs';
import { ensureNodePackages } from './node-packages.mjs';
import { runMain } from './report.mjs';

await runMain(async () => {
  await ensureNodePackages();
  // The longest first, so that the second core has the rest meanwhile.
  const { failed } = await runChecks([UNIT_TESTS, ...STATIC_CHECKS]);
  return failed.length === 0 ? 0 : 1;
});
