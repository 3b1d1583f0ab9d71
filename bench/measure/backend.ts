/** With what this machine delays packets. */
import { chooseDelayBackend } from '../../agent/delay-backend.ts';
import { type DelayBackendName, probeMachine } from '../../agent/kernel/probe.ts';
import { requireAbilities } from '../../controller/experiment/experiment.ts';

/** Throws `DELAY_BACKEND_MISSING` or `MACHINE_CANNOT`. */
export function machineBackend(): DelayBackendName {
  const abilities = probeMachine();
  requireAbilities(abilities);
  return chooseDelayBackend('auto', abilities);
}
