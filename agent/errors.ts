import { NetfoldError } from '../proto/errors.ts';

export type AgentErrorCode =
  | 'CONTROLLER_UNREACHABLE'
  | 'BOOTSTRAP_INVALID'
  | 'TOPOLOGY_MISMATCH'
  | 'JOIN_EXPERIMENT'
  | 'EXPERIMENT_ENDED'
  | 'HOST_CLAIMED'
  | 'ENDPOINT_CLAIMED'
  | 'ENDPOINT_UNKNOWN'
  | 'DELAY_BACKEND_MISSING'
  | 'IMPAIRMENT_UNSUPPORTED'
  | 'ENFORCE_FAILED'
  | 'READBACK_MISMATCH'
  | 'PATH_BYPASSED'
  | 'METRICS_PORT';

const INPUT: ReadonlySet<AgentErrorCode> = new Set([
  'BOOTSTRAP_INVALID',
  'JOIN_EXPERIMENT',
  'EXPERIMENT_ENDED',
  'HOST_CLAIMED',
  'ENDPOINT_CLAIMED',
  'ENDPOINT_UNKNOWN',
]);

export class AgentError extends NetfoldError {
  declare readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, remedy?: string, cause?: unknown) {
    super({
      code,
      blame: INPUT.has(code) ? 'input' : 'machine',
      message,
      ...(remedy !== undefined && { remedy }),
      ...(cause !== undefined && { cause }),
    });
  }
}
