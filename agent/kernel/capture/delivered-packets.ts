/**
 * What the stack of a namespace delivers to itself: raw sockets get a copy of each packet of their protocol behind the firewall's
 * prerouting, so that a packet that is held there is seen when it is released, and one that is dropped there is not (raw(7),
 * net/ipv4/raw.c, `raw_local_deliver`).
 */

import type { Micros } from '../../../proto/units.ts';
import { dateMicros, receiveFrom } from '../sys/datagrams.ts';
import { close } from '../sys/descriptors.ts';
import {
  attachClassicFilter,
  forceReceiveBuffer,
  getSocketOption,
  type Instruction,
  SOCK_RAW,
  socket,
} from '../sys/sockets.ts';

const AF_INET = 2;
const AF_INET6 = 10;
/**
 * ICMP, TCP, UDP. Of others the kernel may have none of its own, and would no longer answer that it is unreachable if a raw socket took
 * its packets.
 */
const PROTOCOLS = { 4: [1, 6, 17], 6: [58, 6, 17] } as const;
const SOL_SOCKET = 1;
const SO_MEMINFO = 55;
/** SK_MEMINFO_DROPS, of u32 (linux/sock_diag.h). */
const MEMINFO = { bytes: 36, drops: 32 } as const;
const RECEIVE_BUFFER = 16 << 20;
/** Headers, and what of the payload tells packets apart. */
const HEAD_BYTES = 512;
/** struct sockaddr_in6 has the sender's address there. */
const SENDER = { bytes: 28, from: 8, to: 24 } as const;
/** Of one socket, before others have their turn. */
const MOST_AT_ONCE = 1000;

export interface Delivered {
  readonly version: 4 | 6;
  readonly protocol: number;
  /** The packet's first bytes: with its header of IPv4, without that of IPv6. Only until the callback returns. */
  readonly bytes: Buffer;
  /** Of IPv6 alone: 16 bytes. */
  readonly sender: Buffer | undefined;
  /** When it was read, by the machine's date: µs since 1970; somewhat later than it was delivered. */
  readonly at: Micros;
}

interface One {
  readonly fd: number;
  readonly version: 4 | 6;
  readonly protocol: number;
}

export class DeliveredPackets {
  readonly #sockets: One[] = [];
  readonly #data = Buffer.alloc(HEAD_BYTES);
  readonly #sender = Buffer.alloc(SENDER.bytes);

  /** Opens them in the namespace of the calling thread. `filters`: what is kept, by the version of IP. Throws `KernelError`. */
  constructor(filters?: Readonly<Record<4 | 6, readonly Instruction[]>>) {
    try {
      for (const version of [4, 6] as const)
        for (const protocol of PROTOCOLS[version]) this.#open(version, protocol, filters?.[version]);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #open(version: 4 | 6, protocol: number, filter: readonly Instruction[] | undefined): void {
    let fd: number;
    try {
      fd = socket(version === 4 ? AF_INET : AF_INET6, SOCK_RAW, protocol);
    } catch (error) {
      // A kernel without IPv6 delivers none.
      if (version === 4) throw error;
      return;
    }
    this.#sockets.push({ fd, version, protocol });
    if (filter) attachClassicFilter(fd, filter);
    forceReceiveBuffer(fd, RECEIVE_BUFFER);
  }

  /** To be waited for. */
  get descriptors(): number[] {
    return this.#sockets.map(({ fd }) => fd);
  }

  drain(take: (packet: Delivered) => void): void {
    for (const { fd, version, protocol } of this.#sockets)
      for (let read = 0; read < MOST_AT_ONCE; read++) {
        const length = receiveFrom(fd, this.#data, this.#sender);
        if (length < 0) break;
        const sender = version === 6 ? this.#sender.subarray(SENDER.from, SENDER.to) : undefined;
        take({ version, protocol, bytes: this.#data.subarray(0, length), sender, at: dateMicros() });
      }
  }

  /** How many packets had no room so far. */
  dropped(): number {
    return this.#sockets.reduce((sum, { fd }) => {
      const memory = Buffer.alloc(MEMINFO.bytes);
      getSocketOption(fd, SOL_SOCKET, SO_MEMINFO, memory, 'SO_MEMINFO');
      return sum + memory.readUInt32LE(MEMINFO.drops);
    }, 0);
  }

  close(): void {
    for (const { fd } of this.#sockets.splice(0)) close(fd);
  }
}
