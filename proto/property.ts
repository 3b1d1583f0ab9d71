/** What the declaration of a property says: its syntax, fold, changes and encoding (impairment.ts has the properties). */
import type { Fold } from './folds.ts';

/** The syntax of a property in the topology file. */
export type FileField = {
  readonly key: string;
  readonly description: string;
  /** Used in the remedy for a wrong value. */
  readonly example?: string;
  readonly examples?: readonly string[];
  /** Keys that replace `key` for one direction, with their descriptions. */
  readonly directions?: { readonly up: string; readonly down: string };
} & (
  | {
      readonly kind: 'quantity';
      readonly parse: (text: string) => number;
      /** Matches whatever `parse` accepts. */
      readonly pattern: string;
    }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** `200 packets`, `64KB`, `50ms` (proto/queue.ts). It sets one of three properties. */
  | { readonly kind: 'queue' }
);

/** How an event may change a property. */
export interface ChangeRule {
  readonly parse: (text: string) => number;
  readonly format: (value: number) => string;
  /** Whether `200%` is relative to the previous value; otherwise it is the new value itself. */
  readonly isRelative: boolean;
  /** The limits of relative changes. */
  readonly least: number;
  readonly most: number;
  /** Whether the new value is rounded to a whole number. */
  readonly isWhole: boolean;
  /** Words that stand for values. */
  readonly words?: Readonly<Record<string, number>>;
}

/** As plain data that JSON can write. */
export interface Encoding {
  readonly key: string;
  readonly encode: (value: never) => unknown;
  readonly decode: (plain: never) => unknown;
}

export interface Property {
  /** Whether it is left out if it has its default. */
  readonly isOptional: boolean;
  /** The value of a link for which the file has none. */
  readonly default: unknown;
  readonly fold: Fold;
  /**
   * `packets`: affects single packets, in the queues of their classes or on arrival. `rate`: affects the rate that
   * flows share, always at the source.
   */
  readonly concerns: 'packets' | 'rate';
  /** Absent: it follows from others. */
  readonly file?: FileField;
  readonly change?: ChangeRule;
  readonly encoding: Encoding;
}
