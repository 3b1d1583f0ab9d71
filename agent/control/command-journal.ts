/**
 * The commands that this host knows, in a file. If all agents of an experiment are killed, as every kill does on a
 * single host, the next agents can learn them from no other.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, commandSchema } from '../../proto/command.ts';

export class CommandJournal {
  readonly #file: string;

  /** `folder` exists as long as the experiment. */
  constructor(folder: string, host: string) {
    this.#file = join(folder, `${host}.commands`);
  }

  /** One line each. A kill may cut the last one off; then no other agent has received it either. */
  read(): Command[] {
    return readText(this.#file)
      .split('\n')
      .flatMap((line) => commandSchema.safeParse(parse(line)).data ?? []);
  }

  append(commands: readonly Command[]): void {
    // A line that was cut off must not damage the next one.
    const isCut = /[^\n]$/.test(readText(this.#file));
    const lines = commands.map((command) => `${JSON.stringify(command)}\n`).join('');
    appendFileSync(this.#file, isCut ? `\n${lines}` : lines, { mode: 0o600 });
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
