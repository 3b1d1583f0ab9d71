/** Interfaces whose agent is killed, with netem: some four minutes, for `npm run test:vm` alone. */
import { itPasses } from './machine/inner-suite.ts';

itPasses([{ file: 'test/kernel/interfaces/kill.test.ts', only: 'with netem' }]);
