/**
 * libc through koffi, for the system calls that Node doesn't offer. Only the files beside this one bind functions of it: each
 * of them calls `check` with what the function returned, so that every failure becomes a `KernelError` with its errno, or
 * says which errno it expects, and what it means.
 *
 * Koffi passes Buffers and typed arrays as pointers without a copy; they live until the call returns, so memory that
 * the kernel or another call uses later comes from `mapMemory`.
 */
import { constants as osConstants } from 'node:os';
import koffi from 'koffi';
import { KernelError } from './errors.ts';

export const libc = koffi.load('libc.so.6');

/** Numbers by their names. */
export const ERRNO = osConstants.errno;

const ERRNO_NAMES = new Map(Object.entries(ERRNO).map(([name, number]) => [number, name]));

/** `EPERM (Operation not permitted)`-like text without the explanation, e.g. `EPERM`. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
}

/** Why the last call of this thread failed; to be read before the next call. */
export function lastErrno(): number {
  return koffi.errno();
}

/** What a call said that failed, as an error. `object`: what it was about. */
export function fail(call: string, object: string): never {
  const errno = lastErrno();
  const denied = errno === ERRNO.EPERM || errno === ERRNO.EACCES;
  throw new KernelError({
    code: denied ? 'NO_PERMISSION' : 'SYSCALL_FAILED',
    message: `${call}(${object}) failed: ${errnoName(errno)}`,
    errno,
    ...(denied && { remedy: 'run as root, outside of a restricted container' }),
    ...REMEDIES[`${call} ${errnoName(errno)}`],
  });
}

const MORE_FILES = { remedy: 'raise the limit of open files: ulimit -Hn NUMBER' };
/** Limits that were not foreseen (`limits.ts`), for instance because others take their part meanwhile. */
const REMEDIES: Readonly<Record<string, { remedy: string }>> = {
  'unshare ENOSPC': { remedy: 'allow more network namespaces: sysctl -w user.max_net_namespaces=NUMBER' },
  'mount ENOSPC': { remedy: 'allow more mounts: sysctl -w fs.mount-max=NUMBER' },
  'open EMFILE': MORE_FILES,
  'socket EMFILE': MORE_FILES,
};

/**
 * The result of a call that waits, made again as often as a signal interrupts it (signal(7)). Throws like `check`, but
 * for the errors in `expected`: where it failed with one of them, the result is -1.
 */
export function retry(
  call: string,
  make: () => number | bigint,
  object: string | number,
  expected: readonly number[] = [],
): number {
  for (;;) {
    const result = Number(make());
    if (result >= 0) return result;
    const errno = lastErrno();
    if (expected.includes(errno)) return -1;
    if (errno !== ERRNO.EINTR) fail(call, String(object));
  }
}

/** The result of a call; throws `KernelError` where it is negative. */
export function check(call: string, result: number, object: string): number {
  if (result < 0) fail(call, object);
  return result;
}
