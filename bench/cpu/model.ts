/** A run of the cpu bench. */
import type { Memory } from '../measure/cpu/cpu-times.ts';
import type { CpuUse } from '../measure/cpu/cpu-watch.ts';
import type { DelayWork } from '../measure/cpu/delay-work.ts';
import type { Spent } from '../measure/cpu/profile.ts';

/** Each has an agent and half of the endpoints. */
export const HOSTS = 2;
export const FLOW_BPS = 2e6;

export interface CpuRun {
  readonly nodes: number;
  readonly use: CpuUse;
  /** Packets that the delay lines of all agents held; 0 where netem delays. */
  readonly heldPerSecond: number;
  readonly work: DelayWork | undefined;
  /** Of each agent. */
  readonly memory: readonly Memory[];
  /** Empty if no profile was requested. */
  readonly spent: readonly Spent[];
}
