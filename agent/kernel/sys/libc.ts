/**
 * libc through koffi: the system calls that Node has no words for. Every wrapper throws `KernelError` with the errno;
 * `errnoOf…` variants don't exist on purpose, so that no failure passes silently. Where a caller can go on after a
 * failure it says which errno it expects (`expecting`).
 *
 * Koffi passes Buffers and typed arrays as pointers without a copy; they live until the call returns, so memory that
 * the kernel or another call uses later comes from `mapMemory`.
 */
import { constants as osConstants } from 'node:os';
import koffi from 'koffi';
import { KernelError } from './errors.ts';

const libc = koffi.load('libc.so.6');

/** Names of the calls bound below, with their C prototypes. */
const raw = {
  open: libc.func('int open(const char *path, int flags, uint32_t mode)'),
  close: libc.func('int close(int fd)'),
  setns: libc.func('int setns(int fd, int nstype)'),
  unshare: libc.func('int unshare(int flags)'),
  mount: libc.func(
    'int mount(const char *source, const char *target, const char *type, ulong flags, void *data)',
  ),
  umount2: libc.func('int umount2(const char *target, int flags)'),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, void *address, uint32_t length)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)'),
  send: libc.func('long send(int fd, void *data, size_t length, int flags)'),
  recv: libc.func('long recv(int fd, void *data, size_t length, int flags)'),
  recvmmsg: libc.func('int recvmmsg(int fd, void *messages, uint32_t count, int flags, void *timeout)'),
  eventfd: libc.func('int eventfd(uint32_t initial, int flags)'),
  read: libc.func('long read(int fd, void *data, size_t length)'),
  write: libc.func('long write(int fd, void *data, size_t length)'),
  epoll_create1: libc.func('int epoll_create1(int flags)'),
  epoll_ctl: libc.func('int epoll_ctl(int epfd, int op, int fd, void *event)'),
  epoll_wait: libc.func('int epoll_wait(int epfd, void *events, int count, int timeout)'),
  ppoll: libc.func('int ppoll(void *fds, ulong count, void *timeout, void *sigmask)'),
  adjtimex: libc.func('int adjtimex(void *timex)'),
  prlimit: libc.func('int prlimit(int pid, int resource, void *limit, void *old)'),
  mmap: libc.func(
    'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
  ),
};

type Call = keyof typeof raw;

const ERRNO_NAMES = new Map(Object.entries(osConstants.errno).map(([name, number]) => [number, name]));

/** `EPERM (Operation not permitted)`-like text without the explanation, e.g. `EPERM`. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
}

function fail(call: Call, object: string): never {
  const errno = koffi.errno();
  const denied = errno === osConstants.errno.EPERM || errno === osConstants.errno.EACCES;
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

function check(call: Call, result: number, object: string): number {
  if (result < 0) fail(call, object);
  return result;
}

export const CLONE_NEWNET = 0x40000000;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const SO_ATTACH_BPF = 50;
const SO_NETNS_COOKIE = 71;
const SOL_NETLINK = 270;
const MSG_DONTWAIT = 0x40;
const O_CLOEXEC = 0o2000000;
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_SHARED = 1 << 20;
const MNT_DETACH = 2;
const EAGAIN = osConstants.errno.EAGAIN;
const EINTR = osConstants.errno.EINTR;
const ENOBUFS = osConstants.errno.ENOBUFS;

export function open(path: string, flags = 0): number {
  return check('open', raw.open(path, flags | O_CLOEXEC, 0), path);
}

export function close(fd: number): void {
  check('close', raw.close(fd), String(fd));
}

export function setns(fd: number): void {
  check('setns', raw.setns(fd, CLONE_NEWNET), String(fd));
}

export function unshareNetwork(): void {
  check('unshare', raw.unshare(CLONE_NEWNET), 'CLONE_NEWNET');
}

export function bindMount(source: string, target: string): void {
  check('mount', raw.mount(source, target, 'none', MS_BIND, null), target);
}

/** Makes a folder a mount of its own that other mount namespaces see changes of, as iproute2 does for /run/netns. */
export function makeSharedMount(folder: string): void {
  if (raw.mount('', folder, 'none', MS_SHARED | MS_REC, null) === 0) return;
  check('mount', raw.mount(folder, folder, 'none', MS_BIND | MS_REC, null), folder);
  check('mount', raw.mount('', folder, 'none', MS_SHARED | MS_REC, null), folder);
}

/** Unmounts `target` as soon as nobody uses it; false when nothing was mounted there. */
export function unmount(target: string): boolean {
  if (raw.umount2(target, MNT_DETACH) === 0) return true;
  const errno = koffi.errno();
  if (errno === osConstants.errno.EINVAL || errno === osConstants.errno.ENOENT) return false;
  return fail('umount2', target);
}

/** A socket in the network namespace of the calling thread; it stays there for good. */
export function socket(domain: number, type: number, protocol: number): number {
  return check('socket', raw.socket(domain, type | SOCK_CLOEXEC, protocol), `domain ${domain}`);
}

export function bind(fd: number, address: Uint8Array): void {
  check('bind', raw.bind(fd, address, address.length), String(fd));
}

/** Also beyond what net.core.rmem_max allows; the kernel has a smallest size. */
export function forceReceiveBuffer(fd: number, bytes: number): void {
  check(
    'setsockopt',
    raw.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, new Int32Array([bytes]), 4),
    'SO_RCVBUFFORCE',
  );
}

export function attachSocketFilter(fd: number, programFd: number): void {
  check(
    'setsockopt',
    raw.setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, new Int32Array([programFd]), 4),
    'SO_ATTACH_BPF',
  );
}

/**
 * The number of the socket's network namespace that no other gets until the machine starts again, in decimal; empty on
 * kernels before 5.14.
 */
export function namespaceCookie(fd: number): string {
  const cookie = new BigUint64Array(1);
  if (raw.getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, new Uint32Array([8])) === 0)
    return `${cookie[0]}`;
  if (koffi.errno() === osConstants.errno.ENOPROTOOPT) return '';
  return fail('getsockopt', 'SO_NETNS_COOKIE');
}

/** `what` names the option in errors. */
export function setSocketOption(
  fd: number,
  level: number,
  option: number,
  value: Uint32Array,
  what: string,
): void {
  check('setsockopt', raw.setsockopt(fd, level, option, value, value.byteLength), what);
}

/** Fills the start of `value`; what an older kernel doesn't tell stays as it is. */
export function getSocketOption(
  fd: number,
  level: number,
  option: number,
  value: Uint8Array,
  what: string,
): void {
  check('getsockopt', raw.getsockopt(fd, level, option, value, new Uint32Array([value.length])), what);
}

export function setNetlinkOption(fd: number, option: number): void {
  check(
    'setsockopt',
    raw.setsockopt(fd, SOL_NETLINK, option, new Int32Array([1]), 4),
    `SOL_NETLINK ${option}`,
  );
}

export function send(fd: number, data: Uint8Array, length = data.length): void {
  check('send', Number(raw.send(fd, data, length, 0)), `${length} bytes`);
}

/**
 * Bytes received into `data`; waits as long as `setReceiveTimeout` says. After an overrun what still waits is given up:
 * it would take the room of the next answers.
 */
export function receive(fd: number, data: Uint8Array): number {
  for (;;) {
    const received = Number(raw.recv(fd, data, data.length, 0));
    if (received >= 0) return received;
    const errno = koffi.errno();
    if (errno === ENOBUFS) {
      while (Number(raw.recv(fd, data, data.length, MSG_DONTWAIT)) >= 0);
      throw overrun(fd);
    }
    if (errno !== EINTR) fail('recv', String(fd));
  }
}

/** Receiving then fails with EAGAIN instead of waiting for ever. */
export function setReceiveTimeout(fd: number, seconds: number): void {
  // struct timeval
  const value = new BigInt64Array([BigInt(seconds), 0n]);
  check('setsockopt', raw.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, value, 16), 'SO_RCVTIMEO');
}

function overrun(fd: number): KernelError {
  return new KernelError({
    code: 'NETLINK_OVERRUN',
    message: `the kernel had more to say than the buffer of netlink socket ${fd} holds: ENOBUFS`,
    errno: ENOBUFS,
    remedy: 'what is installed is read again, and the rest tried again; if it stays, free memory',
  });
}

/** Datagrams received into the mmsghdr array at `messages`; 0 when none waits. */
export function receiveMany(fd: number, messages: bigint, count: number): number {
  const received = raw.recvmmsg(fd, messages, count, MSG_DONTWAIT, null) as number;
  if (received >= 0) return received;
  const errno = koffi.errno();
  if (errno === EAGAIN || errno === EINTR) return 0;
  return fail('recvmmsg', String(fd));
}

const EFD_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK;
const ONE = new BigUint64Array([1n]);
const scratch = new BigUint64Array(1);

/** A counter that another thread can wait for in `poll`. */
export function createEvent(): number {
  return check('eventfd', raw.eventfd(0, EFD_FLAGS), 'new');
}

export function raiseEvent(fd: number): void {
  check('write', Number(raw.write(fd, ONE, 8)), 'eventfd');
}

/** Resets the event; does nothing when it is not raised. */
export function clearEvent(fd: number): void {
  raw.read(fd, scratch, 8);
}

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
/** struct epoll_event is packed on x86-64 only (linux/eventpoll.h). */
const EPOLL_EVENT = process.arch === 'x64' ? { size: 12, data: 4 } : { size: 16, data: 8 };

/** Waits for many descriptors with nanosecond time-outs, each known by a number that the caller chose. */
export class Poller {
  readonly #epoll = check('epoll_create1', raw.epoll_create1(SOCK_CLOEXEC), 'new');
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

const RLIMIT_NOFILE = 7;

/** Descriptors that this process may have open: now, and the most that it may allow itself without CAP_SYS_RESOURCE. */
export function openFilesLimit(): { soft: number; hard: number } {
  const limit = new BigUint64Array(2);
  check('prlimit', raw.prlimit(0, RLIMIT_NOFILE, null, limit), 'RLIMIT_NOFILE');
  return { soft: Number(limit[0]), hard: Number(limit[1]) };
}

/** Sets both for this process and what it starts from now on. */
export function setOpenFilesLimit(descriptors: number): void {
  const limit = new BigUint64Array(2).fill(BigInt(descriptors));
  check('prlimit', raw.prlimit(0, RLIMIT_NOFILE, limit, null), `RLIMIT_NOFILE ${descriptors}`);
}

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Zeroed memory at a fixed address, for structures that point at each other. Never freed. */
export function mapMemory(bytes: number): { address: bigint; memory: ArrayBuffer } {
  const address = raw.mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0) as bigint;
  return { address, memory: koffi.view(address, bytes) };
}

/** Reads the state of the kernel's clock into `timex` (struct timex with `modes` 0) and returns it, e.g. TIME_ERROR. */
export function readClockState(timex: Uint8Array): number {
  return check('adjtimex', raw.adjtimex(timex), 'read');
}
