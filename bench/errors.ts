import { type Blame, NetfoldError } from '../proto/errors.ts';

export type BenchErrorCode =
  | 'BACKENDS_NONE'
  | 'COMMAND_FAILED'
  | 'FAULT_FAILED'
  | 'MACHINE_FAILED'
  | 'NOTHING_ARRIVED'
  | 'OUTPUT_UNREADABLE'
  | 'RESULT_WRONG'
  | 'SIZES_WRONG'
  | 'BENCHES_FAILED'
  | 'INTERRUPTED';

const BLAME: Readonly<Record<BenchErrorCode, Blame>> = {
  BACKENDS_NONE: 'machine',
  COMMAND_FAILED: 'internal',
  FAULT_FAILED: 'machine',
  MACHINE_FAILED: 'machine',
  NOTHING_ARRIVED: 'internal',
  OUTPUT_UNREADABLE: 'machine',
  RESULT_WRONG: 'internal',
  SIZES_WRONG: 'usage',
  BENCHES_FAILED: 'internal',
  INTERRUPTED: 'usage',
};

export class BenchError extends NetfoldError {
  declare readonly code: BenchErrorCode;

  constructor(code: BenchErrorCode, message: string, remedy?: string, cause?: unknown) {
    super({
      code,
      blame: BLAME[code],
      message,
      ...(remedy !== undefined && { remedy }),
      ...(cause !== undefined && { cause }),
    });
  }
}
