/** Commands that this agent accepts of users: it gives each its place, and sends it to all when it is signed. */
import {
  type Command,
  MAX_COMMAND_BYTES,
  MAX_COMMANDS,
  type NewCommand,
  wrongCommand,
} from '../../../proto/command.ts';
import { MeshError } from '../errors.ts';
import type { CommandSet } from '../members/command-set.ts';
import type { CommandGuard } from '../trust/command-guard.ts';

export interface OwnCommandsPorts {
  readonly host: string;
  readonly incarnation: () => number;
  readonly commands: CommandSet;
  /** Absent: nobody signs. */
  readonly guard: CommandGuard | undefined;
  readonly send: (command: Command) => void;
}

export class OwnCommands {
  readonly #ports: OwnCommandsPorts;
  #number = 0;

  constructor(ports: OwnCommandsPorts) {
    this.#ports = ports;
  }

  /**
   * Gives a command its place among all; nobody hears of it before `give`. `author`: who will sign it. Throws `MeshError`
   * (`MESH_COMMAND`, `MESH_COMMANDS_FULL`).
   */
  place({ issuedAt, at, until, text }: NewCommand, author?: string): Command {
    const { host: origin, incarnation, commands } = this.#ports;
    const command: Command = {
      ...{ origin, incarnation: incarnation(), number: this.#number + 1, issuedAt, at },
      ...(until !== undefined && { until }),
      text,
      ...(author !== undefined && { author }),
    };
    const wrong = wrongCommand(command);
    if (wrong) {
      throw new MeshError('MESH_COMMAND', `a command can't be sent to all agents: ${wrong}`, {
        remedy: `write one line of at most ${MAX_COMMAND_BYTES} bytes, for a time to come, within a year`,
        blame: 'input',
      });
    }
    if (!commands.hasRoom(command)) {
      throw new MeshError('MESH_COMMANDS_FULL', `all ${MAX_COMMANDS} commands of an experiment are given`, {
        remedy:
          'heal, reset and quit are still possible; start the experiment again, or put what is repeated into its timeline',
        blame: 'input',
      });
    }
    this.#number++;
    return command;
  }

  /**
   * Sends a command that has its place, and its signature, to all agents, also to those that join later. Throws `MeshError`
   * (`MESH_COMMAND_REFUSED`) for one that the others would refuse.
   */
  give(command: Command): Command {
    const refused = this.#ports.guard?.refuse(command);
    if (refused) {
      throw new MeshError('MESH_COMMAND_REFUSED', refused.reason, {
        remedy: 'sign it with a key that may give it (--key FILE, or NETFOLD_KEY)',
        blame: 'input',
      });
    }
    this.#ports.commands.take([command]);
    this.#ports.send(command);
    return command;
  }

  /** Of this agent itself. Throws like `place` and `give`. */
  command(what: NewCommand): Command {
    const { guard } = this.#ports;
    const placed = this.place(what, guard?.self);
    return this.give(guard?.self === undefined ? placed : guard.sign(placed));
  }
}
