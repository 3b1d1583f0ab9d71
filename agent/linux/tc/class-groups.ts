/** The classes of HTB that tc lists → those of paths, with what rules limit beside them (agent/enforce/interface-state.ts). Pure. */

import { MAX_LIMITS } from '../../../proto/rules.ts';
import {
  groupMinor,
  type LeafQueue,
  type LimitedClass,
  MOST_LIMITED_MINOR,
  type ShapedClass,
} from '../../enforce/interface-state.ts';
import type { HtbRate } from '../../kernel/netlink/tc-messages.ts';
import type { ClassSeen } from './tc-dumps.ts';

export type PathClass = HtbRate & Pick<ShapedClass, 'minor' | 'limits'>;

/** `queueOf`: that of a class, by its minor number. What is left of a group without the path's own class is of no path. */
export function pathClasses(seen: readonly ClassSeen[], queueOf: (minor: number) => LeafQueue): PathClass[] {
  const all = new Map(seen.map((one) => [one.minor, one]));
  const heads = new Set(seen.map(({ above }) => above));
  return seen.flatMap(({ above, ...own }): PathClass | [] => {
    if (above === undefined) return heads.has(own.minor) ? [] : own;
    if (own.minor > MOST_LIMITED_MINOR || groupMinor(own.minor, 0) !== above) return [];
    const limits: LimitedClass[] = [];
    for (let place = 1; place <= MAX_LIMITS; place++) {
      const limited = all.get(groupMinor(own.minor, place));
      if (limited?.above !== above) break;
      const { minor, bytesPerSecond, burstBytes } = limited;
      limits.push({ bytesPerSecond, burstBytes, queue: queueOf(minor) });
    }
    // Both have the path's rate; where they differ, neither is right.
    const isRight = all.get(above)?.bytesPerSecond === own.bytesPerSecond;
    return { ...own, bytesPerSecond: isRight ? own.bytesPerSecond : 0, limits };
  });
}
