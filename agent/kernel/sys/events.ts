/** Events that one thread raises and another waits for (eventfd(2)). */
import { check, ERRNO, libc, retry } from './libc.ts';

const raw = {
  eventfd: libc.func('int eventfd(uint32_t initial, int flags)'),
  read: libc.func('long read(int fd, void *data, size_t length)'),
  write: libc.func('long write(int fd, void *data, size_t length)'),
};

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const ONE = new BigUint64Array([1n]);
const scratch = new BigUint64Array(1);

/** An event that another thread can wait for with `Poller`. */
export function createEvent(): number {
  return check('eventfd', raw.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 'new');
}

export function raiseEvent(fd: number): void {
  check('write', Number(raw.write(fd, ONE, 8)), 'eventfd');
}

/** Resets the event. One that is not raised (EAGAIN) stays as it is. */
export function clearEvent(fd: number): void {
  retry('read', () => raw.read(fd, scratch, 8), `eventfd ${fd}`, [ERRNO.EAGAIN]);
}
