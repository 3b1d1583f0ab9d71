/** What Docker's engine answers, as errors. */
import { EngineRequestError } from '../../../agent/containers/engine-requests.ts';
import { ContainerError } from '../containers/errors.ts';

/** Throws `ContainerError`, with the engine's own answer as its cause. */
export async function coded<T>(socket: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw error instanceof EngineRequestError ? engineError(socket, error, error.errno) : error;
  }
}

/** `errno`: the system's code, if the engine has not answered. */
export function engineError(socket: string, error: Error, errno: string | undefined): ContainerError {
  if (errno === 'ENOENT' || errno === 'ECONNREFUSED')
    return new ContainerError(
      'ENGINE_MISSING',
      `no engine answers at ${socket} (${errno})`,
      'start it: systemctl start docker; or name its socket: DOCKER_HOST=unix:///PATH',
      error,
    );
  if (errno === 'EACCES' || errno === 'EPERM')
    return new ContainerError(
      'ENGINE_DENIED',
      `this user may not use the engine at ${socket}`,
      'run it as root, with sudo',
      error,
    );
  return new ContainerError(
    'ENGINE_FAILED',
    `the engine at ${socket} refuses a request: ${error.message.trim()}`,
    'see what it says: journalctl -u docker',
    error,
  );
}
