/**
 * One NFQUEUE of one namespace (linux/netfilter/nfnetlink_queue.h). The first bytes of packets are received in batches, and
 * verdicts are sent in batches. Nothing is allocated per packet: the buffers are mapped once and shared by all queues of the
 * thread.
 */
import { mapMemory } from '../sys/memory.ts';
import { forceReceiveBuffer, receiveMany, send, setNetlinkOption } from '../sys/sockets.ts';
import { MessageWriter, NLM_F_REQUEST } from './netlink-message.ts';
import { NETLINK_NETFILTER, NetlinkSocket, refusal } from './netlink-socket.ts';

const NFNL_SUBSYS_QUEUE = 3;
const NFQNL_MSG_PACKET = (NFNL_SUBSYS_QUEUE << 8) | 0;
const NFQNL_MSG_VERDICT = (NFNL_SUBSYS_QUEUE << 8) | 1;
const NFQNL_MSG_CONFIG = (NFNL_SUBSYS_QUEUE << 8) | 2;
const NLMSG_ERROR = 2;
const NFQA_CFG = { CMD: 1, PARAMS: 2, QUEUE_MAXLEN: 3, MASK: 4, FLAGS: 5 } as const;
const NFQNL_CFG_CMD_BIND = 1;
const NFQNL_COPY_PACKET = 2;
const NFQA_PACKET_HDR = 1;
const NFQA_VERDICT_HDR = 2;
const NFQA_MARK = 3;
const NFQA_PAYLOAD = 10;
const FLAG_FAIL_OPEN = 1;
const FLAG_GSO = 4;
const NETLINK_NO_ENOBUFS = 5;
const NF_DROP = 0;
const NF_ACCEPT = 1;

/** How much is received of each packet. */
export type Received = 'addresses' | 'headers' | 'all';
/**
 * Addresses: an IPv6 header and the type of an ICMPv6 message, or an IPv4 header. Headers: also that of a fragment, or all options of
 * IPv4, and that of TCP up to its flags.
 */
const COPY_BYTES: Readonly<Record<Received, number>> = { addresses: 44, headers: 74, all: 0xffff };
/**
 * Packets that the kernel holds for the queue; it may take less than it is asked for, and does not say so (65,536 with 6.18).
 * When it is full, the kernel drops what comes, and counts it (queue-drops.ts): without FLAG_FAIL_OPEN, which would let it pass.
 */
const QUEUE_PACKETS = 200_000;
/** Packets that arrive while the thread is busy wait in this buffer. */
const RECEIVE_BUFFER_BYTES = 16 << 20;

const DATAGRAMS = 64;
const DATAGRAM_BYTES = 512;
/** The largest packet of IP, and what else the message has. */
const WHOLE_DATAGRAM_BYTES = COPY_BYTES.all + 1 + DATAGRAM_BYTES;
/** struct mmsghdr { struct msghdr (56 bytes); unsigned len; padding } on 64-bit machines. */
const MMSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;

interface Buffers {
  readonly address: bigint;
  readonly lengths: Uint32Array;
  readonly data: Uint8Array;
  readonly view: DataView;
  /** Bytes of each datagram. */
  readonly size: number;
}

/** Receive buffers of a thread: 64 datagrams, with the mmsghdr and iovec arrays that describe them. */
function mapReceiveBuffers(size: number): Buffers {
  const headers = DATAGRAMS * MMSGHDR_BYTES;
  const vectors = DATAGRAMS * IOVEC_BYTES;
  const { address, memory } = mapMemory(headers + vectors + DATAGRAMS * size);
  const words = new BigUint64Array(memory, 0, (headers + vectors) / 8);
  for (let i = 0; i < DATAGRAMS; i++) {
    const vector = headers + i * IOVEC_BYTES;
    // msghdr: name, namelen, iov, iovlen, control, controllen, flags.
    words[(i * MMSGHDR_BYTES) / 8 + 2] = address + BigInt(vector);
    words[(i * MMSGHDR_BYTES) / 8 + 3] = 1n;
    words[vector / 8] = address + BigInt(headers + vectors + i * size);
    words[vector / 8 + 1] = BigInt(size);
  }
  return {
    address,
    lengths: new Uint32Array(memory, 0, headers / 4),
    data: new Uint8Array(memory, headers + vectors),
    view: new DataView(memory, headers + vectors),
    size,
  };
}

let buffers: Buffers | undefined;
/** Where queues want whole packets. */
let wholeBuffers: Buffers | undefined;

/** Gets a packet's id and mark, and the position of its network header: offset in `data`, and length. */
export type PacketHandler = (
  id: number,
  mark: number,
  data: Uint8Array,
  offset: number,
  length: number,
) => void;

/** One verdict message: nlmsghdr 16, nfgenmsg 4, attribute header 4, verdict 4, id 4, attribute header 4, mark 4. */
const VERDICT_BYTES = 40;
const VERDICTS_PER_SEND = 64;

export class PacketQueue {
  readonly fd: number;
  readonly #number: number;
  readonly #netlink: NetlinkSocket;
  /** Set only while there are verdicts to send. */
  #verdicts: Buffer | undefined;
  #pending = 0;
  #isContentWanted = false;

  /** Binds queue `number` in the namespace of the calling thread. Throws `KernelError` where the kernel has none. */
  constructor(number: number) {
    this.#number = number;
    this.#netlink = new NetlinkSocket(NETLINK_NETFILTER);
    this.fd = this.#netlink.fd;
    try {
      this.#bind();
    } catch (error) {
      this.#netlink.close();
      throw error;
    }
  }

  #bind(): void {
    forceReceiveBuffer(this.fd, RECEIVE_BUFFER_BYTES);
    setNetlinkOption(this.fd, NETLINK_NO_ENOBUFS);
    // The kernel queues nothing before PARAMS is set, so that only the answer can be received here.
    this.#netlink.run([
      {
        type: NFQNL_MSG_CONFIG,
        flags: 0,
        what: `bind packet queue ${this.#number}`,
        body: (w) =>
          w
            .u8(0)
            .u8(0)
            .u16be(this.#number)
            .attribute(NFQA_CFG.CMD, (a) => a.u8(NFQNL_CFG_CMD_BIND).u8(0).u16be(0)),
      },
    ]);
    this.#configure((w) =>
      w
        .attribute(NFQA_CFG.PARAMS, (a) => a.u32be(COPY_BYTES.addresses).u8(NFQNL_COPY_PACKET))
        .attributeU32be(NFQA_CFG.QUEUE_MAXLEN, QUEUE_PACKETS),
    );
  }

  /** How much is received of packets that come from now on. */
  want(what: Received): void {
    const bytes = COPY_BYTES[what];
    this.#configure((w) => w.attribute(NFQA_CFG.PARAMS, (a) => a.u32be(bytes).u8(NFQNL_COPY_PACKET)));
    this.#isContentWanted = what === 'all';
  }

  /** Verdicts that were not sent are discarded: the kernel drops all packets of a queue that is closed. */
  close(): void {
    this.#verdicts = undefined;
    this.#pending = 0;
    this.#netlink.close();
  }

  /**
   * Whether GSO packets are received whole or cut into segments. Whole ones cost less; where packets are lost they must be cut,
   * since each frame is lost by itself.
   */
  keepGsoWhole(whole: boolean): void {
    const mask = FLAG_FAIL_OPEN | FLAG_GSO;
    const flags = whole ? FLAG_GSO : 0;
    this.#configure((w) => w.attributeU32be(NFQA_CFG.FLAGS, flags).attributeU32be(NFQA_CFG.MASK, mask));
  }

  /**
   * Calls `handle` for every queued packet, `most` of them or a few more, and returns how many there were. Throws `KernelError` when the socket fails, or when
   * the kernel has refused an earlier setting of the queue.
   */
  receive(handle: PacketHandler, most = Number.POSITIVE_INFINITY): number {
    const { address, lengths, data, view, size } = this.#buffers();
    let total = 0;
    for (;;) {
      const count = receiveMany(this.fd, address, DATAGRAMS);
      for (let i = 0; i < count; i++) {
        const start = i * size;
        const end = start + Math.min(lengths[(i * MMSGHDR_BYTES) / 4 + 14] ?? 0, size);
        const type = view.getUint16(start + 4, true);
        if (type === NFQNL_MSG_PACKET) readPacket(view, data, start + 20, end, handle);
        else if (type === NLMSG_ERROR) this.#checkAnswer(view, start + 16);
      }
      total += count;
      if (count < DATAGRAMS || total >= most) return total;
    }
  }

  #buffers(): Buffers {
    if (!this.#isContentWanted) {
      buffers ??= mapReceiveBuffers(DATAGRAM_BYTES);
      return buffers;
    }
    wholeBuffers ??= mapReceiveBuffers(WHOLE_DATAGRAM_BYTES);
    return wholeBuffers;
  }

  /** Lets a packet pass, with this mark. */
  accept(id: number, mark: number): void {
    this.#decide(id, NF_ACCEPT, mark);
  }

  /** The same with other content, from its network header on. After the verdicts before it. */
  acceptAs(id: number, mark: number, content: Uint8Array): void {
    this.flush();
    const writer = new MessageWriter(VERDICT_BYTES + 8 + content.length);
    writer.message(NFQNL_MSG_VERDICT, NLM_F_REQUEST, (w) =>
      w
        .u8(0)
        .u8(0)
        .u16be(this.#number)
        .attribute(NFQA_VERDICT_HDR, (a) => a.u32be(NF_ACCEPT).u32be(id))
        .attributeU32be(NFQA_MARK, mark)
        .attributeBytes(NFQA_PAYLOAD, content),
    );
    send(this.fd, writer.bytes);
  }

  drop(id: number): void {
    this.#decide(id, NF_DROP, 0);
  }

  /** Sends the verdicts that are still pending. */
  flush(): void {
    if (!this.#verdicts) return;
    send(this.fd, this.#verdicts, this.#pending * VERDICT_BYTES);
    templatesOf(this.#number).push(this.#verdicts);
    this.#verdicts = undefined;
    this.#pending = 0;
  }

  /**
   * struct nlmsgerr: a negative errno, and the header of the refused message. A verdict is refused (ENOENT) when the kernel has
   * already dropped the packet, for instance because an interface went down. That is no error.
   */
  #checkAnswer(view: DataView, at: number): void {
    const errno = -view.getInt32(at, true);
    if (errno === 0 || view.getUint16(at + 8, true) !== NFQNL_MSG_CONFIG) return;
    throw refusal({ what: `configure packet queue ${this.#number}`, errno, message: '' });
  }

  #decide(id: number, verdict: number, mark: number): void {
    const at = this.#pending * VERDICT_BYTES;
    this.#verdicts ??= templatesOf(this.#number).pop() ?? verdictTemplates(this.#number);
    this.#verdicts.writeUInt32BE(verdict, at + 24);
    this.#verdicts.writeUInt32BE(id, at + 28);
    this.#verdicts.writeUInt32BE(mark, at + 36);
    if (++this.#pending === VERDICTS_PER_SEND) this.flush();
  }

  #configure(body: (writer: MessageWriter) => void): void {
    const writer = new MessageWriter(256);
    writer.message(NFQNL_MSG_CONFIG, NLM_F_REQUEST, (w) => {
      w.u8(0).u8(0).u16be(this.#number);
      body(w);
    });
    send(this.fd, writer.bytes);
  }
}

/** By queue number. Of thousands of queues, few have pending verdicts at a time. */
const spareTemplates = new Map<number, Buffer[]>();

function templatesOf(queue: number): Buffer[] {
  const spare = spareTemplates.get(queue) ?? [];
  spareTemplates.set(queue, spare);
  return spare;
}

function verdictTemplates(queue: number): Buffer {
  const writer = new MessageWriter(VERDICT_BYTES * VERDICTS_PER_SEND);
  for (let i = 0; i < VERDICTS_PER_SEND; i++) {
    writer.message(NFQNL_MSG_VERDICT, NLM_F_REQUEST, (w) =>
      w
        .u8(0)
        .u8(0)
        .u16be(queue)
        .attribute(NFQA_VERDICT_HDR, (a) => a.u32be(0).u32be(0))
        .attributeU32be(NFQA_MARK, 0),
    );
  }
  return writer.bytes;
}

/** Walks the attributes of a packet message without allocating. */
function readPacket(
  view: DataView,
  data: Uint8Array,
  start: number,
  end: number,
  handle: PacketHandler,
): void {
  let id = -1;
  let mark = 0;
  let payload = 0;
  let length = 0;
  for (let at = start; at + 4 <= end; ) {
    const size = view.getUint16(at, true);
    if (size < 4) break;
    const type = view.getUint16(at + 2, true) & 0x3fff;
    if (type === NFQA_PACKET_HDR) id = view.getUint32(at + 4, false);
    else if (type === NFQA_MARK) mark = view.getUint32(at + 4, false);
    else if (type === NFQA_PAYLOAD) {
      payload = at + 4;
      length = size - 4;
    }
    at += (size + 3) & ~3;
  }
  if (id >= 0) handle(id, mark, data, payload, Math.min(length, end - payload));
}
