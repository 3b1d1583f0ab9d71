/** Waiting for many descriptors at once, with time-outs in nanoseconds (epoll(7), ppoll(2)). */
import { millisToNanos, nanosToMillis } from '../../../proto/units.ts';
import { close } from './descriptors.ts';
import { check, ERRNO, fail, lastErrno, libc } from './libc.ts';
import { mapMemory } from './memory.ts';

const raw = {
  epoll_create1: libc.func('int epoll_create1(int flags)'),
  epoll_ctl: libc.func('int epoll_ctl(int epfd, int op, int fd, void *event)'),
  epoll_wait: libc.func('int epoll_wait(int epfd, void *events, int count, int timeout)'),
  ppoll: libc.func('int ppoll(void *fds, ulong count, void *timeout, void *sigmask)'),
};

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
/** struct epoll_event is packed on x86-64 only (linux/eventpoll.h). */
const EPOLL_EVENT = process.arch === 'x64' ? { size: 12, data: 4 } : { size: 16, data: 8 };

/** struct pollfd, then struct timespec. */
const POLL_BYTES = 24;
const POLL_TIME_AT = 8;

/** Waits for many descriptors, with time-outs in nanoseconds. The caller chooses a number for each descriptor, its token. */
export class Poller {
  readonly #epoll = check('epoll_create1', raw.epoll_create1(EPOLL_CLOEXEC), 'new');
  readonly #capacity: number;
  readonly #events: Uint8Array;
  readonly #view: DataView;
  /** struct pollfd { int fd; short events, revents; } */
  readonly #pollfd = new Int32Array(2);
  /** What the kernel reads while `readable` waits. */
  #lasting: ReturnType<typeof mapMemory> | undefined;
  /** struct timespec */
  readonly #timeout = new BigInt64Array(2);

  constructor(capacity = 64) {
    this.#capacity = capacity;
    this.#events = new Uint8Array(EPOLL_EVENT.size * capacity);
    this.#view = new DataView(this.#events.buffer);
    this.#pollfd[0] = this.#epoll;
    this.#pollfd[1] = EPOLLIN;
  }

  add(fd: number, token: number): void {
    const event = new Uint8Array(EPOLL_EVENT.size);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLIN, true);
    view.setUint32(EPOLL_EVENT.data, token, true);
    check('epoll_ctl', raw.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, event), String(fd));
  }

  remove(fd: number): void {
    check('epoll_ctl', raw.epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd, this.#events), String(fd));
  }

  /**
   * Waits at most `nanoseconds` (negative: for ever) and returns how many are ready; `token(i)` is the token of one of them. A signal does
   * not end the wait. Throws `KernelError`, for instance when the poller is closed.
   * epoll_wait alone knows milliseconds only; ppoll on the epoll descriptor waits on a high-resolution timer.
   */
  wait(nanoseconds: number): number {
    if (nanoseconds !== 0 && this.#poll(this.#pollfd, 1, nanoseconds) === 0) return 0;
    // ppoll counts a closed descriptor as ready (POLLNVAL); epoll_wait says what is wrong with it.
    for (;;) {
      const ready = raw.epoll_wait(this.#epoll, this.#events, this.#capacity, 0) as number;
      if (ready >= 0) return ready;
      if (lastErrno() !== ERRNO.EINTR) fail('epoll_wait', String(this.#epoll));
    }
  }

  /**
   * Resolves when a descriptor is ready or the time is over. Unlike `wait` it lets other work of this thread go on, and takes a
   * thread of libuv's pool meanwhile. Only one such wait at a time; the caller's thread must not end before it.
   */
  readable(nanoseconds: number): Promise<void> {
    this.#lasting ??= mapMemory(POLL_BYTES);
    const { address, memory } = this.#lasting;
    new Int32Array(memory).set(this.#pollfd);
    const time64 = new BigInt64Array(memory, POLL_TIME_AT);
    time64[0] = BigInt(Math.floor(nanoseconds / 1e9));
    time64[1] = BigInt(nanoseconds % 1e9);
    const time = address + BigInt(POLL_TIME_AT);
    return new Promise((resolve) => raw.ppoll.async(address, 1, time, null, () => resolve()));
  }

  /** Waits for this time; neither a descriptor nor a signal ends it. Throws `KernelError`. */
  pause(nanoseconds: number): void {
    this.#poll(null, 0, nanoseconds);
  }

  /** How many of the descriptors are ready. Waits at most `nanoseconds`; with a descriptor, a negative time is for ever. */
  #poll(descriptors: Int32Array | null, count: number, nanoseconds: number): number {
    const isBounded = nanoseconds > 0 || descriptors === null;
    const endMs = isBounded ? performance.now() + nanosToMillis(nanoseconds) : 0;
    if (isBounded) this.#setTimeout(nanoseconds);
    for (;;) {
      const ready = raw.ppoll(descriptors, count, isBounded ? this.#timeout : null, null) as number;
      if (ready >= 0) return ready;
      if (lastErrno() !== ERRNO.EINTR) fail('ppoll', isBounded ? `${nanoseconds} ns` : 'for ever');
      if (isBounded) this.#setTimeout(Math.max(0, Math.ceil(millisToNanos(endMs - performance.now()))));
    }
  }

  #setTimeout(nanoseconds: number): void {
    const words = new Int32Array(this.#timeout.buffer);
    words[0] = Math.floor(nanoseconds / 1e9);
    words[2] = nanoseconds % 1e9;
  }

  token(index: number): number {
    return this.#view.getUint32(index * EPOLL_EVENT.size + EPOLL_EVENT.data, true);
  }

  close(): void {
    close(this.#epoll);
  }
}
