/** Greedy sources: TCP connections that always have something to send, between their start and their stop. */
import { Socket } from 'node:net';
import { familyBytes } from '../kernel/netlink/addresses.ts';
import { within } from '../kernel/netns/namespaces.ts';
import { connectingTcp } from '../kernel/sys/inet-sockets.ts';
import type { Counters } from './counters.ts';
import { HEAD_BYTES, writeHead } from './datagram.ts';
import { type Place, type RealSource, TRAFFIC_PORT } from './messages.ts';

/** Written at once; the kernel has its own buffer besides. */
const CHUNK = Buffer.alloc(65_536);
/** After a connection that could not be made, or has ended. */
const AGAIN_MS = 250;

export class Connections {
  readonly #sources: readonly { readonly source: RealSource; readonly row: number }[];
  readonly #counters: Counters;
  readonly #places = new Map<number, Place>();
  readonly #open = new Map<number, Socket>();
  /** Row → not before this instant, in milliseconds of `performance.now()`. */
  readonly #waits = new Map<number, number>();
  #addresses: ReadonlyMap<number, string> = new Map();

  constructor(sources: readonly RealSource[], counters: Counters) {
    this.#sources = sources
      .map((source, row) => ({ source, row }))
      .filter(({ source }) => source.traffic.kind === 'greedy');
    this.#counters = counters;
  }

  get isNeeded(): boolean {
    return this.#sources.length > 0;
  }

  attach(place: Place): void {
    this.#places.set(place.number, place);
  }

  detach(number: number): void {
    this.#places.delete(number);
    for (const { source, row } of this.#sources) if (source.from === number) this.#end(row);
  }

  setAddresses(addresses: ReadonlyMap<number, string>): void {
    this.#addresses = addresses;
  }

  /** Makes and ends connections as `now`, microseconds since the start, requires. */
  look(now: number, wallMs: number): void {
    for (const { source, row } of this.#sources) {
      const { start, stop = Number.POSITIVE_INFINITY } = source.traffic;
      const isWanted = start <= now && now < stop;
      if (!isWanted) this.#end(row);
      else if (!this.#open.has(row) && performance.now() >= (this.#waits.get(row) ?? 0))
        this.#begin(source, row, wallMs);
    }
  }

  #begin({ from, to }: RealSource, row: number, wallMs: number): void {
    const [place, address] = [this.#places.get(from), this.#addresses.get(to)];
    if (!place || address === undefined) return;
    this.#waits.set(row, performance.now() + AGAIN_MS);
    let fd: number;
    try {
      fd = within(place.namespace, () => connectingTcp(familyBytes(address), TRAFFIC_PORT));
    } catch {
      // No route: the endpoint is away. It is tried again.
      return;
    }
    const socket = new Socket({ fd, readable: true, writable: true });
    this.#open.set(row, socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#open.get(row) === socket) this.#open.delete(row);
    });
    const head = Buffer.alloc(HEAD_BYTES);
    writeHead(head, row, wallMs);
    const more = (): void => {
      while (!socket.destroyed && this.#open.get(row) === socket) {
        this.#counters.sent(row, CHUNK.length);
        if (!socket.write(CHUNK)) return;
      }
    };
    socket.on('drain', more);
    socket.write(head);
    more();
  }

  #end(row: number): void {
    // What waits in the kernel's buffer would flow on for seconds.
    this.#open.get(row)?.resetAndDestroy();
    this.#open.delete(row);
  }

  close(): void {
    for (const row of [...this.#open.keys()]) this.#end(row);
  }
}
