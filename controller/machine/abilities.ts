/** Whether this machine can run an experiment at all. */
import type { Ability, AbilityId } from '../../agent/linux/probe/ability.ts';
import { ControllerError } from '../errors.ts';
import { blockerLines } from './report.ts';

/** What only endpoints that netfold makes need, and what runs in them: containers have it from their engine. */
const OF_LABS: ReadonlySet<AbilityId> = new Set(['iproute2', 'util-linux', 'routing', 'veth']);

/**
 * Throws one error that names everything that is needed and the machine lacks. `inContainers`: endpoints are containers; netfold may
 * be one itself, without programs beside it, and without rights that only a lab needs.
 */
export function requireAbilities(abilities: readonly Ability[], inContainers = false): void {
  const needed = inContainers ? abilities.filter(({ id }) => !OF_LABS.has(id)) : abilities;
  const lines = blockerLines(needed);
  if (lines.length === 0) return;
  const text = lines.map((line) => `  ${line}`).join('\n');
  const what = inContainers ? 'shape containers' : 'run a local lab';
  throw new ControllerError('MACHINE_CANNOT', `this machine can't ${what}:\n${text}`);
}
