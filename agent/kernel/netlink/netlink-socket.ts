/** A netlink socket: batches of requests, and dumps. */

import { randomInt } from 'node:crypto';
import { close } from '../sys/descriptors.ts';
import { KernelError } from '../sys/errors.ts';
import { ERRNO, errnoName } from '../sys/libc.ts';
import {
  AF_NETLINK,
  bind,
  forceReceiveBuffer,
  receive,
  SOCK_RAW,
  send,
  setNetlinkOption,
  setReceiveTimeout,
  socket,
} from '../sys/sockets.ts';
import {
  HEADER_SIZE,
  MessageWriter,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  readAttributes,
  readMessages,
  readString,
} from './netlink-message.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NLMSGERR_ATTR_MSG = 1;
/** All answers to a batch are queued before the first is read; 128 of them fit the default receive buffer. */
const REQUESTS_PER_SEND = 128;
/** A send must fit the default send buffer. */
const BYTES_PER_SEND = 1 << 16;
const RECEIVE_BYTES = 1 << 18;
/** The kernel answers before `send` returns, so an answer that takes longer never comes. */
const ANSWER_SECONDS = 5;

/** One request of a batch: a message type, flags beside REQUEST and ACK, and what it writes after the header. */
export interface Request {
  readonly type: number;
  readonly flags: number;
  readonly body: (writer: MessageWriter) => void;
  /** What it does, for error messages: `add class 4e46:3 to eth0`. */
  readonly what: string;
  /** Frames of a transaction (nfnetlink's batch begin and end) are not acknowledged by all kernels. */
  readonly silent?: boolean;
}

/** The kernel's answer to a request. Errno 0: it was done. */
export interface Verdict {
  readonly what: string;
  readonly errno: number;
  /** The kernel's own explanation, where it gives one. */
  readonly message: string;
}

/** In place of a port: the kernel chooses. */
const ANY_PORT = 0;

/** struct sockaddr_nl: family, padding (2), port, groups. */
export function netlinkAddress(port: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(AF_NETLINK, port, 0).buffer);
}

/** A port that no other program has or can guess: the kernel chooses process numbers (at most 2^22), or above 2^31. */
export const randomPort = (): number => randomInt(2 ** 23, 2 ** 31);

/** Shared by all sockets of a thread, since every exchange is synchronous. So a socket per endpoint needs no buffers of its own. */
const writer = new MessageWriter(1 << 15);
const buffer = Buffer.alloc(RECEIVE_BYTES);

export class NetlinkSocket {
  readonly fd: number;
  #sequence = 0;

  /**
   * Opens a socket in the network namespace of the calling thread. `port`: by which others know who has asked for a change; where
   * another socket of the namespace has it, the kernel chooses.
   */
  constructor(protocol: number, port = ANY_PORT) {
    this.fd = socket(AF_NETLINK, SOCK_RAW, protocol);
    try {
      bindTo(this.fd, port);
      setNetlinkOption(this.fd, NETLINK_CAP_ACK);
      setNetlinkOption(this.fd, NETLINK_EXT_ACK);
      forceReceiveBuffer(this.fd, 1 << 20);
      setReceiveTimeout(this.fd, ANSWER_SECONDS);
    } catch (error) {
      close(this.fd);
      throw error;
    }
  }

  close(): void {
    close(this.fd);
  }

  /** Sends all requests and returns a verdict for each, in order. A request that fails does not prevent later ones. */
  batch(requests: readonly Request[]): Verdict[] {
    const verdicts: Verdict[] = [];
    for (let start = 0; start < requests.length; ) start += this.#sendBatch(requests, start, verdicts);
    return verdicts;
  }

  /** Like `batch`, but throws the first refusal, with the name of its request. */
  run(requests: readonly Request[]): void {
    for (const verdict of this.batch(requests)) if (verdict.errno !== 0) throw refusal(verdict);
  }

  /** Sends as many as fit, from `start` on, and returns how many those are. */
  #sendBatch(all: readonly Request[], start: number, verdicts: Verdict[]): number {
    const first = this.#sequence + 1;
    const requests: Request[] = [];
    writer.reset();
    let last = -1;
    let lastAt = 0;
    while (requests.length < REQUESTS_PER_SEND && writer.length < BYTES_PER_SEND) {
      const request = all[start + requests.length];
      if (!request) break;
      const at = writer.length;
      writer.message(request.type, request.flags | NLM_F_REQUEST, request.body);
      writer.bytes.writeUInt32LE(++this.#sequence, at + 8);
      if (!request.silent) [last, lastAt] = [requests.length, at];
      requests.push(request);
    }
    // Only the last request asks for an answer. Refusals are sent anyway, and in order (netlink_rcv_skb, net/netlink/af_netlink.c).
    if (last !== -1)
      writer.bytes.writeUInt16LE(requests[last]!.flags | NLM_F_REQUEST | NLM_F_ACK, lastAt + 6);
    send(this.fd, writer.bytes);
    const answered: (Verdict | undefined)[] = new Array(requests.length);
    while (last !== -1 && !answered[last]) {
      for (const message of this.#receive()) {
        const index = message.sequence - first;
        const request = requests[index];
        if (message.type !== NLMSG_ERROR || !request || answered[index]) continue;
        const verdict = readVerdict(request.what, message.body);
        if (!request.silent) answered[index] = verdict;
        else if (verdict.errno !== 0) refuseAll(requests, answered, verdict);
      }
    }
    for (const [index, { what, silent }] of requests.entries())
      if (!silent) verdicts.push(answered[index] ?? { what, errno: 0, message: '' });
    return requests.length;
  }

  /** All objects of a dump request; `read` gets what follows each message's header. */
  dump<T>(request: Request, read: (body: Buffer, type: number) => T | undefined): T[] {
    const sequence = ++this.#sequence;
    writer.reset();
    writer.message(request.type, request.flags | NLM_F_REQUEST | NLM_F_DUMP, request.body);
    writer.bytes.writeUInt32LE(sequence, 8);
    send(this.fd, writer.bytes);
    const found: T[] = [];
    for (;;) {
      for (const message of this.#receive()) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG_DONE) {
          // An errno says that the list is incomplete.
          const errno = message.body.length >= 4 ? -message.body.readInt32LE(0) : 0;
          if (errno > 0) throw refusal({ what: request.what, errno, message: '' });
          return found;
        }
        if (message.type === NLMSG_ERROR) throw refusal(readVerdict(request.what, message.body));
        const item = decode(request.what, () => read(Buffer.from(message.body), message.type));
        if (item !== undefined) found.push(item);
      }
    }
  }

  #receive(): Iterable<{ type: number; sequence: number; body: Buffer }> {
    const length = receive(this.fd, buffer);
    return readMessages(buffer.subarray(0, length));
  }
}

function bindTo(fd: number, port: number): void {
  try {
    bind(fd, netlinkAddress(port));
  } catch (error) {
    if (port === ANY_PORT || !(error instanceof KernelError && error.errno === ERRNO.EADDRINUSE)) throw error;
    bind(fd, netlinkAddress(ANY_PORT));
  }
}

/**
 * When the kernel refuses the frame of a transaction, it does none of it and answers no other request (nfnetlink_rcv_batch,
 * net/netfilter/nfnetlink.c): there is no such subsystem, or the transaction could not be committed.
 */
function refuseAll(
  requests: readonly Request[],
  answered: (Verdict | undefined)[],
  { errno, message }: Verdict,
): void {
  for (const [index, { what, silent }] of requests.entries())
    if (!silent) answered[index] ??= { what, errno, message };
}

/** struct nlmsgerr: a negative errno, the header of the request, then (NETLINK_CAP_ACK) attributes. */
function readVerdict(what: string, body: Buffer): Verdict {
  const errno = decode(what, () => 0 - body.readInt32LE(0));
  const attributes = readAttributes(body, 4 + HEADER_SIZE);
  return { what, errno, message: readString(attributes.get(NLMSGERR_ATTR_MSG)) };
}

/** `read` throws `RangeError` where the message ends too early. */
function decode<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new KernelError({
      code: 'NETLINK_MALFORMED',
      message: `the kernel's answer to "${what}" ends too early`,
      remedy: 'report the kernel version to the developers of netfold',
      cause,
    });
  }
}

/** `object`: what the request was applied to, where its name doesn't say it. */
export function refusal({ what, errno, message }: Verdict, object?: string): KernelError {
  const reason = message === '' ? '' : ` (${message})`;
  const place = object === undefined ? '' : ` on ${object}`;
  const remedy = REMEDIES[errnoName(errno)];
  return new KernelError({
    code: 'NETLINK_REFUSED',
    message: `the kernel refused to ${what}${place}: ${errnoName(errno)}${reason}`,
    errno,
    ...(remedy !== undefined && { remedy }),
  });
}

/** Likely causes of a refusal in netfold's requests. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENODEV: 'the interface is gone; bring it back, or end the experiment with `netfold down`',
  ENOENT: 'a kernel module may be missing, or somebody else removed what netfold made: run `netfold doctor`',
  EPERM: 'run as root, outside of a restricted container',
  ENOMEM: 'free memory, or use fewer endpoints',
  ENOBUFS: 'free memory, or use fewer endpoints',
};
