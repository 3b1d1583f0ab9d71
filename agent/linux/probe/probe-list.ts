/** Runs probes one after the other: one that builds on something missing is not tried. */
import { type Ability, type AbilityId, judge, type Subject } from './ability.ts';
import type { Machine } from './platform.ts';

export interface Probe extends Subject {
  readonly needs?: readonly AbilityId[];
  /** Returns what it found, where there is something to say; throws where the machine can't. */
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
  // What was not tried itself is no cause, where a cause is known.
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
