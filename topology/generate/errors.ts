import { NetfoldError } from '../../proto/errors.ts';

export type GenerateErrorCode = 'GENERATE_SIZE' | 'GENERATE_RANGE' | 'GENERATE_NUMBER' | 'GENERATE_LIMIT';

/** The request gives no topology; the message names the option and its value. */
export class GenerateError extends NetfoldError {
  declare readonly code: GenerateErrorCode;
  constructor(code: GenerateErrorCode, message: string, remedy: string) {
    super({ code, blame: 'usage', message, remedy });
  }
}

/** `sizes`: the nearest valid ones, as text. */
export function sizeError(nodes: number, why: string, sizes: string): GenerateError {
  return new GenerateError('GENERATE_SIZE', `--nodes ${nodes} does not work: ${why}`, `use ${sizes}`);
}
