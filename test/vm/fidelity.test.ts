/**
 * Traffic through netem, on the kernel that Debian ships; shares are measured by quickstart.test.ts and joined.test.ts.
 * Not here: what measures the delay line, which is tested on the real machine. Bystanders are here because
 * the machine of interfaces.test.ts, which runs beside this one, then takes equally long.
 */
import { itPasses } from './machine/inner-suite.ts';

itPasses([
  { file: 'test/kernel/interfaces/bystanders.test.ts', only: 'with netem' },
  { file: 'test/kernel/fidelity/links.test.ts', only: 'with netem' },
]);
