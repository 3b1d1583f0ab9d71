/** Sockets: options, and sending and receiving datagrams. */
import { KernelError } from './errors.ts';
import { check, ERRNO, fail, lastErrno, libc, retry } from './libc.ts';
import { mapMemory } from './memory.ts';

const raw = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, void *address, uint32_t length)'),
  getsockname: libc.func('int getsockname(int fd, void *address, _Inout_ uint32_t *length)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)'),
  send: libc.func('long send(int fd, void *data, size_t length, int flags)'),
  recv: libc.func('long recv(int fd, void *data, size_t length, int flags)'),
  recvmmsg: libc.func('int recvmmsg(int fd, void *messages, uint32_t count, int flags, void *timeout)'),
};

export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_ATTACH_FILTER = 26;
const SO_RCVBUFFORCE = 33;
const SO_ATTACH_BPF = 50;
const SO_NETNS_COOKIE = 71;
const SOL_NETLINK = 270;
const MSG_DONTWAIT = 0x40;
const { EAGAIN, EINTR, ENOBUFS } = ERRNO;

/** A socket in the network namespace of the calling thread. It stays in that namespace. */
export function socket(domain: number, type: number, protocol: number): number {
  return check('socket', raw.socket(domain, type | SOCK_CLOEXEC, protocol), `domain ${domain}`);
}

export function bind(fd: number, address: Uint8Array): void {
  check('bind', raw.bind(fd, address, address.length), String(fd));
}

/** The address that the socket is bound to, at most `bytes` of it. */
export function boundAddress(fd: number, bytes: number): Buffer {
  const address = Buffer.alloc(bytes);
  check('getsockname', raw.getsockname(fd, address, new Uint32Array([bytes])), String(fd));
  return address;
}

/** Sets the size of the receive buffer, also above net.core.rmem_max. The kernel raises sizes below its minimum. */
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

/** struct sock_filter: code, jump if true, jump if false, operand. */
export type Instruction = readonly [number, number, number, number];
const INSTRUCTION_BYTES = 8;

/** Only what this program of classic BPF gives a length other than 0 is received (linux/filter.h). */
export function attachClassicFilter(fd: number, instructions: readonly Instruction[]): void {
  const { address, memory } = mapMemory(instructions.length * INSTRUCTION_BYTES);
  const view = new DataView(memory);
  for (const [index, [code, ifTrue, ifFalse, operand]] of instructions.entries()) {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, ifTrue);
    view.setUint8(at + 3, ifFalse);
    view.setUint32(at + 4, operand, true);
  }
  // struct sock_fprog points to the program.
  const program = new BigUint64Array([BigInt(instructions.length), address]);
  setSocketOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, new Uint32Array(program.buffer), 'SO_ATTACH_FILTER');
}

/**
 * The number of the socket's network namespace, in decimal. No other namespace gets it until the machine starts again. Empty on
 * kernels before 5.14.
 */
export function namespaceCookie(fd: number): string {
  const cookie = new BigUint64Array(1);
  if (raw.getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, new Uint32Array([8])) === 0)
    return `${cookie[0]}`;
  if (lastErrno() === ERRNO.ENOPROTOOPT) return '';
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

/** Fills the start of `value`. An older kernel may fill less of it; the rest stays as it is. */
export function getSocketOption(
  fd: number,
  level: number,
  option: number,
  value: Uint8Array,
  what: string,
): void {
  check('getsockopt', raw.getsockopt(fd, level, option, value, new Uint32Array([value.length])), what);
}

/** `value`: 1 switches the option on. */
export function setNetlinkOption(fd: number, option: number, value = 1): void {
  check(
    'setsockopt',
    raw.setsockopt(fd, SOL_NETLINK, option, new Int32Array([value]), 4),
    `SOL_NETLINK ${option}`,
  );
}

export function send(fd: number, data: Uint8Array, length = data.length): void {
  while (Number(raw.send(fd, data, length, 0)) < 0)
    if (lastErrno() !== EINTR) fail('send', `${length} bytes`);
}

/**
 * Bytes received into `data`; waits as long as `setReceiveTimeout` says. After an overrun (`NETLINK_OVERRUN`) what is still
 * queued is discarded: it would take the room of the next answers.
 */
export function receive(fd: number, data: Uint8Array): number {
  const received = retry('recv', () => raw.recv(fd, data, data.length, 0), fd, [ENOBUFS]);
  if (received >= 0) return received;
  // Up to the first error: EAGAIN when the queue is empty. Any other the next `receive` will meet again.
  while (Number(raw.recv(fd, data, data.length, MSG_DONTWAIT)) >= 0);
  throw overrun(fd);
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

/**
 * Datagrams received into the mmsghdr array at `messages`; 0 when none waits (EAGAIN). Throws `NETLINK_OVERRUN` where the kernel
 * had no room for some (ENOBUFS), once.
 */
export function receiveMany(fd: number, messages: bigint, count: number): number {
  for (;;) {
    const received = raw.recvmmsg(fd, messages, count, MSG_DONTWAIT, null) as number;
    if (received >= 0) return received;
    const errno = lastErrno();
    if (errno === EAGAIN) return 0;
    if (errno === ENOBUFS) throw overrun(fd);
    if (errno !== EINTR) fail('recvmmsg', String(fd));
  }
}
