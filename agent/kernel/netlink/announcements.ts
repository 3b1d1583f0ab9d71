/**
 * What the kernel announces to multicast groups of netlink (netlink(7)), of any number of network namespaces, with one socket: it
 * hears all namespaces that have a number in its own one (NETLINK_LISTEN_ALL_NSID; `do_one_broadcast`, net/netlink/af_netlink.c).
 */
import { close } from '../sys/descriptors.ts';
import { KernelError } from '../sys/errors.ts';
import { mapMemory } from '../sys/memory.ts';
import {
  AF_NETLINK,
  attachClassicFilter,
  bind,
  forceReceiveBuffer,
  type Instruction,
  receiveMany,
  SOCK_RAW,
  setNetlinkOption,
  socket,
} from '../sys/sockets.ts';
import { HEADER_SIZE } from './netlink-message.ts';
import { netlinkAddress, randomPort } from './netlink-socket.ts';

const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_LISTEN_ALL_NSID = 8;

/** Some two thousand announcements; what does not fit is an overrun. */
const RECEIVE_BUFFER_BYTES = 1 << 20;

const DATAGRAMS = 32;
/** Announcements of one transaction come in one datagram, of at most this (NLMSG_GOODSIZE). */
const DATAGRAM_BYTES = 8192;
/** struct mmsghdr { struct msghdr (56 bytes); unsigned len; padding } on 64-bit machines. */
const MMSGHDR = { bytes: 64, control: 32, controlLength: 40, flags: 48, length: 56 } as const;
const IOVEC_BYTES = 16;
/** struct cmsghdr { size_t len; int level; int type; }, and one number. */
const CONTROL = { bytes: 24, level: 8, type: 12, data: 16 } as const;
const MSG_TRUNC = 0x20;

/** In place of a message's type: the datagram had more than was read. */
export const TOO_LONG = -1;

/** Gets the number of the namespace, the message's type, and where its body is in `bytes`; they are valid until it returns. */
export type AnnouncementHandler = (
  namespace: number,
  type: number,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

interface Buffers {
  readonly address: bigint;
  readonly headers: DataView;
  readonly controls: DataView;
  readonly data: Buffer;
}

/** Shared by all sockets of a thread. */
let buffers: Buffers | undefined;

function mapBuffers(): Buffers {
  const vectorsAt = DATAGRAMS * MMSGHDR.bytes;
  const controlsAt = vectorsAt + DATAGRAMS * IOVEC_BYTES;
  const dataAt = controlsAt + DATAGRAMS * CONTROL.bytes;
  const { address, memory } = mapMemory(dataAt + DATAGRAMS * DATAGRAM_BYTES);
  const view = new DataView(memory);
  const pointer = (at: number, to: number): void => view.setBigUint64(at, address + BigInt(to), true);
  for (let i = 0; i < DATAGRAMS; i++) {
    const header = i * MMSGHDR.bytes;
    const vector = vectorsAt + i * IOVEC_BYTES;
    // msghdr: name, namelen, iov, iovlen, control, controllen, flags.
    pointer(header + 16, vector);
    view.setBigUint64(header + 24, 1n, true);
    pointer(header + MMSGHDR.control, controlsAt + i * CONTROL.bytes);
    pointer(vector, dataAt + i * DATAGRAM_BYTES);
    view.setBigUint64(vector + 8, BigInt(DATAGRAM_BYTES), true);
  }
  return {
    address,
    headers: view,
    controls: new DataView(memory, controlsAt, DATAGRAMS * CONTROL.bytes),
    data: Buffer.from(memory, dataAt),
  };
}

export class Announcements {
  readonly #fd: number;
  /** Until nothing waits any more: the kernel announces nothing meanwhile, and does not say so again. */
  #isOverrun = false;

  /**
   * Joins the groups in the namespace of the calling thread. What was asked for by a socket of port `deafTo`, in whichever
   * namespace, is not heard. Throws `KernelError`: `NO_PERMISSION` without CAP_NET_BROADCAST.
   */
  constructor(protocol: number, groups: readonly number[], deafTo?: number) {
    this.#fd = socket(AF_NETLINK, SOCK_RAW, protocol);
    try {
      forceReceiveBuffer(this.#fd, RECEIVE_BUFFER_BYTES);
      if (deafTo !== undefined) attachClassicFilter(this.#fd, notFrom(deafTo));
      // A socket without a port hears nothing, and one whose port is another's does not hear what that one asks to be echoed.
      bind(this.#fd, netlinkAddress(randomPort()));
      setNetlinkOption(this.#fd, NETLINK_LISTEN_ALL_NSID);
      for (const group of groups) setNetlinkOption(this.#fd, NETLINK_ADD_MEMBERSHIP, group);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /**
   * Calls `handle` for each message that waits, of `most` datagrams and a few more. False if the kernel had no room for some: what
   * they said is not known, until this returns true again.
   */
  receive(handle: AnnouncementHandler, most: number): boolean {
    buffers ??= mapBuffers();
    let wasOverrun = this.#isOverrun;
    for (let total = 0; total < most; ) {
      const count = this.#receiveSome(buffers);
      wasOverrun ||= this.#isOverrun;
      for (let i = 0; i < count; i++) readDatagram(buffers, i, handle);
      total += count;
      if (count < DATAGRAMS) {
        this.#isOverrun = false;
        break;
      }
    }
    return !wasOverrun;
  }

  #receiveSome({ address, headers }: Buffers): number {
    // The kernel writes the length that it has used.
    for (let i = 0; i < DATAGRAMS; i++)
      headers.setBigUint64(i * MMSGHDR.bytes + MMSGHDR.controlLength, BigInt(CONTROL.bytes), true);
    for (;;) {
      try {
        return receiveMany(this.#fd, address, DATAGRAMS);
      } catch (error) {
        if (!(error instanceof KernelError && error.code === 'NETLINK_OVERRUN')) throw error;
        this.#isOverrun = true;
      }
    }
  }

  close(): void {
    close(this.#fd);
  }
}

function readDatagram(
  { headers, controls, data }: Buffers,
  index: number,
  handle: AnnouncementHandler,
): void {
  const control = index * CONTROL.bytes;
  const isNumbered =
    controls.getInt32(control + CONTROL.level, true) === SOL_NETLINK &&
    controls.getInt32(control + CONTROL.type, true) === NETLINK_LISTEN_ALL_NSID;
  const namespace = isNumbered ? controls.getInt32(control + CONTROL.data, true) : -1;
  // The next datagram may have none.
  controls.setInt32(control + CONTROL.level, 0, true);
  const header = index * MMSGHDR.bytes;
  const start = index * DATAGRAM_BYTES;
  const end = start + Math.min(headers.getUint32(header + MMSGHDR.length, true), DATAGRAM_BYTES);
  if (headers.getInt32(header + MMSGHDR.flags, true) & MSG_TRUNC) handle(namespace, TOO_LONG, data, end, end);
  for (let at = start; at + HEADER_SIZE <= end; ) {
    const length = data.readUInt32LE(at);
    if (length < HEADER_SIZE) return;
    handle(namespace, data.readUInt16LE(at + 4), data, at + HEADER_SIZE, Math.min(at + length, end));
    at += (length + 3) & ~3;
  }
}

/** The port is at offset 12 of the header, and classic BPF reads numbers in network order. */
function notFrom(port: number): readonly Instruction[] {
  const swapped = Buffer.alloc(4);
  swapped.writeUInt32LE(port);
  return [
    // ld [12]
    [0x20, 0, 0, 12],
    // jeq #port: drop, or pass all of it
    [0x15, 0, 1, swapped.readUInt32BE()],
    [0x06, 0, 0, 0],
    [0x06, 0, 0, 0x40000],
  ];
}
