/** A run of the scale bench. */
import type { CpuUse } from '../measure/cpu/cpu-watch.ts';
import type { DelayWork } from '../measure/cpu/delay-work.ts';
import type { Span, Spent } from '../measure/cpu/profile.ts';
import type { CrowdError } from '../measure/traffic/ping-crowd.ts';
import type { Steady } from '../measure/traffic/steady-pings.ts';

/** Measured in the lab with shaping. */
export interface Shaped {
  readonly names: readonly string[];
  readonly idle: CpuUse;
  /** Of the first round trip of each pair. */
  readonly first: CrowdError;
  readonly steady: Steady;
  readonly span: Span;
  /** In the steady time. */
  readonly work: DelayWork | undefined;
  readonly memoryBytes: number;
  readonly mostMemoryBytes: number;
}

export interface ScaleRun extends Shaped {
  readonly nodes: number;
  readonly unshaped: Steady;
  readonly spent: readonly Spent[];
}
