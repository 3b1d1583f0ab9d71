/** Refusals about templates. */
import { type Blame, NetfoldError } from '../../../proto/errors.ts';

export type TemplateErrorCode =
  | 'TEMPLATE_EXISTS'
  | 'TEMPLATE_UNKNOWN'
  | 'TEMPLATE_UNCHANGED'
  | 'TEMPLATE_FILE'
  | 'TEMPLATE_FILE_CHANGED'
  | 'TEMPLATE_PARAMETER'
  | 'TEMPLATE_DEPENDENTS'
  | 'TEMPLATE_DELETED'
  | 'TEMPLATE_DAMAGED'
  | 'TEMPLATE_USAGE'
  | 'TEMPLATE_BUSY'
  | 'NO_ROOM';

const BLAME: Readonly<Partial<Record<TemplateErrorCode, Blame>>> = {
  TEMPLATE_DAMAGED: 'machine',
  TEMPLATE_BUSY: 'machine',
  NO_ROOM: 'machine',
  TEMPLATE_USAGE: 'usage',
};

export class TemplateError extends NetfoldError {
  declare readonly code: TemplateErrorCode;

  constructor(code: TemplateErrorCode, message: string, remedy: string, cause?: unknown) {
    super({ code, blame: BLAME[code] ?? 'input', message, remedy, ...(cause !== undefined && { cause }) });
  }
}
