import type { Command } from '../../proto/command.ts';
import { NetfoldError } from '../../proto/errors.ts';
import { type DiagnosticCode, quote } from '../../topology/model/diagnostics.ts';
import type { Position } from '../../topology/model/position.ts';

/** A command that an experiment can't play. */
export class CommandError extends NetfoldError {
  declare readonly code: DiagnosticCode;
  /** In the command's text. */
  readonly position: Position;
  /** The problem without the position. */
  readonly problem: string;

  constructor(
    { text }: Pick<Command, 'text'>,
    code: DiagnosticCode,
    position: Position,
    problem: string,
    remedy: string,
  ) {
    const message = `${quote(text)}, column ${position.column}: ${problem}`;
    super({ code, blame: 'input', message, ...(remedy === '' ? {} : { remedy }) });
    this.position = position;
    this.problem = problem;
  }
}
