import { type Blame, NetfoldError } from '../proto/errors.ts';

export type ControllerErrorCode =
  | 'FILE_UNREADABLE'
  | 'FILE_UNWRITABLE'
  | 'EXPERIMENT_EXISTS'
  | 'EXPERIMENT_UNKNOWN'
  | 'EXPERIMENT_AMBIGUOUS'
  | 'NODE_UNKNOWN'
  | 'HOST_UNKNOWN'
  | 'NAME_INVALID'
  | 'MACHINE_CANNOT'
  | 'AGENT_FAILED'
  | 'NOTHING_TO_MEASURE';

const BLAME: Readonly<Record<ControllerErrorCode, Blame>> = {
  FILE_UNREADABLE: 'input',
  FILE_UNWRITABLE: 'input',
  EXPERIMENT_EXISTS: 'input',
  EXPERIMENT_UNKNOWN: 'input',
  EXPERIMENT_AMBIGUOUS: 'usage',
  NODE_UNKNOWN: 'input',
  HOST_UNKNOWN: 'input',
  NAME_INVALID: 'usage',
  MACHINE_CANNOT: 'machine',
  AGENT_FAILED: 'internal',
  NOTHING_TO_MEASURE: 'input',
};

export class ControllerError extends NetfoldError {
  declare readonly code: ControllerErrorCode;

  constructor(code: ControllerErrorCode, message: string, remedy?: string, cause?: unknown) {
    super({
      code,
      blame: BLAME[code],
      message,
      ...(remedy && { remedy }),
      ...(cause !== undefined && { cause }),
    });
  }
}
