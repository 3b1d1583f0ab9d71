/** What a command may not do that a request brings: it runs with Node's permissions, `--permission` (controller/api/starting/tools.ts). */
import { ControllerError } from './errors.ts';

export const DENIED_BY_NODE = 'ERR_ACCESS_DENIED';

/** `error`: with this code. */
export function beyondRequest(error: Error): ControllerError {
  const { permission = '', resource = '' } = error as { permission?: string; resource?: string };
  const message = permission.startsWith('FileSystem')
    ? `${resource} is not among the files of the request`
    : `a command that a request brings may not do this (${permission || error.message})`;
  const remedy = 'send all files that it needs, and name them by their paths in the request';
  return new ControllerError('BEYOND_REQUEST', message, remedy, error);
}
