/** Whether this machine can run an experiment at all. */
import type { Ability } from '../../agent/linux/probe/ability.ts';
import { ControllerError } from '../errors.ts';
import { blockerLines } from './report.ts';

/** Throws one error that names everything that a local lab needs and the machine lacks. */
export function requireAbilities(abilities: readonly Ability[]): void {
  const lines = blockerLines(abilities);
  if (lines.length === 0) return;
  const text = lines.map((line) => `  ${line}`).join('\n');
  throw new ControllerError('MACHINE_CANNOT', `this machine can't run a local lab:\n${text}`);
}
