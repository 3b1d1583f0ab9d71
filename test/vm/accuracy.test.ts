/** Every property of a path with netem: some nine minutes, for `npm run test:vm` alone. */
import { itPasses } from './machine/inner-suite.ts';

itPasses([{ file: 'test/kernel/fidelity/accuracy.test.ts', only: 'with netem' }]);
