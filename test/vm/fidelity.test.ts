/**
 * Traffic through netem, on the kernel that Debian ships; shares are measured by quickstart.test.ts and joined.test.ts.
 * Not here: what measures the delay line, which is tested on the real machine.
 */
import { itPasses } from './machine/inner-suite.ts';

itPasses([{ file: 'test/kernel/fidelity/links.test.ts', only: 'with netem' }]);
