/** What happens one after the other, each step when the one before it has ended: `sequences:`. */
import type { Micros } from '../../proto/units.ts';
import type { EventAction, RunAction, Target } from './events.ts';
import type { Expectation } from './expectations.ts';
import type { NodeReference } from './names.ts';
import type { Position } from './position.ts';

export interface Sequence {
  readonly name: string;
  readonly start: SequenceStart;
  readonly steps: readonly SequenceStep[];
  readonly position: Position;
}

export type SequenceStart = { readonly at: Micros } | { readonly after: Cause };

/** The end of a sequence, or what somebody notifies. */
export interface Cause {
  readonly name: string;
  /** Only if the sequence of this name has failed. */
  readonly fails: boolean;
}

export type SequenceStep = Placed &
  (
    | { readonly kind: 'action'; readonly action: EventAction }
    | { readonly kind: 'pause'; readonly time: Micros }
    /** `from`: until each of these endpoints has notified it. */
    | {
        readonly kind: 'wait';
        readonly name: string;
        readonly from?: readonly Target[];
        /** The text in the log of each of `from` that notifies `name` (`nameOfLogged`). */
        readonly log?: string;
      }
    /** Until the program has ended in all endpoints that `action` names. `code`: otherwise it fails. */
    | {
        readonly kind: 'program';
        readonly action: RunAction;
        readonly code: number;
        readonly timeout?: Micros;
      }
    /** Until the expectation has held once, from the step's beginning on; after `timeout` the sequence fails. */
    | { readonly kind: 'condition'; readonly expectation: Expectation; readonly timeout?: Micros }
  );

interface Placed {
  /** As it stands in the file. */
  readonly line: string;
  readonly position: Position;
}

/** What agents notify once the text is in the log of an endpoint. The same on every host (FNV-1a, twice 32 bits). */
export function nameOfLogged(text: string): string {
  const hash = (start: number): string => {
    let value = start;
    for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
    return (value >>> 0).toString(16).padStart(8, '0');
  };
  return `log-${hash(0x811c9dc5)}${hash(0x9e3779b1)}`;
}

/** The endpoint whose host sees whether an expectation holds: the sender, or the one that it is about. */
export function witnessOf(expectation: Expectation): NodeReference | undefined {
  if (expectation.what === 'verdict') return undefined;
  return 'from' in expectation ? expectation.from : expectation.node;
}
