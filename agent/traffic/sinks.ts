/** Where the traffic of sources arrives: a UDP socket, and a TCP server if one of them needs it, inside each endpoint that receives. */
import type { Socket } from 'node:net';
import { within } from '../kernel/netns/namespaces.ts';
import { TcpListener } from '../kernel/netns/tcp-listener.ts';
import { ReceiveBatch } from '../kernel/sys/datagrams.ts';
import { close } from '../kernel/sys/descriptors.ts';
import { boundUdp, listeningTcp } from '../kernel/sys/inet-sockets.ts';
import type { Poller } from '../kernel/sys/poller.ts';
import { forceReceiveBuffer } from '../kernel/sys/sockets.ts';
import type { Counters } from './counters.ts';
import { HEAD_BYTES, readHead } from './datagram.ts';
import { anyAddress, isTcp, type Place, type RealSource, TRAFFIC_PORT } from './messages.ts';
import { REQUEST_BYTES, readRequest } from './request.ts';

/** Calls for one socket before others have their turn. */
const MOST_CALLS = 4;
/** Datagrams that arrive while the thread sends wait here. */
const BUFFER_BYTES = 1 << 20;
const CHUNK = Buffer.alloc(65_536);
/** Of answers that nobody has taken yet. */
const MOST_WAITING = 1 << 23;

interface Sink {
  readonly udp: number;
  readonly tcp: TcpListener | undefined;
  readonly connections: Set<Socket>;
}

export class Sinks {
  readonly #poller: Poller;
  readonly #counters: Counters;
  readonly #sources: readonly RealSource[];
  /** Numbers of endpoints to which connections are made. */
  readonly #connected: ReadonlySet<number>;
  readonly #sinks = new Map<number, Sink>();
  readonly #batch = new ReceiveBatch(HEAD_BYTES);

  /** `sources`: by row of `counters`. */
  constructor(poller: Poller, counters: Counters, sources: readonly RealSource[]) {
    this.#poller = poller;
    this.#counters = counters;
    this.#sources = sources;
    this.#connected = new Set(sources.filter(isTcp).map(({ to }) => to));
  }

  /** Throws `KernelError` if the namespace is gone, or the port is taken. */
  attach({ number, namespace, addresses }: Place): void {
    this.detach(number);
    const any = anyAddress(addresses);
    const [udp, tcp] = within(namespace, (): [number, number | undefined] => {
      const socket = boundUdp(any, TRAFFIC_PORT);
      try {
        return [socket, this.#connected.has(number) ? listeningTcp(any, TRAFFIC_PORT) : undefined];
      } catch (error) {
        close(socket);
        throw error;
      }
    });
    forceReceiveBuffer(udp, BUFFER_BYTES);
    this.#poller.add(udp, number);
    const connections = new Set<Socket>();
    const open = (): number => within(namespace, () => listeningTcp(any, TRAFFIC_PORT));
    const server = tcp === undefined ? undefined : this.#serve(tcp, open, connections);
    this.#sinks.set(number, { udp, tcp: server, connections });
  }

  detach(number: number): void {
    const sink = this.#sinks.get(number);
    if (!sink) return;
    this.#sinks.delete(number);
    this.#poller.remove(sink.udp);
    close(sink.udp);
    sink.tcp?.close();
    for (const connection of sink.connections) connection.destroy();
  }

  /** Reads what has arrived at an endpoint. `wallMs`: of the machine's date. */
  read(number: number, wallMs: number): void {
    const sink = this.#sinks.get(number);
    for (let call = 0; sink && call < MOST_CALLS; call++) {
      const count = this.#batch.receive(sink.udp);
      for (let index = 0; index < count; index++) {
        const length = this.#batch.lengthOf(index);
        const head = readHead(this.#batch.view, this.#batch.headAt(index), length);
        if (head && head.source < this.#sources.length)
          this.#counters.received(head.source, length, Math.max(0, wallMs - head.sentMs));
      }
      if (count < ReceiveBatch.most) return;
    }
  }

  #serve(fd: number, open: () => number, connections: Set<Socket>): TcpListener {
    return new TcpListener(fd, {
      open,
      serve: (connection) => {
        connections.add(connection);
        connection.on('close', () => connections.delete(connection));
        connection.on('error', () => {});
        this.#follow(connection);
      },
    });
  }

  /** A connection says first which source it is of, and when it began. */
  #follow(connection: Socket): void {
    let start = Buffer.alloc(0);
    const begin = (data: Buffer): void => {
      start = Buffer.concat([start, data]);
      if (start.length < HEAD_BYTES) return;
      connection.off('data', begin);
      const head = readHead(new DataView(start.buffer, start.byteOffset, HEAD_BYTES), 0, HEAD_BYTES);
      const source = head && this.#sources[head.source];
      if (!head || !source || !isTcp(source)) {
        connection.destroy();
        return;
      }
      const { kind } = source.traffic;
      const take =
        kind === 'web'
          ? answering(connection)
          : kind === 'ftp' || kind === 'flows'
            ? this.#takingFile(connection, head)
            : (part: Buffer) => this.#counters.received(head.source, part.length, 0);
      connection.on('data', take);
      const rest = start.subarray(HEAD_BYTES);
      if (rest.length > 0) take(rest);
    };
    connection.on('data', begin);
  }

  /** A file has been received when its connection ends. */
  #takingFile(
    connection: Socket,
    { source, sentMs }: { readonly source: number; readonly sentMs: number },
  ): (part: Buffer) => void {
    let bytes = 0;
    connection.on('end', () => {
      const wallMs = performance.timeOrigin + performance.now();
      this.#counters.received(source, bytes, Math.max(0, wallMs - sentMs));
    });
    return (part) => {
      bytes += part.length;
    };
  }

  close(): void {
    for (const number of [...this.#sinks.keys()]) this.detach(number);
  }
}

/** Gives each request the bytes that it asks for. */
function answering(connection: Socket): (part: Buffer) => void {
  let waiting = Buffer.alloc(0);
  return (part) => {
    waiting = Buffer.concat([waiting, part]);
    while (waiting.length >= REQUEST_BYTES && !connection.destroyed) {
      let left = readRequest(waiting) ?? 0;
      waiting = waiting.subarray(REQUEST_BYTES);
      if (left === 0 || connection.writableLength > MOST_WAITING) connection.destroy();
      for (; left > 0 && !connection.destroyed; left -= CHUNK.length)
        connection.write(CHUNK.subarray(0, Math.min(left, CHUNK.length)));
    }
  };
}
