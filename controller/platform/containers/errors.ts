/** What keeps netfold from an engine, or from one of its containers. */
import { type Blame, NetfoldError } from '../../../proto/errors.ts';

const BLAME = {
  /** Nobody answers at the socket; it may not be used; it does not answer in time; it refuses a request. */
  ENGINE_MISSING: 'machine',
  ENGINE_DENIED: 'machine',
  ENGINE_SILENT: 'machine',
  ENGINE_FAILED: 'machine',
  ENGINE_TOO_OLD: 'machine',
  /** Another program than the one that is meant, or one without root. */
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
  /** More endpoints than a network has room for, or no network that is free. */
  CONTAINER_ROOM: 'machine',
  /** A port of this machine that another has. */
  PORT_TAKEN: 'machine',
  IMAGE_MISSING: 'machine',
  /** It can't be fetched. */
  IMAGE_UNREACHABLE: 'machine',
} as const satisfies Readonly<Record<string, Blame>>;

export type ContainerErrorCode = keyof typeof BLAME;

export class ContainerError extends NetfoldError {
  declare readonly code: ContainerErrorCode;

  constructor(code: ContainerErrorCode, message: string, remedy: string, cause?: unknown) {
    super({ code, blame: BLAME[code], message, remedy, ...(cause !== undefined && { cause }) });
  }
}
