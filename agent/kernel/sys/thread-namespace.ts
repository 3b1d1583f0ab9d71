/** The network namespace of the calling thread. */
import { check, libc } from './libc.ts';

const raw = {
  setns: libc.func('int setns(int fd, int nstype)'),
  unshare: libc.func('int unshare(int flags)'),
};

const CLONE_NEWNET = 0x40000000;

export function setns(fd: number): void {
  check('setns', raw.setns(fd, CLONE_NEWNET), String(fd));
}

export function unshareNetwork(): void {
  check('unshare', raw.unshare(CLONE_NEWNET), 'CLONE_NEWNET');
}
