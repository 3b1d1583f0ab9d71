/** File descriptors: opened and closed at once, in the namespace that the calling thread is in. */
import { check, ERRNO, fail, lastErrno, libc, retry } from './libc.ts';

const raw = {
  open: libc.func('int open(const char *path, int flags, uint32_t mode)'),
  close: libc.func('int close(int fd)'),
  ioctl: libc.func('int ioctl(int fd, unsigned long request, void *argument)'),
};

const O_CLOEXEC = 0o2000000;

export function open(path: string, flags = 0): number {
  return retry('open', () => raw.open(path, flags | O_CLOEXEC, 0), path);
}

/** Not again after a signal: Linux has closed the descriptor then, and another thread may have its number (close(2)). */
export function close(fd: number): void {
  if (raw.close(fd) < 0 && lastErrno() !== ERRNO.EINTR) fail('close', String(fd));
}

/** ioctl(2), with the memory that the request reads or writes. Returns what the request does, 0 for most. */
export function control(fd: number, request: number, argument: NodeJS.TypedArray): number {
  return check('ioctl', raw.ioctl(fd, request, argument), `${fd}, 0x${request.toString(16)}`);
}
