/** What the TCP connections of a network namespace have measured (linux/inet_diag.h, INET_DIAG_INFO): what `ss -ti` shows. */
import { readFileSync } from 'node:fs';
import { within } from '../netns/namespaces.ts';
import { ERRNO } from '../sys/libc.ts';
import { ADDRESS_BYTES } from './addresses.ts';
import { readAttributes } from './netlink-message.ts';
import { NetlinkSocket, type Request } from './netlink-socket.ts';

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
/** include/net/tcp_states.h, TCPF_ESTABLISHED. */
const ESTABLISHED = 1 << 1;
const INET_DIAG_INFO = 2;
/** struct inet_diag_sockid, and struct inet_diag_msg, behind which the attributes are. */
const ID_BYTES = 48;
const MESSAGE_BYTES = 72;
const ID_AT = 4;
const SOURCE_AT = 8;
const DESTINATION_AT = 24;
/** struct tcp_info (include/uapi/linux/tcp.h); the last is there since Linux 4.19. */
const INFO = {
  sinceAck: 56,
  smoothed: 68,
  retransmitted: 100,
  shortest: 148,
  delivered: 192,
  bytes: 196,
} as const;
/** The value before the first measurement. */
const NEVER = 0xffffffff;
const NO_LIST: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.EINVAL]);

export interface TcpConnection {
  /** The same as long as it exists. */
  readonly id: string;
  /** As `addressKey`. */
  readonly source: string;
  readonly destination: string;
  /** Round trips, µs; the shortest is that of the last five minutes (net.ipv4.tcp_min_rtt_wlen). */
  readonly smoothedMicros: number;
  readonly shortestMicros: number | undefined;
  /** Packets that were acknowledged, and those that were sent again. */
  readonly delivered: number;
  readonly retransmitted: number;
  /** Since the last acknowledgement, ms. */
  readonly sinceAckMs: number;
}

/**
 * Of the established connections in the namespace at `path`; none if there are more than `most`, since listing takes 2 ms for
 * some hundreds. Throws `NAMESPACE_MISSING`.
 */
export function tcpConnections(path: string, most: number): TcpConnection[] {
  const socket = within(path, () =>
    socketCount() > most ? undefined : new NetlinkSocket(NETLINK_SOCK_DIAG),
  );
  if (!socket) return [];
  try {
    return [AF_INET, AF_INET6].flatMap((family) => list(socket, family));
  } finally {
    socket.close();
  }
}

/** Of the calling thread's namespace. */
function socketCount(): number {
  const used = (file: string, name: string): number => {
    const text = readFileSync(`/proc/thread-self/net/${file}`, 'utf8');
    return Number(new RegExp(`^${name}: inuse (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  };
  try {
    return used('sockstat', 'TCP') + used('sockstat6', 'TCP6');
  } catch {
    // A kernel without IPv6.
    return used('sockstat', 'TCP');
  }
}

function list(socket: NetlinkSocket, family: number): TcpConnection[] {
  const request: Request = {
    type: SOCK_DIAG_BY_FAMILY,
    flags: 0,
    what: 'list TCP connections',
    body: (w) =>
      w
        .u8(family)
        .u8(IPPROTO_TCP)
        .u8(1 << (INET_DIAG_INFO - 1))
        .u8(0)
        .u32(ESTABLISHED)
        .raw(Buffer.alloc(ID_BYTES)),
  };
  try {
    return socket.dump(request, (body) => readConnection(body));
  } catch (error) {
    if (NO_LIST.has((error as { errno?: number }).errno ?? 0)) return [];
    throw error;
  }
}

/** A struct inet_diag_msg and its attributes; `undefined` without the measurements. Throws `RangeError` where it ends too early. */
export function readConnection(body: Buffer): TcpConnection | undefined {
  const isV4 = body.readUInt8(0) === AF_INET;
  const info = readAttributes(body, MESSAGE_BYTES).get(INET_DIAG_INFO);
  if (!info || info.length < INFO.bytes) return undefined;
  const shortest = info.readUInt32LE(INFO.shortest);
  return {
    id: body.subarray(ID_AT, ID_AT + ID_BYTES).toString('latin1'),
    source: keyOf(body, SOURCE_AT, isV4),
    destination: keyOf(body, DESTINATION_AT, isV4),
    smoothedMicros: info.readUInt32LE(INFO.smoothed),
    shortestMicros: shortest === 0 || shortest === NEVER ? undefined : shortest,
    delivered: info.readUInt32LE(INFO.delivered),
    retransmitted: info.readUInt32LE(INFO.retransmitted),
    sinceAckMs: info.readUInt32LE(INFO.sinceAck),
  };
}

const MAPPED = `${'\0'.repeat(10)}\xff\xff`;

function keyOf(body: Buffer, at: number, isV4: boolean): string {
  return isV4
    ? MAPPED + body.toString('latin1', at, at + 4)
    : body.toString('latin1', at, at + ADDRESS_BYTES);
}
