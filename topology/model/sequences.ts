/** What happens one after the other, each step when the one before it has ended: `sequences:`. */
import type { Micros } from '../../proto/units.ts';
import type { EventAction, RunAction, Target } from './events.ts';
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
    | { readonly kind: 'wait'; readonly name: string; readonly from?: readonly Target[] }
    /** Until the program has ended in all endpoints that `action` names. `code`: otherwise it fails. */
    | {
        readonly kind: 'program';
        readonly action: RunAction;
        readonly code: number;
        readonly timeout?: Micros;
      }
  );

interface Placed {
  /** As it stands in the file. */
  readonly line: string;
  readonly position: Position;
}
