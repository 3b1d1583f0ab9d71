/** Refusals about the queue. */
import { type Blame, NetfoldError } from '../../../proto/errors.ts';

export type QueueErrorCode = 'QUEUE_UNKNOWN' | 'QUEUE_ENDED' | 'QUEUE_FULL' | 'QUEUE_BUSY' | 'QUEUE_NEVER';

const BLAME: Readonly<Partial<Record<QueueErrorCode, Blame>>> = {
  QUEUE_BUSY: 'machine',
  QUEUE_FULL: 'machine',
};

export class QueueError extends NetfoldError {
  declare readonly code: QueueErrorCode;

  constructor(code: QueueErrorCode, message: string, remedy: string) {
    super({ code, blame: BLAME[code] ?? 'input', message, remedy });
  }
}
