/** Where the traffic of sources arrives: a UDP socket and a TCP server inside each endpoint that receives. */
import { createServer, type Server } from 'node:net';
import { within } from '../kernel/netns/namespaces.ts';
import { receiveFrom } from '../kernel/sys/datagrams.ts';
import { close } from '../kernel/sys/descriptors.ts';
import { boundUdp, listeningTcp } from '../kernel/sys/inet-sockets.ts';
import type { Poller } from '../kernel/sys/poller.ts';
import { forceReceiveBuffer } from '../kernel/sys/sockets.ts';
import type { Counters } from './counters.ts';
import { HEAD_BYTES, readHead } from './datagram.ts';
import { anyAddress, type Place, TRAFFIC_PORT } from './messages.ts';

const MOST_BYTES = 65_536;
/** Of one socket before others have their turn. */
const MOST_AT_ONCE = 256;
/** Datagrams that arrive while the thread sends wait here. */
const BUFFER_BYTES = 1 << 20;

interface Sink {
  readonly udp: number;
  readonly tcp: Server;
}

export class Sinks {
  readonly #poller: Poller;
  readonly #counters: Counters;
  readonly #rows: number;
  readonly #sinks = new Map<number, Sink>();
  readonly #data = Buffer.alloc(MOST_BYTES);
  readonly #address = new Uint8Array(28);

  /** `rows`: of `counters`. */
  constructor(poller: Poller, counters: Counters, rows: number) {
    this.#poller = poller;
    this.#counters = counters;
    this.#rows = rows;
  }

  /** Throws `KernelError` if the namespace is gone, or the port is taken. */
  attach({ number, namespace, addresses }: Place): void {
    this.detach(number);
    const any = anyAddress(addresses);
    const [udp, tcp] = within(namespace, (): [number, number] => {
      const socket = boundUdp(any, TRAFFIC_PORT);
      try {
        return [socket, listeningTcp(any, TRAFFIC_PORT)];
      } catch (error) {
        close(socket);
        throw error;
      }
    });
    forceReceiveBuffer(udp, BUFFER_BYTES);
    this.#poller.add(udp, number);
    this.#sinks.set(number, { udp, tcp: this.#serve(tcp) });
  }

  detach(number: number): void {
    const sink = this.#sinks.get(number);
    if (!sink) return;
    this.#sinks.delete(number);
    this.#poller.remove(sink.udp);
    close(sink.udp);
    sink.tcp.close();
  }

  /** Reads what has arrived at an endpoint. `wallMs`: of the machine's date. */
  read(number: number, wallMs: number): void {
    const sink = this.#sinks.get(number);
    for (let turn = 0; sink && turn < MOST_AT_ONCE; turn++) {
      const length = receiveFrom(sink.udp, this.#data, this.#address);
      if (length < 0) return;
      const head = readHead(this.#data, length);
      if (head && head.source < this.#rows)
        this.#counters.received(head.source, length, Math.max(0, wallMs - head.sentMs));
    }
  }

  /** A connection says first which source it is of. */
  #serve(fd: number): Server {
    const server = createServer((connection) => {
      let row: number | undefined;
      let head = Buffer.alloc(0);
      connection.on('data', (data: Buffer) => {
        if (row === undefined) {
          head = Buffer.concat([head, data]);
          if (head.length < HEAD_BYTES) return;
          row = readHead(head, head.length)?.source;
          if (row === undefined || row >= this.#rows) connection.destroy();
        }
        if (row !== undefined && row < this.#rows) this.#counters.received(row, data.length, 0);
      });
      connection.on('error', () => {});
    });
    server.on('error', () => {});
    server.listen({ fd });
    return server;
  }

  close(): void {
    for (const number of [...this.#sinks.keys()]) this.detach(number);
  }
}
