import { NetfoldError } from '../proto/errors.ts';

export type AgentErrorCode =
  | 'CONTROLLER_UNREACHABLE'
  | 'BOOTSTRAP_INVALID'
  | 'TOPOLOGY_MISMATCH'
  | 'DELAY_BACKEND_MISSING'
  | 'ENFORCE_FAILED'
  | 'READBACK_MISMATCH';

export class AgentError extends NetfoldError {
  declare readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, remedy?: string, cause?: unknown) {
    super({
      code,
      blame: code === 'BOOTSTRAP_INVALID' ? 'input' : 'machine',
      message,
      ...(remedy !== undefined && { remedy }),
      ...(cause !== undefined && { cause }),
    });
  }
}
