/** What keeps netfold from an engine, or from one of its containers. */
import { EngineRequestError } from '../../../agent/containers/engine-requests.ts';
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
  /** More endpoints than a network has room for, or no network that is free. */
  CONTAINER_ROOM: 'machine',
  /** A port of this machine that another has. */
  PORT_TAKEN: 'machine',
  IMAGE_MISSING: 'machine',
  /** It can't be fetched. */
  IMAGE_UNREACHABLE: 'machine',
} as const satisfies Readonly<Record<string, Blame>>;

export type DockerErrorCode = keyof typeof BLAME;

export class DockerError extends NetfoldError {
  declare readonly code: DockerErrorCode;

  constructor(code: DockerErrorCode, message: string, remedy: string, cause?: unknown) {
    super({ code, blame: BLAME[code], message, remedy, ...(cause !== undefined && { cause }) });
  }
}

/** Throws `DockerError`, with the engine's own answer as its cause. */
export async function coded<T>(socket: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw error instanceof EngineRequestError ? engineError(socket, error, error.errno) : error;
  }
}

/** `errno`: the system's code, if the engine has not answered. */
export function engineError(socket: string, error: Error, errno: string | undefined): DockerError {
  if (errno === 'ENOENT' || errno === 'ECONNREFUSED')
    return new DockerError(
      'ENGINE_MISSING',
      `no engine answers at ${socket} (${errno})`,
      'start it: systemctl start docker; or name its socket: DOCKER_HOST=unix:///PATH',
      error,
    );
  if (errno === 'EACCES' || errno === 'EPERM')
    return new DockerError(
      'ENGINE_DENIED',
      `this user may not use the engine at ${socket}`,
      'run it as root, with sudo',
      error,
    );
  return new DockerError(
    'ENGINE_FAILED',
    `the engine at ${socket} refuses a request: ${error.message.trim()}`,
    'see what it says: journalctl -u docker',
    error,
  );
}
