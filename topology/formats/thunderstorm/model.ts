/**
 * The lines of a ThunderStorm script, before they are applied to a topology.
 *
 * ThunderStorm: L. Liechti et al., "THUNDERSTORM: a tool to evaluate dynamic network topologies on distributed
 * systems", SRDS 2019. The language is that of the parser of Kollaps 2.0 (github.com/miguelammatos/Kollaps,
 * ThunderStorm/Parser.py), with some elements of its design notes (language.md there) that this parser lacks: events
 * without a selector, relative values, `partition`.
 */
import type { Micros, Ratio } from '../../../proto/units.ts';
import type { Amount, Change, LifecycleVerb, Target } from '../../model/events.ts';
import type { Bridge, LinkPair, Service } from '../../model/model.ts';
import type { Position } from '../../model/position.ts';

export interface Script {
  readonly file: string;
  /** `replicas` is the number in the line; the joins of the script may need others. */
  readonly services: readonly Service[];
  readonly bridges: readonly Bridge[];
  readonly links: readonly LinkPair[];
  /** Kollaps' own services; they are left out. */
  readonly supervisors: ReadonlySet<string>;
  readonly events: readonly ScriptEvent[];
}

export interface ScriptEvent {
  /** Absent: from the start until the quit, which only churn may leave open. */
  readonly time?: { readonly at: Micros; readonly until?: Micros };
  /** Absent: everything that the action accepts. */
  readonly selector?: Selector;
  readonly action: ScriptAction;
  readonly position: Position;
}

/** A node or a link by its name, or everything with one of the tags. */
export type Selector =
  | { readonly kind: 'named'; readonly target: Target & { readonly kind: 'node' | 'link' } }
  | { readonly kind: 'tagged'; readonly tags: readonly string[]; readonly position: Position };

export type ScriptAction =
  | { readonly verb: LifecycleVerb; readonly amount?: Amount }
  | { readonly verb: 'churn'; readonly amount: Amount; readonly replace: Ratio }
  | { readonly verb: 'set'; readonly changes: readonly Change[] }
  | { readonly verb: 'flap'; readonly period: Micros }
  | { readonly verb: 'partition'; readonly groups: readonly (readonly Target[])[] }
  | { readonly verb: 'quit' };
