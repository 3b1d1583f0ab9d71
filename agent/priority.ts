/**
 * An agent takes little of the processors, but what it does is due at an instant: before applications that use all they
 * can get. What it starts for users has the priority that it was started with itself.
 */
import { constants, getPriority, setPriority } from 'node:os';

const ORDINARY = getPriority();

/** Where the machine doesn't let it, the agent stays as it is. */
export function raisePriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Without the right to it, events are late where applications use all processors.
  }
}

/** The words that run a command as if the agent had never been raised. */
export function atOrdinaryPriority(command: readonly string[]): string[] {
  const raised = ORDINARY - getPriority();
  return raised > 0 ? ['nice', '-n', String(raised), ...command] : [...command];
}
