/** Commands to and from the wire (proto/mesh.proto, `Command`). */
import { type Command, MAX_ALL_COMMANDS, wrongCommand } from '../../../proto/command.ts';
import type { netfold } from '../../../proto/generated/mesh.js';
import { type Rejection, reject } from './rejections.ts';

type WireCommand = netfold.mesh.Command.$Properties;

export function commandsToWire(commands: readonly Command[]): WireCommand[] {
  return commands.map(({ signature, ...command }) => ({
    ...command,
    ...(signature !== undefined && { signature: Buffer.from(signature, 'base64') }),
  }));
}

export function commandsFromWire(wire: readonly WireCommand[]): readonly Command[] | Rejection {
  if (wire.length > MAX_ALL_COMMANDS) return reject('TOO_MANY_COMMANDS', `${wire.length} commands`);
  const commands: Command[] = [];
  for (const { origin, incarnation, number, issuedAt, at, until, text, author, signature } of wire) {
    const command = {
      origin: origin ?? '',
      incarnation: incarnation ?? 0,
      number: number ?? 0,
      issuedAt: issuedAt ?? 0,
      at: at ?? 0,
      ...(until && { until }),
      text: text ?? '',
      ...(author && { author }),
      ...(signature?.length && { signature: Buffer.from(signature).toString('base64') }),
    };
    const wrong = wrongCommand(command);
    if (wrong) return reject('COMMAND_FIELD', wrong);
    commands.push(command);
  }
  return commands;
}
