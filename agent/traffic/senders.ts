/** The datagrams of one host's sources: a heap of sources by the time at which each is due. */
import { familyBytes } from '../kernel/netlink/addresses.ts';
import { within } from '../kernel/netns/namespaces.ts';
import { sendTo } from '../kernel/sys/datagrams.ts';
import { close } from '../kernel/sys/descriptors.ts';
import { boundUdp, socketAddress } from '../kernel/sys/inet-sockets.ts';
import type { Counters } from './counters.ts';
import { HEAD_BYTES, writeHead } from './datagram.ts';
import { anyAddress, type Place, type RealSource, TRAFFIC_PORT } from './messages.ts';
import { PacketTimes } from './packet-times.ts';

/** What is later than this is not sent: a burst after a pause of the machine is no constant rate. Microseconds. */
const MOST_LATE = 100_000;

interface Sender {
  readonly source: RealSource;
  /** In `Counters`. */
  readonly row: number;
  readonly times: PacketTimes;
  readonly data: Buffer;
}

export class Senders {
  readonly #counters: Counters;
  readonly #sources: readonly Pick<Sender, 'source' | 'row'>[];
  /** By time, the earliest first: a binary heap. */
  readonly #heap: Sender[] = [];
  /** By number of the endpoint: a socket inside it. */
  readonly #sockets = new Map<number, number>();
  #addresses: ReadonlyMap<number, Uint8Array> = new Map();

  constructor(sources: readonly RealSource[], counters: Counters) {
    this.#counters = counters;
    this.#sources = sources.map((source, row) => ({ source, row }));
  }

  /** Its sources begin at what is due next. Throws `KernelError` if the namespace is gone. */
  attach({ number, namespace, addresses }: Place, now: number): void {
    this.detach(number);
    const socket = within(namespace, () => boundUdp(anyAddress(addresses), 0));
    this.#sockets.set(number, socket);
    for (const { source, row } of this.#sources) {
      const { index, from, traffic } = source;
      if (from !== number || traffic.kind === 'greedy') continue;
      const times = new PacketTimes(traffic, index);
      times.skipTo(now);
      this.#push({ source, row, times, data: Buffer.alloc(Math.max(HEAD_BYTES, traffic.size)) });
    }
  }

  detach(number: number): void {
    const socket = this.#sockets.get(number);
    if (socket === undefined) return;
    close(socket);
    this.#sockets.delete(number);
    const others = this.#heap.splice(0).filter(({ source }) => source.from !== number);
    for (const sender of others) this.#push(sender);
  }

  setAddresses(addresses: ReadonlyMap<number, string>): void {
    this.#addresses = new Map(
      [...addresses].map(([number, address]) => [number, socketAddress(familyBytes(address), TRAFFIC_PORT)]),
    );
  }

  /** When the next datagram is due, in microseconds; infinite: never. */
  get due(): number {
    return this.#heap[0]?.times.due ?? Number.POSITIVE_INFINITY;
  }

  /** Sends what is due by `now`. `wallMs`: of the machine's date. */
  send(now: number, wallMs: number): void {
    for (let top = this.#heap[0]; top && top.times.due <= now; top = this.#heap[0]) {
      const { times, row } = top;
      if (now - times.due > MOST_LATE) {
        this.#counters.late(row, times.skipTo(now));
      } else {
        this.#sendOne(top, wallMs);
        times.advance();
      }
      this.#sink();
    }
  }

  #sendOne({ source: { from, to }, row, data }: Sender, wallMs: number): void {
    const [socket, address] = [this.#sockets.get(from), this.#addresses.get(to)];
    if (socket === undefined || address === undefined) return;
    writeHead(data, row, wallMs);
    if (sendTo(socket, data, data.length, address)) this.#counters.sent(row, data.length);
    else this.#counters.refused(row);
  }

  #push(sender: Sender): void {
    const heap = this.#heap;
    let at = heap.push(sender) - 1;
    for (let above = (at - 1) >> 1; at > 0 && before(sender, heap[above]!); above = (at - 1) >> 1) {
      heap[at] = heap[above]!;
      heap[above] = sender;
      at = above;
    }
  }

  /** The first one is due later now. */
  #sink(): void {
    const heap = this.#heap;
    const sender = heap[0]!;
    for (let at = 0; ; ) {
      let below = 2 * at + 1;
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++;
      if (below >= heap.length || !before(heap[below]!, sender)) return;
      heap[at] = heap[below]!;
      heap[below] = sender;
      at = below;
    }
  }

  close(): void {
    for (const number of [...this.#sockets.keys()]) this.detach(number);
  }
}

/** By time, then by place in the file: the same order in each run. */
function before(a: Sender, b: Sender): boolean {
  const [one, other] = [a.times.due, b.times.due];
  return one === other ? a.row < b.row : one < other;
}
