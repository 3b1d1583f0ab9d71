/** Every property of a path with netem, and RED beside the kernel's own: some nine minutes, for `npm run test:vm` alone. */
import { itPasses } from './machine/inner-suite.ts';

itPasses([
  { file: 'test/kernel/fidelity/accuracy.test.ts', only: 'with netem' },
  { file: 'test/kernel/workbench/queues.test.ts', only: 'beside the kernel' },
]);
