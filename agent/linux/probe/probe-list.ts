/** Runs probes one after the other. A probe that needs a missing ability is not tried. */
import { type Ability, type AbilityId, judge, type Subject } from './ability.ts';
import type { Machine } from './platform.ts';

export interface Probe extends Subject {
  readonly needs?: readonly AbilityId[];
  /** Returns a description of the result, where there is one; throws where the ability is missing. */
  readonly attempt: () => string | undefined;
}

export function runProbes(probes: readonly Probe[], machine: Machine): Ability[] {
  const abilities: Ability[] = [];
  for (const probe of probes) {
    const missing = abilities.filter(({ id, ok }) => !ok && probe.needs?.includes(id));
    abilities.push(missing.length > 0 ? untried(probe, missing, machine) : attempt(probe, machine));
  }
  return abilities;
}

function untried(probe: Probe, missing: readonly Ability[], machine: Machine): Ability {
  // A probe that was not tried is named as a cause only where no other is known.
  const causes = missing.filter(({ tried }) => tried);
  const names = (causes.length > 0 ? causes : missing).map(({ name }) => name);
  const reason = `not tried: it needs ${names.join(' and ')}`;
  return judge(probe, { reason, tried: false }, machine);
}

function attempt(probe: Probe, machine: Machine): Ability {
  try {
    return judge(probe, { found: probe.attempt() ?? '' }, machine);
  } catch (error) {
    return judge(probe, { reason: (error as Error).message }, machine);
  }
}
