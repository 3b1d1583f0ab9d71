/**
 * The desired state of a whole interface at once; the agent reaches it step by step
 * (agent/enforce/interface-needs.ts).
 */

import { type InterfaceState, type ShapedClass, UNSHAPED } from '../../agent/enforce/interface-state.ts';
import {
  type Destination,
  type InQueue,
  segmentsFor,
  shapeOf,
  UNIMPAIRED,
} from '../../agent/enforce/path-class.ts';

/** As the delay backends have it: netem in the classes' queues, or what delays elsewhere. */
export const IN_QUEUE = {
  'in-queues': (path) => path,
  elsewhere: () => UNIMPAIRED,
} as const satisfies Record<string, InQueue>;

/** Destinations whose path neither limits nor (in queues) impairs get no class: they pass HTB directly. */
export function desiredInterface(
  destinations: Iterable<Destination>,
  impairment: keyof typeof IN_QUEUE,
): InterfaceState {
  const known = [...destinations];
  const inQueue = IN_QUEUE[impairment];
  const segments = segmentsFor(known, inQueue);
  const classes = new Map<number, ShapedClass>();
  const targets = new Map<string, number>();
  for (const destination of known) {
    const { shaped, target } = shapeOf(destination, inQueue, segments);
    if (shaped) classes.set(shaped.minor, shaped);
    // Destinations without a target pass unshaped anyway.
    if (target !== UNSHAPED) for (const address of destination.addresses) targets.set(address, target);
  }
  return { foreignRoot: undefined, classifier: true, gsoSegments: segments, classes, targets };
}
