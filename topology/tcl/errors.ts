/** How a script ends otherwise than by its last command. */

/** Line and column count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** An error of the script, which its `catch` catches. */
export class TclError extends Error {
  /** What to write instead; may be empty. */
  readonly remedy: string;
  /** Of the innermost command of the file that was executing. */
  place: Place | undefined;
  /** That command, as it is written. */
  command: string | undefined;

  constructor(message: string, remedy = '') {
    super(message);
    this.remedy = remedy;
  }
}

/** The script takes more than it may, or has ended itself: nothing catches it. */
export class TclStop extends Error {
  readonly reason: 'limit' | 'exit';
  place: Place | undefined;

  constructor(reason: TclStop['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export const LIMIT_REMEDY =
  'a script that describes a network is far below this: look for a loop without an end';

/** `break`, `continue` and `return` on their way to the loop or procedure that they end. They are no errors. */
export class TclJump {
  readonly kind: 'break' | 'continue' | 'return';
  readonly value: string;
  /** What `return -code error` makes of it in the caller. */
  readonly code: string;

  constructor(kind: TclJump['kind'], value = '', code = 'ok') {
    this.kind = kind;
    this.value = value;
    this.code = code;
  }
}

export function wrongArgs(usage: string): TclError {
  return new TclError(`wrong # args: should be "${usage}"`);
}
