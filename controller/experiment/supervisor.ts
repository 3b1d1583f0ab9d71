/** Restarts agents that have ended by themselves: after an increasing delay, and a limited number of times. */
import { setTimeout as sleep } from 'node:timers/promises';
import { millisToSeconds } from '../../proto/units.ts';
import type { AgentProcess } from './agents.ts';

/** So many restarts of one agent are allowed within this time. */
export const MOST_RESTARTS = 5;
export const WITHIN_MS = 60_000;
/** Before the first restart; it doubles for each further one. What an agent enforces stays in force meanwhile. */
export const FIRST_DELAY_MS = 100;

/** When an agent is restarted. */
export class RestartPolicy {
  #restarts: number[] = [];

  /** Milliseconds to wait before the next start; `undefined`: no further restart. `now`: milliseconds. */
  next(now: number): number | undefined {
    this.#restarts = this.#restarts.filter((at) => now - at < WITHIN_MS);
    if (this.#restarts.length >= MOST_RESTARTS) return undefined;
    const wait = FIRST_DELAY_MS * 2 ** this.#restarts.length;
    this.#restarts.push(now);
    return wait;
  }
}

type Supervised = Pick<AgentProcess, 'host' | 'exited' | 'failure'>;

export interface SupervisorPorts<Agent extends Supervised> {
  readonly start: (old: Agent) => Agent | Promise<Agent>;
  /** Whether the agents end on purpose. */
  readonly isEnding: () => boolean;
  /** Called with one line for the user. */
  readonly tell: (line: string) => void;
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/**
 * Resolves when the agent ends on purpose. Throws `AGENT_FAILED` if it has ended more than `MOST_RESTARTS` times
 * within `WITHIN_MS`, or can't be started.
 */
export async function supervise<Agent extends Supervised>(
  first: Agent,
  { start, isEnding, tell, now = () => performance.now(), sleep: wait = sleep }: SupervisorPorts<Agent>,
): Promise<void> {
  const policy = new RestartPolicy();
  for (let agent = first; ; ) {
    const how = await agent.exited;
    if (isEnding()) return;
    const delay = policy.next(now());
    if (delay === undefined) {
      const often = `${MOST_RESTARTS + 1} times within ${millisToSeconds(WITHIN_MS)} s`;
      throw agent.failure(`has ended ${often}, so the experiment ends`);
    }
    tell(`the agent of ${agent.host.name} ${how}; it is started again`);
    await wait(delay);
    if (isEnding()) return;
    agent = await start(agent);
  }
}
