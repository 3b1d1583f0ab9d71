/** Why something can't be done, as the page tells it. */
import type { ErrorFacts } from '../../../proto/errors.ts';

/** A refusal of the server, or none at all (`UNREACHABLE`). */
export class Refusal extends Error {
  readonly code: string;
  readonly remedy: string;

  constructor({ code, message, remedy = '' }: Pick<ErrorFacts, 'code' | 'message' | 'remedy'>) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

/** Whatever was thrown, as one. */
export const refusalOf = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal({ code: 'INTERNAL', message: String(error) });
