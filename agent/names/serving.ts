/** The sockets of one endpoint's name server, on its own loopback. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { isIPv6, type Socket } from 'node:net';
import { familyBytes } from '../kernel/netlink/addresses.ts';
import { within } from '../kernel/netns/namespaces.ts';
import { TcpListener } from '../kernel/netns/tcp-listener.ts';
import { close } from '../kernel/sys/descriptors.ts';
import { boundUdp, listeningTcp } from '../kernel/sys/inet-sockets.ts';
import { answer } from './answer.ts';
import type { NameTable } from './name-table.ts';

const PORT = 53;
/** Applications that hold connections hold only their own endpoint's. */
const MOST_CONNECTIONS = 64;
const IDLE_MS = 10_000;
/** In front of each message of a connection (RFC 1035, section 4.2.2). */
const LENGTH_BYTES = 2;

/** Serves one endpoint until it is closed. */
export class Serving {
  readonly #udp: readonly UdpSocket[];
  readonly #tcp: readonly TcpListener[];
  readonly #connections = new Set<Socket>();

  /** In the namespace at the path `namespace`. Throws `KernelError` if it is gone, or something else listens there. */
  constructor(namespace: string, addresses: readonly string[], table: NameTable) {
    const descriptors = openAll(namespace, addresses);
    this.#udp = descriptors.map(({ udp, isV6 }) => serveUdp(udp, isV6, table));
    this.#tcp = descriptors.map(({ tcp, address }) => this.#serveTcp(tcp, namespace, address, table));
  }

  close(): void {
    for (const socket of [...this.#udp, ...this.#tcp]) socket.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #serveTcp(fd: number, namespace: string, address: string, table: NameTable): TcpListener {
    return new TcpListener(fd, {
      open: () => within(namespace, () => listeningTcp(familyBytes(address), PORT)),
      mostConnections: MOST_CONNECTIONS,
      serve: (connection) => {
        this.#connections.add(connection);
        connection.on('close', () => this.#connections.delete(connection));
        serveConnection(connection, table);
      },
    });
  }
}

interface Descriptors {
  readonly udp: number;
  readonly tcp: number;
  readonly address: string;
  readonly isV6: boolean;
}

/** All or none. */
function openAll(namespace: string, addresses: readonly string[]): Descriptors[] {
  const open: number[] = [];
  const keep = (fd: number): number => {
    open.push(fd);
    return fd;
  };
  try {
    return within(namespace, () =>
      addresses.map((address) => ({
        udp: keep(boundUdp(familyBytes(address), PORT)),
        tcp: keep(listeningTcp(familyBytes(address), PORT)),
        address,
        isV6: isIPv6(address),
      })),
    );
  } catch (error) {
    for (const fd of open) close(fd);
    throw error;
  }
}

function serveUdp(fd: number, isV6: boolean, table: NameTable): UdpSocket {
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    // Addresses only.
    lookup: (address, _, found) => found(null, address, isV6 ? 6 : 4),
  });
  socket.on('message', (query, { address, port }) => {
    const reply = answer(table, query, 'udp');
    // Who has asked may be gone.
    if (reply) socket.send(reply, port, address, () => {});
  });
  socket.on('error', () => {});
  socket.bind({ fd });
  return socket;
}

/** One query after the other: no further one is answered while answers wait to be read. */
function serveConnection(connection: Socket, table: NameTable): void {
  let waiting: Buffer = Buffer.alloc(0);
  const serve = (): void => {
    for (;;) {
      const length = waiting.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : waiting.readUInt16BE(0);
      if (waiting.length < LENGTH_BYTES + length) break;
      const query = waiting.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
      waiting = waiting.subarray(LENGTH_BYTES + length);
      const reply = answer(table, query, 'tcp');
      if (!reply) {
        connection.destroy();
        return;
      }
      const head = Buffer.alloc(LENGTH_BYTES);
      head.writeUInt16BE(reply.length);
      if (!connection.write(Buffer.concat([head, reply]))) {
        connection.pause();
        return;
      }
    }
    connection.resume();
  };
  connection.on('data', (data) => {
    waiting = Buffer.concat([waiting, data]);
    serve();
  });
  connection.on('drain', serve);
  connection.on('error', () => {});
  connection.setTimeout(IDLE_MS, () => connection.destroy());
}
