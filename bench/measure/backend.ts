/** The delay backend of this machine. */
import { chooseDelayBackend } from '../../agent/linux/delay/delay-backend.ts';
import { type DelayBackendName, probeMachine } from '../../agent/linux/probe/probe.ts';
import { requireAbilities } from '../../controller/machine/abilities.ts';

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT`. */
export function machineBackend(): DelayBackendName {
  const abilities = probeMachine();
  requireAbilities(abilities);
  return chooseDelayBackend('auto', abilities);
}
