/**
 * Coded errors. Every error that a user can meet is a `NetfoldError`: it says what is wrong, where, and what to do.
 * Anything else that escapes is a bug and ends with exit code 4.
 */

/** Who has to act: the user on the input, the user on the command line, the machine's owner, or the developers. */
export type Blame = 'input' | 'usage' | 'machine' | 'internal';

/** The exit codes of the command line (docs: README, "Exit codes"). */
export const EXIT_CODE: Readonly<Record<Blame, number>> = { input: 1, usage: 2, machine: 3, internal: 4 };

export interface ErrorFacts {
  /** One of the codes of the module that throws, e.g. `QDISC_FOREIGN`. */
  readonly code: string;
  readonly blame: Blame;
  /** One sentence that names the object and the value. */
  readonly message: string;
  /** What the user can do about it. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

export class NetfoldError extends Error {
  readonly code: string;
  readonly blame: Blame;
  readonly remedy: string | undefined;

  constructor(facts: ErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code;
    this.blame = facts.blame;
    this.remedy = facts.remedy;
  }
}

/** The exit code for an error; unknown errors are internal. */
export function exitCodeOf(error: unknown): number {
  return error instanceof NetfoldError ? EXIT_CODE[error.blame] : EXIT_CODE.internal;
}
