/** Waiting for many descriptors at once, with time-outs in nanoseconds (epoll(7), ppoll(2)). */
import { close } from './descriptors.ts';
import { check, libc } from './libc.ts';

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

/** Waits for many descriptors with nanosecond time-outs, each known by a number that the caller chose. */
export class Poller {
  readonly #epoll = check('epoll_create1', raw.epoll_create1(EPOLL_CLOEXEC), 'new');
  readonly #capacity: number;
  readonly #events: Uint8Array;
  readonly #view: DataView;
  /** struct pollfd { int fd; short events, revents; } */
  readonly #pollfd = new Int32Array(2);
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
   * Waits at most `nanoseconds` (negative: for ever) and returns how many are ready; `token(i)` names them.
   * epoll_wait alone knows milliseconds only; ppoll on the epoll descriptor waits on a high-resolution timer.
   */
  wait(nanoseconds: number): number {
    if (nanoseconds !== 0) {
      let timeout: BigInt64Array | null = null;
      if (nanoseconds > 0) {
        timeout = this.#timeout;
        this.#setTimeout(nanoseconds);
      }
      if (raw.ppoll(this.#pollfd, 1, timeout, null) <= 0) return 0;
    }
    const ready = raw.epoll_wait(this.#epoll, this.#events, this.#capacity, 0) as number;
    return Math.max(0, ready);
  }

  /** Waits so long, whatever becomes ready. */
  pause(nanoseconds: number): void {
    this.#setTimeout(nanoseconds);
    raw.ppoll(null, 0, this.#timeout, null);
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
