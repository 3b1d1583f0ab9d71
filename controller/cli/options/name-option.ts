/** Which experiment a command is about. */
import { Option } from 'commander';

/** The variable that names the experiment of a shell, or of a script, once for all commands. */
export const NAME_VARIABLE = 'NETFOLD_NAME';

/** `--name`, else what the variable says. */
export const nameOption = (description: string): Option =>
  new Option('--name <experiment>', description).env(NAME_VARIABLE);

/** Of commands that take it as an argument, too. The argument goes before the variable. */
export const sameNameOption = (): Option => nameOption('the same as the argument, as other commands have it');

/** What the user means: the argument, else `--name`, else the variable; `undefined`: the only one. */
export const namedBy = (argument: string | undefined, option: string | undefined): string | undefined =>
  argument ?? option;

/** Of commands that can ask the `netfold serve` of another machine (options/api-option.ts). */
export const apiOption = (): Option =>
  new Option('--api <url>', 'of an experiment of another machine: the address of its `netfold serve`')
    .env('NETFOLD_API')
    // An empty variable is none.
    .argParser((text) => (text === '' ? undefined : text));
