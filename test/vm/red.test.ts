/**
 * RED beside the kernel's own, which Debian's has: some ten minutes, for `npm run test:vm` alone. On a host without a free processor
 * the machine is late, and the kernel's own then drops more than the excess.
 */
import { itPasses } from './machine/inner-suite.ts';

itPasses([{ file: 'test/kernel/workbench/queues.test.ts', only: 'beside the kernel' }]);
