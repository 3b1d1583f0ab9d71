/** Commands of a running experiment for tests, with times in seconds. */
import type { Command } from '../../proto/command.ts';
import { type Micros, micros } from '../../proto/units.ts';

export const seconds = (value: number): Micros => micros(Math.round(value * 1e6));

let number = 0;

/** Accepted when it is due, on host `a`, unless `rest` says otherwise. */
export function command(at: number, text: string, rest: Partial<Command> = {}): Command {
  number++;
  return { origin: 'a', incarnation: 1, number, issuedAt: seconds(at), at: seconds(at), text, ...rest };
}
