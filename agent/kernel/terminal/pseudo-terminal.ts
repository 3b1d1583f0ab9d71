/** Pseudo-terminals (pty(7)): what a program in a terminal talks to, and the end from which somebody types. */
import { closeSync, constants, openSync } from 'node:fs';
import { control } from '../sys/descriptors.ts';

/** Of asm-generic/ioctls.h, which x86 and ARM share. */
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;
const TIOCSWINSZ = 0x5414;

/** In characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Two descriptors, which no program inherits unless it is told to. */
export interface PseudoTerminal {
  /** Where somebody types and reads. When it is closed, the programs of the other end get SIGHUP. */
  readonly master: number;
  /** Standard input and outputs of a program. */
  readonly slave: number;
}

const FLAGS = constants.O_RDWR | constants.O_NOCTTY;

/** Throws system errors, and `KernelError`. */
export function openPseudoTerminal(size: TerminalSize): PseudoTerminal {
  const master = openSync('/dev/ptmx', FLAGS);
  try {
    control(master, TIOCSPTLCK, new Int32Array([0]));
    const number = new Int32Array(1);
    control(master, TIOCGPTN, number);
    resizeTerminal(master, size);
    return { master, slave: openSync(`/dev/pts/${number[0]}`, FLAGS) };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** Programs in the foreground get SIGWINCH. Throws `KernelError`. */
export function resizeTerminal(master: number, { columns, rows }: TerminalSize): void {
  // struct winsize
  control(master, TIOCSWINSZ, new Uint16Array([rows, columns, 0, 0]));
}
