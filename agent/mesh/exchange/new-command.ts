/** Makes a command for all agents from a user's input. */
import {
  type Command,
  type CommandOrigin,
  MAX_COMMAND_BYTES,
  MAX_COMMANDS,
  type NewCommand,
  wrongCommand,
} from '../../../proto/command.ts';
import { MeshError } from '../errors.ts';

/**
 * @param hasRoom - whether it would stay
 * Throws `MeshError` (`MESH_COMMAND`, `MESH_COMMANDS_FULL`).
 */
export function newCommand(
  what: NewCommand,
  from: CommandOrigin,
  hasRoom: (command: Command) => boolean,
): Command {
  const { origin, incarnation, number } = from;
  const { issuedAt, at, until, text } = what;
  const command: Command = {
    ...{ origin, incarnation, number, issuedAt, at },
    ...(until !== undefined && { until }),
    text,
  };
  const wrong = wrongCommand(command);
  if (wrong) {
    throw new MeshError('MESH_COMMAND', `a command can't be sent to all agents: ${wrong}`, {
      remedy: `write one line of at most ${MAX_COMMAND_BYTES} bytes, for a time to come, within a year`,
      blame: 'input',
    });
  }
  if (hasRoom(command)) return command;
  throw new MeshError('MESH_COMMANDS_FULL', `all ${MAX_COMMANDS} commands of an experiment are given`, {
    remedy:
      'heal, reset and quit are still possible; start the experiment again, or put what is repeated into its timeline',
    blame: 'input',
  });
}
