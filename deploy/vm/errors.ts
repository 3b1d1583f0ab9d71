import { NetfoldError } from '../../proto/errors.ts';

export type MachineErrorCode =
  | 'KERNEL_UNAVAILABLE'
  | 'TOOL_FAILED'
  | 'BOOT_FAILED'
  | 'MACHINE_ENDED'
  | 'COMMAND_FAILED'
  | 'COMMAND_TIMEOUT';

/** A test machine could not be made, or did not live as long as it was needed. */
export class MachineError extends NetfoldError {
  declare readonly code: MachineErrorCode;

  constructor(code: MachineErrorCode, message: string, remedy?: string) {
    super({ code, blame: 'machine', message, ...(remedy !== undefined && { remedy }) });
  }
}
