/** File descriptors: opened and closed at once, in the namespace that the calling thread is in. */
import { check, libc } from './libc.ts';

const raw = {
  open: libc.func('int open(const char *path, int flags, uint32_t mode)'),
  close: libc.func('int close(int fd)'),
};

const O_CLOEXEC = 0o2000000;

export function open(path: string, flags = 0): number {
  return check('open', raw.open(path, flags | O_CLOEXEC, 0), path);
}

export function close(fd: number): void {
  check('close', raw.close(fd), String(fd));
}
