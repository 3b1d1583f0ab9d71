/**
 * The events of a timeline: one `TopologyEvent` per line of the file, with names not yet expanded to replicas.
 * topology/timeline/timeline.ts turns them into atomic changes.
 */
import type { ChangeableName, FileKey, PropertyValue, ReplaceableName } from '../../proto/impairment.ts';
import type { Bps, Micros, Ratio } from '../../proto/units.ts';
import type { NodeReference } from './names.ts';
import type { Position } from './position.ts';

export interface TopologyEvent {
  /** Since the start of the experiment. */
  readonly at: Micros;
  /** End of `from … to …`, where the window's effect is undone. */
  readonly until?: Micros;
  readonly action: EventAction;
  readonly position: Position;
}

export type EventAction =
  | LifecycleAction
  | SetAction
  | FlapAction
  | ChurnAction
  | ScatterAction
  | PartitionAction
  | { readonly verb: 'heal' }
  | RunAction
  | SignalAction
  | { readonly verb: 'quit' }
  | FlowAction
  | NotifyAction
  | EndedAction
  | RekeyAction
  | ResetAction;

/** Back to the file's timeline. A command only, never in a file; the code that keeps the commands executes it. */
export interface ResetAction {
  readonly verb: 'reset';
}

/** Another key of the mesh. A command only; the network does not change, and agents read it elsewhere (proto/command.ts). */
export interface RekeyAction {
  readonly verb: 'rekey';
}

/** Somebody says that something has happened; sequences wait for it. A command only. */
export interface NotifyAction {
  readonly verb: 'notify';
  readonly name: string;
  /** The endpoint in which it was said; absent: a user said it. */
  readonly from?: NodeReference;
}

/** What the agent of an endpoint says of a program of a sequence (`Program`). A command only, and only of agents. */
export interface EndedAction {
  readonly verb: 'ended';
  readonly sequence: string;
  readonly step: number;
  readonly endpoint: NodeReference;
  /** Absent: it was killed, or could not be started. */
  readonly code?: number;
}

export type LifecycleVerb = 'join' | 'leave' | 'crash' | 'disconnect' | 'reconnect';

/** `join client 3`, `leave s1--s2`, `crash tag:edge`. Links and bridges only join and leave. */
export interface LifecycleAction {
  readonly verb: LifecycleVerb;
  readonly targets: readonly Target[];
  /** How many of the endpoints that `targets` name; absent: all of them. */
  readonly amount?: number;
  /** Instead of `amount`: this part of those present then (`reconnect`: of those disconnected), rounded down. */
  readonly share?: Ratio;
  /** Instead of both: this part of those that the verb can change then, rounded to the nearest, as `churn` does. */
  readonly portion?: Ratio;
}

/** `set s1--s2 latency=200% up=+5Mbps`. */
export interface SetAction {
  readonly verb: 'set';
  readonly targets: readonly Target[];
  readonly changes: readonly Change[];
}

/** Down at the start, then up and down in turn, each for `period`; up at the end. */
export interface FlapAction {
  readonly verb: 'flap';
  readonly targets: readonly Target[];
  readonly period: Micros;
}

/** At the start and then each `period`, some of the endpoints that are alive crash. */
export interface ChurnAction {
  readonly verb: 'churn';
  readonly targets: readonly Target[];
  readonly amount: Amount;
  readonly period: Micros;
  /** Whether as many endpoints join at the same instant. */
  readonly replace: boolean;
  readonly seed: number;
}

/**
 * ThunderStorm's `from … to …` for services: so many of the endpoints, one by one, each at a random instant of the
 * window. The number is determined at its start.
 */
export interface ScatterAction {
  readonly verb: 'scatter';
  /** `churn`: any endpoint crashes, and some of them are replaced at the same instant. */
  readonly what: 'join' | 'leave' | 'crash' | 'churn';
  readonly targets: readonly Target[];
  /** A share counts of those present at the start of the window, rounded down; absent: all possible ones. */
  readonly amount?: Amount;
  /** For `churn`: the part that is replaced, rounded to the nearest whole number. */
  readonly replace: Ratio;
  readonly seed: number;
}

export type Amount = { readonly count: number } | { readonly share: Ratio };

/**
 * `partition A B | C D`: no packet passes between endpoints of different groups; others are not affected. `*` in a group
 * stands for all that no other group names.
 */
export interface PartitionAction {
  readonly verb: 'partition';
  /** A bridge stands for the endpoints that are linked to it. */
  readonly groups: readonly (readonly Target[])[];
}

/** What a `run` is a program of: its end is told to all agents. */
export interface Program {
  readonly sequence: string;
  /** From 1. */
  readonly step: number;
  /** It is killed then. */
  readonly timeout?: Micros;
}

export interface RunAction {
  readonly verb: 'run';
  readonly targets: readonly Target[];
  readonly command: string;
  /** Of a sequence. */
  readonly program?: Program;
}

export interface SignalAction {
  readonly verb: 'signal';
  readonly targets: readonly Target[];
  readonly signal: Signal;
}

/** `start web bulk`: traffic of netfold's own begins to flow, or ends. */
export interface FlowAction {
  readonly verb: 'start' | 'stop';
  /** By name; several entries may have one. */
  readonly traffic: readonly FlowTarget[];
}

/** `name` `*`: all. */
export interface FlowTarget extends Placed {
  readonly name: string;
}

export const SIGNALS = ['TERM', 'KILL', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2', 'STOP', 'CONT'] as const;
export type Signal = (typeof SIGNALS)[number];

export type Target = AllTarget | TagTarget | NodeTarget | LinkTarget;

/** `*`: every endpoint, or every link for verbs about links. */
export interface AllTarget extends Placed {
  readonly kind: 'all';
}
/** `tag:edge`. */
export interface TagTarget extends Placed {
  readonly kind: 'tag';
  readonly tag: string;
}
/** `client`, `client.0`, `s1`. */
export interface NodeTarget extends Placed {
  readonly kind: 'node';
  readonly node: NodeReference;
}
/** `a--b` is both directions, `a->b` only that one. In `set a--b`, up is a → b, whichever order the file has. */
export interface LinkTarget extends Placed {
  readonly kind: 'link';
  readonly from: NodeReference;
  readonly to: NodeReference;
  readonly directed: boolean;
  /** `backup` in `s1--s2:backup`. Absent: all links between the two. */
  readonly link?: string;
}
interface Placed {
  readonly position: Position;
}

/** `up` and `down` change the bandwidth of one direction, `bandwidth` that of each direction meant. Named as in the file. */
export type Change =
  | {
      [P in Exclude<ChangeableName, ReplaceableName>]: {
        readonly property: FileKey<P>;
        readonly to: NewValue<PropertyValue<P>>;
      };
    }[Exclude<ChangeableName, ReplaceableName>]
  | {
      [P in ReplaceableName]: { readonly property: FileKey<P>; readonly to: Replaced<PropertyValue<P>> };
    }[ReplaceableName]
  | { readonly property: 'up' | 'down'; readonly to: NewValue<Bps> };

/** `10ms`, `200%` of the previous value, `+5ms` or `-5ms`. */
export type NewValue<T extends number> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'factor'; readonly factor: number }
  | { readonly kind: 'difference'; readonly difference: number };

/** `undefined`: the link has none. Of a trace it is the name, and its text when the change is made (topology/timeline/traces.ts). */
export interface Replaced<T extends string | number> {
  readonly kind: 'value';
  readonly value: T | undefined;
}
