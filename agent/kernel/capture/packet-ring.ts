/**
 * The frames of one interface, both directions, in memory that the kernel fills: no call and no wait for each frame. packet(7),
 * Documentation/networking/packet_mmap.rst; layouts of TPACKET_V3: include/uapi/linux/if_packet.h.
 */
import { fromMillis, fromSeconds, type Micros, micros, nanosToMillis } from '../../../proto/units.ts';
import { close } from '../sys/descriptors.ts';
import { mapDescriptor } from '../sys/memory.ts';
import { bindPacketSocket } from '../sys/packet-socket.ts';
import {
  AF_PACKET,
  attachClassicFilter,
  getSocketOption,
  type Instruction,
  SOCK_RAW,
  setSocketOption,
  socket,
} from '../sys/sockets.ts';

const SOL_PACKET = 263;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_VERSION = 10;
const TPACKET_V3 = 2;

/** Room for a GSO packet of 64 KiB and some others. */
const BLOCK_BYTES = 1 << 18;
/** Of the older layouts; here it has to divide a block. */
const FRAME_BYTES = 1 << 11;
/** A block that is not full is handed over after this: how late frames are seen at the most. Their times are the kernel's. */
const RETIRE_MS = 10;

/** struct tpacket_block_desc */
const BLOCK = { status: 8, count: 12, first: 16 } as const;
/** struct tpacket3_hdr, then struct sockaddr_ll. */
const FRAME = { next: 0, seconds: 4, nanos: 8, captured: 12, length: 16, mac: 24, kind: 58 } as const;
const TP_STATUS_USER = 1;
const PACKET_OUTGOING = 4;
/** struct tpacket_stats_v3: packets, drops, how often the ring was full. */
const STATISTICS_BYTES = 12;

export interface Frame {
  /** A copy, from its Ethernet header on. */
  readonly bytes: Buffer;
  /** Of the whole frame. */
  readonly length: number;
  /** When it was at the interface, by the machine's date: µs since 1970. */
  readonly at: Micros;
  readonly isOutgoing: boolean;
}

export class PacketRing {
  readonly fd: number;
  readonly #words: Int32Array;
  readonly #view: DataView;
  readonly #bytes: Buffer;
  readonly #blocks: number;
  #next = 0;
  #dropped = 0;

  /**
   * Opens it in the namespace of the calling thread. `filter`: what frames are kept; absent: all. Throws `KernelError`, `INTERFACE_GONE`
   * without the interface.
   */
  constructor(ifindex: number, blocks: number, filter?: readonly Instruction[]) {
    const fd = socket(AF_PACKET, SOCK_RAW, 0);
    this.fd = fd;
    this.#blocks = blocks;
    try {
      setSocketOption(fd, SOL_PACKET, PACKET_VERSION, new Uint32Array([TPACKET_V3]), 'PACKET_VERSION');
      if (filter) attachClassicFilter(fd, filter);
      // struct tpacket_req3: of blocks the size and number, of frames, then the time in ms; nothing private, no features.
      const frames = (blocks * BLOCK_BYTES) / FRAME_BYTES;
      const ring = new Uint32Array([BLOCK_BYTES, blocks, FRAME_BYTES, frames, RETIRE_MS, 0, 0]);
      setSocketOption(fd, SOL_PACKET, PACKET_RX_RING, ring, 'PACKET_RX_RING');
      const memory = mapDescriptor(fd, blocks * BLOCK_BYTES);
      this.#words = new Int32Array(memory);
      this.#view = new DataView(memory);
      this.#bytes = Buffer.from(memory);
      // Last, so that no frame comes past the filter.
      bindPacketSocket(fd, ifindex);
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /** Hands over all frames that are there, in the order in which they came. */
  drain(take: (frame: Frame) => void): void {
    for (let done = 0; done < this.#blocks; done++) {
      const block = this.#next * BLOCK_BYTES;
      const status = (block + BLOCK.status) >> 2;
      if ((Atomics.load(this.#words, status) & TP_STATUS_USER) === 0) return;
      const count = this.#view.getUint32(block + BLOCK.count, true);
      let at = block + this.#view.getUint32(block + BLOCK.first, true);
      for (let index = 0; index < count; index++) {
        take(this.#frame(at));
        at += this.#view.getUint32(at + FRAME.next, true);
      }
      // The kernel may fill it again.
      Atomics.store(this.#words, status, 0);
      this.#next = (this.#next + 1) % this.#blocks;
    }
  }

  #frame(at: number): Frame {
    const view = this.#view;
    const start = at + view.getUint16(at + FRAME.mac, true);
    const seconds = view.getUint32(at + FRAME.seconds, true);
    const nanos = view.getUint32(at + FRAME.nanos, true);
    return {
      bytes: Buffer.from(this.#bytes.subarray(start, start + view.getUint32(at + FRAME.captured, true))),
      length: view.getUint32(at + FRAME.length, true),
      at: micros(fromSeconds(seconds) + fromMillis(nanosToMillis(nanos))),
      isOutgoing: view.getUint8(at + FRAME.kind) === PACKET_OUTGOING,
    };
  }

  /** How many frames had no room so far. */
  dropped(): number {
    const statistics = Buffer.alloc(STATISTICS_BYTES);
    getSocketOption(this.fd, SOL_PACKET, PACKET_STATISTICS, statistics, 'PACKET_STATISTICS');
    // Each call begins anew.
    this.#dropped += statistics.readUInt32LE(4);
    return this.#dropped;
  }

  close(): void {
    close(this.fd);
  }
}
