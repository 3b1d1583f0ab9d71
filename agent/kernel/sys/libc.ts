/**
 * libc through koffi, for the system calls that Node doesn't offer. Only files of this folder bind its functions. They pass
 * each result to `check` or `retry`, so that every failure becomes a `KernelError` with its errno; where an errno is expected,
 * the code says which one and what it means.
 *
 * Koffi passes Buffers and typed arrays as pointers without a copy; they live until the call returns, so memory that
 * the kernel or another call uses later must come from `mapMemory`.
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

/** The errno of this thread's last call. It must be read before the next call. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Throws the error of a call that failed. `object`: what the call was applied to, for the message. */
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
/** Limits that the check before the start (`agent/linux/probe/limits.ts`) missed, for instance because another program reached them first. */
const REMEDIES: Readonly<Record<string, { remedy: string }>> = {
  'unshare ENOSPC': { remedy: 'allow more network namespaces: sysctl -w user.max_net_namespaces=NUMBER' },
  'mount ENOSPC': { remedy: 'allow more mounts: sysctl -w fs.mount-max=NUMBER' },
  'open EMFILE': MORE_FILES,
  'socket EMFILE': MORE_FILES,
};

/**
 * The result of a call that a signal may interrupt (signal(7)); it is made again then. Throws like `check`, except for the
 * errors in `expected`: the result is -1 then.
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
