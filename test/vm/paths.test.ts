/** Several paths of equal cost, and rules, with netem: some fifteen minutes, for `npm run test:vm` alone. */
import { itPasses } from './machine/inner-suite.ts';

itPasses([
  { file: 'test/kernel/delay-line/lanes.test.ts', only: 'with netem' },
  { file: 'test/kernel/delay-line/several-paths.test.ts' },
  { file: 'test/kernel/fidelity/rules.test.ts', only: 'with netem' },
]);
