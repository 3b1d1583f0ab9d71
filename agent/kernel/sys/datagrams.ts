/** Single datagrams with their addresses, without waiting. What can't be sent is lost, as in a network. */
import { fromMillis, fromSeconds, type Micros, micros, nanosToMillis } from '../../../proto/units.ts';
import { close } from './descriptors.ts';
import { check, ERRNO, fail, lastErrno, libc } from './libc.ts';
import { socket } from './sockets.ts';

const raw = {
  recvfrom: libc.func(
    'long recvfrom(int fd, void *data, size_t length, int flags, void *address, _Inout_ uint32_t *addressLength)',
  ),
  sendto: libc.func(
    'long sendto(int fd, void *data, size_t length, int flags, void *address, uint32_t addressLength)',
  ),
  ioctl: libc.func('int ioctl(int fd, uint64_t request, void *value)'),
  clock_gettime: libc.func('int clock_gettime(int clock, void *time)'),
};

const MSG_DONTWAIT = 0x40;
const CLOCK_REALTIME = 0;
/** asm-generic/sockios.h, SIOCGSTAMPNS_OLD: a struct timespec of two longs. */
const LAST_ARRIVAL = 0x8907;

/**
 * Bytes received into `data`, and the start of the sender's address in `address`; -1 if none waits. An error that an earlier
 * datagram has met (for instance ECONNREFUSED) counts as none. Throws `KernelError` for a descriptor that is none.
 */
export function receiveFrom(fd: number, data: Uint8Array, address: Uint8Array): number {
  const received = Number(
    raw.recvfrom(fd, data, data.length, MSG_DONTWAIT, address, new Uint32Array([address.length])),
  );
  if (received < 0 && lastErrno() === ERRNO.EBADF) return fail('recvfrom', String(fd));
  return received;
}

/** `address`: a struct sockaddr. Returns whether the kernel has taken the datagram. */
export function sendTo(fd: number, data: Uint8Array, length: number, address: Uint8Array): boolean {
  return Number(raw.sendto(fd, data, length, MSG_DONTWAIT, address, address.length)) >= 0;
}

/** Of a struct timespec, µs. */
const microsOf = (time: BigInt64Array): Micros =>
  micros(fromSeconds(Number(time[0])) + fromMillis(nanosToMillis(Number(time[1]))));

/** The machine's date, µs since 1970. */
export function dateMicros(): Micros {
  const time = new BigInt64Array(2);
  check('clock_gettime', raw.clock_gettime(CLOCK_REALTIME, time), 'CLOCK_REALTIME');
  return microsOf(time);
}

/**
 * When the datagram that was received last has arrived at the machine, by its date, µs since 1970, before any queue of the firewall
 * (socket(7), SIOCGSTAMP). The first call begins it, and returns `undefined`.
 */
export function arrivedAt(fd: number): Micros | undefined {
  const time = new BigInt64Array(2);
  return raw.ioctl(fd, LAST_ARRIVAL, time) === 0 ? microsOf(time) : undefined;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;

/**
 * Sends one datagram to a unix socket (unix(7)), which Node can't, without waiting. `path`: of the socket; one that starts with `@` is a name in the abstract namespace. Returns
 * whether somebody has it now. Throws `KernelError` without descriptors.
 */
export function sendToPath(path: string, text: string): boolean {
  const fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  try {
    const data = Buffer.from(text);
    return sendTo(fd, data, data.length, addressOf(path));
  } finally {
    close(fd);
  }
}

/** struct sockaddr_un. A name in the abstract namespace has no end but the address'. */
function addressOf(path: string): Buffer {
  const name = path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, Buffer.from(name)]);
}
