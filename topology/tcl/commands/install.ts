/** All commands of Tcl that scripts about networks use. */
import type { CommandFunction, Interpreter } from '../interpreter.ts';
import { controlCommands } from './control.ts';
import { introspectionCommands } from './introspection.ts';
import { listCommands } from './lists.ts';
import { procedureCommands } from './procedures.ts';
import { regexpCommands } from './regexps.ts';
import { sortCommands } from './sorting.ts';
import { stringCommands } from './strings.ts';
import { variableCommands } from './variables.ts';

export type Commands = Readonly<Record<string, CommandFunction>>;

export function installCommands(interpreter: Interpreter): void {
  for (const make of [
    controlCommands,
    introspectionCommands,
    listCommands,
    procedureCommands,
    regexpCommands,
    sortCommands,
    stringCommands,
    variableCommands,
  ])
    for (const [name, run] of Object.entries(make(interpreter))) interpreter.commands.set(name, run);
}
