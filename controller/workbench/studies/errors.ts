/** Refusals about studies. */
import { type Blame, NetfoldError } from '../../../proto/errors.ts';

export type StudyErrorCode =
  | 'STUDY_FILE'
  | 'STUDY_TOO_LARGE'
  | 'STUDY_BUSY'
  | 'STUDY_FOLDER'
  | 'STUDY_RESULT';

const BLAME: Readonly<Partial<Record<StudyErrorCode, Blame>>> = { STUDY_BUSY: 'machine' };

export class StudyError extends NetfoldError {
  declare readonly code: StudyErrorCode;

  constructor(code: StudyErrorCode, message: string, remedy: string, cause?: unknown) {
    super({ code, blame: BLAME[code] ?? 'input', message, remedy, ...(cause !== undefined && { cause }) });
  }
}
