/** A topology for another program. `registry.ts` has them all. */
import type { Topology } from '../model/model.ts';

export interface Exported {
  readonly text: string;
  /** What the other program can't express, or would do otherwise: one sentence for each kind. */
  readonly lost: readonly string[];
}

export interface Export {
  /** As `--to` has it. */
  readonly name: string;
  /** `heading`: for a comment. */
  write(topology: Topology, heading: string): Exported;
}
