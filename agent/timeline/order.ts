/** What a set of commands says of each of its own: which resets count, what they undo, and what is too much. */
import { type Command, compareCommands, compareIssue, isRekey } from '../../proto/command.ts';
import { MAX_ATOMS } from '../../topology/model/limits.ts';
import { isReset, type KnownCommand } from './known-command.ts';

export function isUndoneBy(
  { command }: { readonly command: Command },
  reset: KnownCommand | undefined,
): boolean {
  return reset !== undefined && !isRekey(command) && compareIssue(command, reset.command) < 0;
}

/** In the order in which they take effect. Each was accepted after the one before, so it undoes more. */
export function resetsOf(commands: readonly KnownCommand[]): KnownCommand[] {
  const resets: KnownCommand[] = [];
  for (const reset of commands.filter(isReset).sort((a, b) => compareCommands(a.command, b.command)))
    if (!isUndoneBy(reset, resets.at(-1))) resets.push(reset);
  return resets;
}

/** Commands whose steps are more than `MAX_ATOMS` together with those of earlier ones. */
export function refusedOf(commands: readonly KnownCommand[]): Set<KnownCommand> {
  const refused = new Set<KnownCommand>();
  let steps = 0;
  for (const known of commands.toSorted((a, b) => compareIssue(a.command, b.command))) {
    if (steps + known.steps > MAX_ATOMS) refused.add(known);
    else steps += known.steps;
  }
  return refused;
}
