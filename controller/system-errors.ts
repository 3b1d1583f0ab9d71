/** Refusals of the operating system that are no bugs: full and read-only file systems, programs that are missing. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { beyondRequest, DENIED_BY_NODE } from './beyond-request.ts';
import { ControllerError } from './errors.ts';
import { RUN_FOLDER } from './names.ts';

/** The package of a program that netfold runs. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  tc: 'iproute2',
  ping: 'iputils-ping',
  iperf3: 'iperf3',
  docker: 'docker.io',
  ssh: 'openssh-client',
  tar: 'tar',
};

const FULL = new Set(['ENOSPC', 'EDQUOT']);
const DENIED = new Set(['EACCES', 'EPERM']);

/** The error as a coded one that names file or program, and the remedy; others as they are. */
export function withCode(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, dest, syscall = '' } = error as NodeJS.ErrnoException & { dest?: string };
  if (code === DENIED_BY_NODE) return beyondRequest(error);
  // Of a copy, the first is what is read.
  const path = dest ?? (error as NodeJS.ErrnoException).path;
  const file = path ?? 'a file of netfold';
  const where = path === undefined ? '/run' : thereAbove(path);
  if (code !== undefined && FULL.has(code)) {
    const message = `${file} can't be written: no room is left in its file system (${code})`;
    const remedy = `see which is full, of bytes or of files: df ${where}; df -i ${where}`;
    return new ControllerError('NO_ROOM', message, remedy, error);
  }
  if (code === 'EROFS') {
    const message = `${file} can't be written: its file system is read-only`;
    const remedy = `make it writable: findmnt -T ${where}, then mount -o remount,rw`;
    return new ControllerError('NO_ROOM', message, remedy, error);
  }
  if (code === 'EBUSY' && path?.startsWith(RUN_FOLDER)) {
    const message = `${path} can't be removed: something is mounted there (${code})`;
    return new ControllerError('FOLDER_BUSY', message, `umount ${path}, then the same again`, error);
  }
  if (code !== undefined && DENIED.has(code) && path?.startsWith(RUN_FOLDER))
    return notPermitted(path, error);
  if (code === 'ENOENT' && syscall.startsWith('spawn ')) {
    const program = path ?? syscall.slice('spawn '.length);
    const remedy = PACKAGES[program] ? `apt-get install -y ${PACKAGES[program]}` : 'see netfold doctor';
    return new ControllerError('PROGRAM_MISSING', `there is no program ${program} in PATH`, remedy, error);
  }
  return error;
}

/** Experiments belong to root. */
export function notPermitted(path: string, cause: unknown): ControllerError {
  return new ControllerError(
    'NOT_PERMITTED',
    `this user may not use ${path}`,
    'run it as root, with sudo',
    cause,
  );
}

export const isDenied = (cause: unknown): boolean =>
  DENIED.has((cause as NodeJS.ErrnoException | undefined)?.code ?? '');

/** The nearest folder that exists: the commands of a remedy have to work. */
function thereAbove(path: string): string {
  const above = dirname(path);
  return above === path || existsSync(above) ? above : thereAbove(above);
}

/** Whether a file could not be written because of its file system. */
export function isNoRoom(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && (FULL.has(code) || code === 'EROFS');
}

/** A failed `write` has no path: gives it that of the folder in which netfold wrote. Returns the error. */
export function atFolder(error: unknown, folder: string): unknown {
  if (isNoRoom(error)) (error as NodeJS.ErrnoException).path ??= folder;
  return error;
}
