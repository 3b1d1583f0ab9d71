/**
 * An agent takes little of the processors, but what it does is due at an instant: before applications that use all they
 * can get. What it starts for users has the priority that it was started with itself.
 */
import { constants, getPriority, setPriority } from 'node:os';
import { ownThreads } from './kernel/process-table.ts';

const ORDINARY = getPriority();

/**
 * All threads, those of the garbage collector, too, which others wait for; threads that come later inherit it. Where the
 * machine doesn't let it, the agent stays as it is.
 */
export function raisePriority(): void {
  try {
    for (const thread of ownThreads()) setPriority(thread, constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Without the right to it, events are late where applications use all processors.
  }
}

/** The words that run a command as if the agent had never been raised. */
export function atOrdinaryPriority(command: readonly string[]): string[] {
  const raised = ORDINARY - getPriority();
  return raised > 0 ? ['nice', '-n', String(raised), ...command] : [...command];
}
