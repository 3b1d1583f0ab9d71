/** Interfaces that others use as well, or had before, on the kernel that Debian ships: some nine minutes, for `npm run test:vm` alone. */
import { itPasses } from './machine/inner-suite.ts';

itPasses([
  { file: 'test/kernel/interfaces/bystanders.test.ts', only: 'with netem' },
  { file: 'test/kernel/interfaces/take-over.test.ts' },
]);
