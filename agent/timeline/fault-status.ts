/** A fault as `netfold status` shows it. */
import type { Command } from '../../proto/command.ts';
import type { FaultStatus } from '../../proto/status.ts';
import { toMillis } from '../../proto/units.ts';
import { COMMAND_FILE } from '../../topology/events/grammar.ts';
import type { TopologyEvent } from '../../topology/model/events.ts';
import type { Fault } from '../../topology/timeline/faults.ts';
import type { KnownCommand } from './known-command.ts';

export function faultStatus(
  fault: Fault,
  commands: readonly KnownCommand[],
  giverOf?: (command: Command) => string,
): FaultStatus {
  const { event, what, names, count, since } = fault;
  const until = endOf(event);
  const command = commands.find((one) => one.event === event)?.command;
  return {
    what,
    verb: event.action.verb,
    names,
    count,
    sinceMs: toMillis(since),
    untilMs: until === undefined ? null : toMillis(until),
    by: sourceOf(event, command),
    ...(command?.author !== undefined && giverOf && { givenBy: giverOf(command) }),
  };
}

/** When the event is undone or over. Whom a churn has crashed does not come back at its end. */
function endOf({ action, until }: TopologyEvent): TopologyEvent['until'] {
  return action.verb === 'churn' || action.verb === 'scatter' ? undefined : until;
}

function sourceOf({ position: { file, line } }: TopologyEvent, command: Command | undefined): string {
  return file === COMMAND_FILE ? (command?.text ?? 'a command') : `line ${line} of ${file}`;
}
