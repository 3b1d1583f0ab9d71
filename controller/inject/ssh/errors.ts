/** What can go wrong with hosts over SSH. Every message names the host. */
import { type Blame, NetfoldError } from '../../../proto/errors.ts';

export type InjectErrorCode =
  | 'SSH_REFUSED'
  | 'SSH_UNREACHABLE'
  | 'SSH_TIMEOUT'
  | 'SSH_NAME'
  | 'SSH_DENIED'
  | 'SSH_HOST_KEY'
  | 'SSH_FAILED'
  | 'HOST_SILENT'
  | 'HOST_NO_ROOT'
  | 'HOST_SYSTEM'
  | 'HOST_ARCHITECTURE'
  | 'HOST_KERNEL'
  | 'HOST_LIBRARY'
  | 'HOST_SPACE'
  | 'HOST_READ_ONLY'
  | 'HOST_INTERFACE'
  | 'HOST_TWICE'
  | 'HOST_APART'
  | 'HOST_ROUTE'
  | 'HOST_CANNOT'
  | 'HOST_UNKNOWN'
  | 'HOSTS_FAILED'
  | 'INVENTORY_ENDPOINTS'
  | 'NOT_INSTALLED'
  | 'BUNDLE_INCOMPLETE'
  | 'INJECTION_RUNS'
  | 'INJECTION_UNKNOWN'
  | 'INJECTIONS_SEVERAL'
  | 'INJECT_USAGE'
  | 'START_FAILED';

const BLAME: Partial<Readonly<Record<InjectErrorCode, Blame>>> = {
  HOST_UNKNOWN: 'input',
  HOST_TWICE: 'input',
  INVENTORY_ENDPOINTS: 'input',
  INJECTION_RUNS: 'input',
  INJECTION_UNKNOWN: 'input',
  INJECTIONS_SEVERAL: 'input',
  INJECT_USAGE: 'usage',
};

export class InjectError extends NetfoldError {
  declare readonly code: InjectErrorCode;

  constructor(code: InjectErrorCode, message: string, remedy: string, cause?: unknown) {
    super({
      code,
      blame: BLAME[code] ?? 'machine',
      message,
      remedy,
      ...(cause !== undefined && { cause }),
    });
  }
}
