/** Measurements of a TCP connection, and its time-out (include/uapi/linux/tcp.h). */
import { getSocketOption, setSocketOption } from './sockets.ts';

export interface TcpFacts {
  /** The shortest round-trip time so far, µs. The other kernel acknowledges by itself, so it contains no time of a process. */
  readonly shortestMicros: number | undefined;
  /** All bytes sent, including headers and retransmissions. */
  readonly sentBytes: number;
  /** Segments with data, and those of them that were sent again although the other end did not have them. */
  readonly segments: number;
  readonly lostSegments: number;
}

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_USER_TIMEOUT = 18;

/** struct tcp_info; `min_rtt` is there since Linux 4.6, `bytes_sent` since 4.19. */
const INFO_BYTES = 256;
const SENT_AGAIN_AT = 100;
const SEGMENTS_AT = 136;
const SHORTEST_AT = 148;
/** Those with data. */
const DATA_SEGMENTS_AT = 156;
const SENT_AT = 200;
/** Duplicates that the other end has told of (RFC 2883). */
const NEEDLESS_AT = 216;
/** The value before the first measurement. */
const NEVER = 0xffffffff;
/** Ethernet without preamble and FCS, IPv4, TCP with timestamps. */
const HEADER_BYTES = 14 + 20 + 32;

/** Of the socket `fd`. Throws `KernelError`. */
export function readTcp(fd: number): TcpFacts {
  const info = Buffer.alloc(INFO_BYTES);
  getSocketOption(fd, IPPROTO_TCP, TCP_INFO, info, 'TCP_INFO');
  const shortest = info.readUInt32LE(SHORTEST_AT);
  return {
    shortestMicros: shortest === 0 || shortest === NEVER ? undefined : shortest,
    segments: info.readUInt32LE(DATA_SEGMENTS_AT),
    lostSegments: Math.max(0, info.readUInt32LE(SENT_AGAIN_AT) - info.readUInt32LE(NEEDLESS_AT)),
    sentBytes: Number(info.readBigUInt64LE(SENT_AT)) + info.readUInt32LE(SEGMENTS_AT) * HEADER_BYTES,
  };
}

/** Ends the connection when data stays unacknowledged for `ms` milliseconds. Throws `KernelError`. */
export function giveUpAfter(fd: number, ms: number): void {
  setSocketOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, new Uint32Array([ms]), 'TCP_USER_TIMEOUT');
}
