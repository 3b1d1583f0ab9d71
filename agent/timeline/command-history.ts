/** The outcomes of an experiment's commands. */
import type { Command, CommandState } from '../../proto/command.ts';
import { MAX_ATOMS } from '../../topology/model/limits.ts';
import type { Hit } from '../../topology/timeline/faults.ts';
import type { CommandedTimeline } from './commanded-timeline.ts';
import type { KnownCommand } from './known-command.ts';

export interface CommandRecord {
  readonly command: Command;
  readonly status: CommandState;
  /** Why it failed. */
  readonly reason?: string;
  /** Whom it has hit so far, if it is about endpoints, bridges or links that come and go. */
  readonly hit?: Hit;
}

export function recordsOf(timeline: CommandedTimeline): CommandRecord[] {
  return timeline.commands.all().map((known) => recordOf(known, timeline));
}

/** For a command that the timeline knows. */
export function recordOf(known: KnownCommand, timeline: CommandedTimeline): CommandRecord {
  const { command, event, error } = known;
  if (!event) return { command, status: 'failed', reason: error?.problem ?? '' };
  if (timeline.commands.isRefused(known)) {
    const reason = `with the commands before it, it comes to more than ${MAX_ATOMS} changes`;
    return { command, status: 'failed', reason };
  }
  if (timeline.isUndone(known)) return { command, status: 'undone' };
  const problem = timeline.problem(event);
  if (problem) return { command, status: 'failed', reason: problem.message };
  if (event.at > timeline.now) return { command, status: 'pending' };
  const hit = timeline.hit(event);
  return { command, status: 'done', ...(hit && { hit }) };
}
