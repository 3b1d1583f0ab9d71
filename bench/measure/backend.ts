/** The delay backends of this machine. */
import { chooseDelayBackend } from '../../agent/linux/delay/delay-backend.ts';
import { type DelayBackendName, delayBackends, probeMachine } from '../../agent/linux/probe/probe.ts';
import { requireAbilities } from '../../controller/machine/abilities.ts';
import type { DelayBackendChoice } from '../../proto/bootstrap.ts';
import { BenchError } from '../errors.ts';

/** The one that netfold takes by itself. Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT`. */
export function machineBackend(): DelayBackendName {
  const abilities = probeMachine();
  requireAbilities(abilities);
  return chooseDelayBackend('auto', abilities);
}

/** The one that is asked for; `auto`: all that this machine has. Throws `BACKENDS_NONE` besides. */
export function chosenBackends(choice: DelayBackendChoice): readonly DelayBackendName[] {
  const abilities = probeMachine();
  requireAbilities(abilities);
  if (choice !== 'auto') return [chooseDelayBackend(choice, abilities)];
  const able = delayBackends(abilities);
  if (able.length === 0) throw new BenchError('BACKENDS_NONE', 'this kernel has neither netem nor NFQUEUE');
  return able;
}
