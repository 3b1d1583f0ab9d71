/** Commands to and from the wire (proto/mesh.proto, `Command`). */
import type { Command } from '../../../proto/control.ts';
import type { netfold } from '../../../proto/generated/mesh.js';
import { MAX_DURATION } from '../../../proto/units.ts';
import { HOST_NAME, MAX_COMMAND_BYTES, MAX_COMMANDS } from './limits.ts';
import { isIncarnation, type Rejection, reject } from './rejections.ts';

type WireCommand = netfold.mesh.Command.$Properties;

export function commandsToWire(commands: readonly Command[]): WireCommand[] {
  return commands.map((command) => ({ ...command }));
}

export function commandsFromWire(wire: readonly WireCommand[]): readonly Command[] | Rejection {
  if (wire.length > MAX_COMMANDS) return reject('TOO_MANY_COMMANDS', `${wire.length} commands`);
  const commands: Command[] = [];
  for (const { origin, incarnation, number, issuedAt, at, until, text } of wire) {
    const command = {
      origin: origin ?? '',
      incarnation: incarnation ?? 0,
      number: number ?? 0,
      issuedAt: issuedAt ?? 0,
      at: at ?? 0,
      ...(until && { until }),
      text: text ?? '',
    };
    const wrong = wrongCommand(command);
    if (wrong) return reject('COMMAND_FIELD', wrong);
    commands.push(command);
  }
  return commands;
}

/** The field that is wrong, with its value. */
export function wrongCommand(command: Command): string | undefined {
  const { origin, incarnation, number, issuedAt, at, until, text } = command;
  if (!HOST_NAME.test(origin)) return `origin ${show(origin)}`;
  if (!isIncarnation(incarnation)) return `incarnation ${incarnation}`;
  if (!Number.isInteger(number) || number < 1 || number > 0xffffffff) return `number ${number}`;
  if (!isTime(issuedAt)) return `issued_at ${issuedAt}`;
  if (!isTime(at) || at < issuedAt) return `at ${at}, issued at ${issuedAt}`;
  if (until !== undefined && (!isTime(until) || until <= at)) return `until ${until}, at ${at}`;
  const isLine = text.length > 0 && text.isWellFormed() && !/\p{Cc}/u.test(text);
  return isLine && Buffer.byteLength(text) <= MAX_COMMAND_BYTES ? undefined : `text ${show(text)}`;
}

function isTime(micros: number): boolean {
  return Number.isFinite(micros) && micros >= 0 && micros <= MAX_DURATION;
}

const show = (text: string): string => JSON.stringify(text).slice(0, 80);
