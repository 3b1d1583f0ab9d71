/**
 * The commands that this host knows, in a file. If all agents of an experiment are killed, as every kill does on a
 * single host, the next agents can learn them from no other.
 */
import { closeSync, existsSync, fstatSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, commandSchema, MAX_ALL_COMMANDS } from '../../proto/command.ts';
import { appendTo, openToRead, PRIVATE_FILE, replaceFile } from '../files/own-files.ts';

const MOST_LINES = 2 * MAX_ALL_COMMANDS;

export class CommandJournal {
  readonly #file: string;
  /** `undefined`: not read yet. */
  #lines: number | undefined;

  /** `folder` exists as long as the experiment. */
  constructor(folder: string, host: string) {
    this.#file = join(folder, `${host}.commands`);
  }

  /** One line each. A kill may cut the last one off; then no other agent has received it either. */
  read(): Command[] {
    const text = readText(this.#file);
    const lines = text.split('\n').filter(Boolean);
    this.#lines = lines.length;
    return lines.flatMap((line) => commandSchema.safeParse(parse(line)).data ?? []);
  }

  /**
   * Costs as much as what is added: the file is read once. If it has more than twice as many lines as commands may stay, it is
   * written anew with `all` that there are.
   */
  append(commands: readonly Command[], all: () => readonly Command[]): void {
    if (this.#lines === undefined) this.read();
    if (this.#lines! + commands.length > MOST_LINES) {
      const kept = all();
      replaceFile(this.#file, textOf(kept), { mode: PRIVATE_FILE });
      this.#lines = kept.length;
      return;
    }
    const lines = textOf(commands);
    // A line that was cut off must not damage the next one.
    appendTo(this.#file, isCut(this.#file) ? `\n${lines}` : lines, PRIVATE_FILE);
    this.#lines! += commands.length;
  }
}

const textOf = (commands: readonly Command[]): string =>
  commands.map((command) => `${JSON.stringify(command)}\n`).join('');

/** Whether the last line has no end; reads one byte. */
function isCut(file: string): boolean {
  if (!existsSync(file)) return false;
  const handle = openToRead(file);
  try {
    const { size } = fstatSync(handle);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(handle, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
  } finally {
    closeSync(handle);
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
