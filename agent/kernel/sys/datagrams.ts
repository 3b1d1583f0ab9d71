/** Single datagrams with their addresses, without waiting. What can't be sent is lost, as in a network. */
import { fromMillis, fromSeconds, type Micros, micros, nanosToMillis } from '../../../proto/units.ts';
import { close } from './descriptors.ts';
import { check, ERRNO, fail, lastErrno, libc } from './libc.ts';
import { mapMemory } from './memory.ts';
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

const rawMany = {
  sendmmsg: libc.func('int sendmmsg(int fd, void *messages, uint32_t count, int flags)'),
  recvmmsg: libc.func('int recvmmsg(int fd, void *messages, uint32_t count, int flags, void *timeout)'),
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

/** struct mmsghdr on 64-bit machines (recvmmsg(2)): struct msghdr with its pointers, then the length that was moved. */
const MESSAGE = { bytes: 64, name: 0, nameLength: 8, parts: 16, partCount: 24, moved: 56 } as const;
/** struct iovec: an address and a length. */
const PART_BYTES = 16;
const POINTER_BYTES = 8;
/** struct sockaddr_in6, rounded up. */
const NAME_BYTES = 32;
const MSG_TRUNC = 0x20;
const IN_A_BATCH = 64;

/** Room for messages of one system call, whose structures point at each other. Each has a head, and a rest that is shared. */
class Batch {
  readonly address: bigint;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly #heads: number;
  readonly #parts: number;
  readonly #names: number;
  readonly #headBytes: number;

  /** `hasNames`: each has an address. */
  constructor(headBytes: number, restBytes: number, hasNames: boolean) {
    this.#headBytes = headBytes;
    this.#parts = IN_A_BATCH * MESSAGE.bytes;
    this.#names = this.#parts + IN_A_BATCH * 2 * PART_BYTES;
    this.#heads = this.#names + IN_A_BATCH * NAME_BYTES;
    const rest = this.#heads + IN_A_BATCH * headBytes;
    const { address, memory } = mapMemory(rest + restBytes);
    this.address = address;
    this.view = new DataView(memory);
    this.bytes = new Uint8Array(memory);
    for (let index = 0; index < IN_A_BATCH; index++) {
      const message = index * MESSAGE.bytes;
      if (hasNames) this.#point(message + MESSAGE.name, this.nameAt(index));
      this.#point(message + MESSAGE.parts, this.#partAt(index));
      this.#point(this.#partAt(index), this.headAt(index));
      this.#point(this.#partAt(index) + PART_BYTES, rest);
    }
  }

  headAt(index: number): number {
    return this.#heads + index * this.#headBytes;
  }

  nameAt(index: number): number {
    return this.#names + index * NAME_BYTES;
  }

  setName(index: number, address: Uint8Array): void {
    this.view.setUint32(index * MESSAGE.bytes + MESSAGE.nameLength, address.length, true);
    this.bytes.set(address, this.nameAt(index));
  }

  /** In bytes, of the head and of the rest. */
  setLengths(index: number, head: number, rest: number): void {
    const part = this.#partAt(index);
    this.#setLength(index * MESSAGE.bytes + MESSAGE.partCount, rest > 0 ? 2 : 1);
    this.#setLength(part + POINTER_BYTES, head);
    this.#setLength(part + PART_BYTES + POINTER_BYTES, rest);
  }

  /** Bytes of a message that was received, also those for which there was no room. */
  moved(index: number): number {
    return this.view.getUint32(index * MESSAGE.bytes + MESSAGE.moved, true);
  }

  #partAt(index: number): number {
    return this.#parts + index * 2 * PART_BYTES;
  }

  #point(at: number, to: number): void {
    this.view.setBigUint64(at, this.address + BigInt(to), true);
  }

  /** A size_t whose upper half is never used. */
  #setLength(at: number, length: number): void {
    this.view.setUint32(at, length, true);
  }
}

/** Datagrams of one socket that leave with one system call (sendmmsg(2)), all of zeros but for their heads. For little-endian machines. */
export class SendBatch {
  static readonly most = IN_A_BATCH;
  /** Of the heads, at `add`'s offsets. */
  readonly view: DataView;
  readonly #batch: Batch;
  readonly #headBytes: number;
  #count = 0;

  /** `mostBytes`: of a datagram. */
  constructor(headBytes: number, mostBytes: number) {
    this.#headBytes = headBytes;
    this.#batch = new Batch(headBytes, mostBytes, true);
    this.view = this.#batch.view;
  }

  /** There must be room: `SendBatch.most` in all. `address`: a struct sockaddr. Returns where in `view` the head stands. */
  add(address: Uint8Array, length: number): number {
    const index = this.#count++;
    const head = Math.min(length, this.#headBytes);
    this.#batch.setName(index, address);
    this.#batch.setLengths(index, head, length - head);
    return this.#batch.headAt(index);
  }

  /** Sends all, without waiting, and forgets them. `tell`: of each in its order, whether the kernel has taken it. */
  flush(fd: number, tell: (index: number, isTaken: boolean) => void): void {
    const count = this.#count;
    this.#count = 0;
    for (let next = 0; next < count; ) {
      const at = this.#batch.address + BigInt(next * MESSAGE.bytes);
      const taken = Number(rawMany.sendmmsg(fd, at, count - next, MSG_DONTWAIT));
      for (const end = next + Math.max(0, taken); next < end; next++) tell(next, true);
      // What stops a call is said of the message at which it stopped, by the next call.
      if (taken <= 0) tell(next++, false);
    }
  }
}

/** Datagrams that are received with one system call (recvmmsg(2)), of which only the heads are kept. For little-endian machines. */
export class ReceiveBatch {
  static readonly most = IN_A_BATCH;
  readonly view: DataView;
  readonly #batch: Batch;

  constructor(headBytes: number) {
    this.#batch = new Batch(headBytes, 0, false);
    this.view = this.#batch.view;
    for (let index = 0; index < IN_A_BATCH; index++) this.#batch.setLengths(index, headBytes, 0);
  }

  /** How many were there, at most 64. An error that an earlier datagram has met counts as none. Throws `KernelError` for a descriptor that is none. */
  receive(fd: number): number {
    const received = Number(
      rawMany.recvmmsg(fd, this.#batch.address, IN_A_BATCH, MSG_DONTWAIT | MSG_TRUNC, null),
    );
    if (received < 0 && lastErrno() === ERRNO.EBADF) return fail('recvmmsg', String(fd));
    return Math.max(0, received);
  }

  headAt(index: number): number {
    return this.#batch.headAt(index);
  }

  /** Its bytes, whatever was kept. */
  lengthOf(index: number): number {
    return this.#batch.moved(index);
  }
}
