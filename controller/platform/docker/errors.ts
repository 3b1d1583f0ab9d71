/** What keeps netfold from an engine, or from one of its containers. */
import { type Blame, NetfoldError } from '../../../proto/errors.ts';

const BLAME = {
  /** Nobody answers at the socket; it may not be used; it does not answer in time; it refuses a request. */
  ENGINE_MISSING: 'machine',
  ENGINE_DENIED: 'machine',
  ENGINE_SILENT: 'machine',
  ENGINE_FAILED: 'machine',
  ENGINE_TOO_OLD: 'machine',
  /** Another program than Docker, or Docker without root. */
  ENGINE_UNSUPPORTED: 'machine',
  /** Its containers are no processes of this machine. */
  ENGINE_ELSEWHERE: 'machine',
  SELECTOR_INVALID: 'usage',
  SELECTOR_UNKNOWN: 'input',
  SELECTOR_MISSING: 'input',
  SELECTOR_EMPTY: 'input',
  SELECTOR_COUNT: 'input',
  SELECTOR_OVERLAP: 'input',
  CONTAINER_ON_HOST: 'input',
  CONTAINER_WITHOUT_NETWORK: 'input',
  CONTAINER_NETWORKS: 'input',
  CONTAINER_SHARED: 'input',
  CONTAINER_TAKEN: 'input',
  CONTAINER_CHANGED: 'machine',
} as const satisfies Readonly<Record<string, Blame>>;

export type DockerErrorCode = keyof typeof BLAME;

export class DockerError extends NetfoldError {
  declare readonly code: DockerErrorCode;

  constructor(code: DockerErrorCode, message: string, remedy: string, cause?: unknown) {
    super({ code, blame: BLAME[code], message, remedy, ...(cause !== undefined && { cause }) });
  }
}
