/**
 * The TCP sockets of a network namespace, and how to destroy them (linux/sock_diag.h, linux/inet_diag.h): what `ss -K` does.
 * A socket outlives its process until its peer has acknowledged everything; one that is destroyed is gone at once, and its
 * peer's next segment is answered with a reset.
 */
import { within } from '../netns/namespaces.ts';
import { ERRNO } from '../sys/libc.ts';
import { NetlinkSocket, type Request, refusal } from './netlink-socket.ts';

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const FAMILIES = { IPv4: 2, IPv6: 10 } as const;
const IPPROTO_TCP = 6;
/** All states, including those of half-open and of time-wait connections. */
const ALL_STATES = 0xffffffff;
/** include/net/tcp_states.h, TCPF_LISTEN. */
const LISTEN = 1 << 10;
const BUT_LISTEN = (ALL_STATES & ~LISTEN) >>> 0;
/** struct inet_diag_sockid, and where struct inet_diag_msg has it. */
const ID_BYTES = 48;
const ID_AT = 4;
/** After the two ports. */
const SOURCE_AT = 4;
/** The socket has ended meanwhile. */
const GONE: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ESTALE]);
/** A kernel without inet_diag, or without IPv6 in it, has no list. */
const NO_LIST: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.EINVAL]);

/**
 * Destroys the TCP sockets of the namespace at `path`, also those without a process, and returns how many there were. Those that
 * listen end with their processes, and some are netfold's own: they stay, as do those bound to the IPv4 address `spared`. Each
 * connected one sends a reset. Throws `NAMESPACE_MISSING`, and `NETLINK_REFUSED` where the kernel can't destroy sockets
 * (CONFIG_INET_DIAG_DESTROY).
 */
export function destroyTcpSockets(path: string, spared?: string): number {
  const socket = within(path, () => new NetlinkSocket(NETLINK_SOCK_DIAG));
  const isSpared = (id: Buffer): boolean => [...id.subarray(SOURCE_AT, SOURCE_AT + 4)].join('.') === spared;
  try {
    const found = Object.entries(FAMILIES).flatMap(([name, family]) =>
      list(socket, name, family, BUT_LISTEN)
        .filter((id) => family !== FAMILIES.IPv4 || !isSpared(id))
        .map((id) => destroy(family, id)),
    );
    for (const verdict of socket.batch(found))
      if (verdict.errno !== 0 && !GONE.has(verdict.errno)) throw refusal(verdict, path);
    return found.length;
  } finally {
    socket.close();
  }
}

/**
 * Whether something in the namespace at `path` listens at a TCP port, at whatever address. The kernel lists only those that
 * listen, so it costs the same beside a million connections. Throws `NAMESPACE_MISSING`.
 */
export function listensAt(path: string, port: number): boolean {
  const socket = within(path, () => new NetlinkSocket(NETLINK_SOCK_DIAG));
  try {
    return Object.entries(FAMILIES).some(([name, family]) =>
      list(socket, name, family, LISTEN).some((id) => id.readUInt16BE(0) === port),
    );
  } finally {
    socket.close();
  }
}

function list(socket: NetlinkSocket, name: string, family: number, states = ALL_STATES): Buffer[] {
  const request: Request = {
    type: SOCK_DIAG_BY_FAMILY,
    flags: 0,
    what: `list TCP sockets over ${name}`,
    body: (w) => w.u8(family).u8(IPPROTO_TCP).u16(0).u32(states).raw(Buffer.alloc(ID_BYTES)),
  };
  try {
    return socket.dump(request, (body) => body.subarray(ID_AT, ID_AT + ID_BYTES));
  } catch (error) {
    if (NO_LIST.has((error as { errno?: number }).errno ?? 0)) return [];
    throw error;
  }
}

const destroy = (family: number, id: Buffer): Request => ({
  type: SOCK_DESTROY,
  flags: 0,
  what: 'destroy a TCP socket (CONFIG_INET_DIAG_DESTROY)',
  body: (w) => w.u8(family).u8(IPPROTO_TCP).u16(0).u32(ALL_STATES).raw(id),
});
