/**
 * The messages of one host's sources: a heap of sources by the time at which each is due. All datagrams of an endpoint that are due
 * together leave with one system call.
 */
import { familyBytes } from '../kernel/netlink/addresses.ts';
import { within } from '../kernel/netns/namespaces.ts';
import { SendBatch } from '../kernel/sys/datagrams.ts';
import { close } from '../kernel/sys/descriptors.ts';
import { boundUdp, socketAddress } from '../kernel/sys/inet-sockets.ts';
import type { Counters } from './counters.ts';
import { HEAD_BYTES, writeHead } from './datagram.ts';
import { anyAddress, isTcp, type Place, type RealSource, TRAFFIC_PORT, type Windows } from './messages.ts';
import { hasTimetable, type Timetable, timetableOf } from './packet-times.ts';

/** What is later than this is not sent: a burst after a pause of the machine is no constant rate. Microseconds. */
const MOST_LATE = 100_000;
const MOST_BYTES = 65_536;

/** Where messages go that are no datagrams. */
export interface StreamPort {
  /** Returns whether the connection of the source has room for them. */
  write(row: number, bytes: number): boolean;
}

interface Sender {
  readonly source: RealSource;
  /** In `Counters`. */
  readonly row: number;
  readonly isStream: boolean;
  /** Of the window that it is in, or that comes next; absent: there is none. */
  times: Timetable | undefined;
  /** Of `times`: when the next message is due. */
  due: number;
  /** Which window, and its beginning. */
  turn: number;
  from: number;
}

/** A socket inside an endpoint, and what is due there now. */
interface Outlet {
  readonly socket: number;
  readonly rows: number[];
  readonly sizes: number[];
}

export class Senders {
  readonly #counters: Counters;
  readonly #streams: StreamPort;
  readonly #all: readonly RealSource[];
  /** By time, the earliest first: a binary heap. */
  readonly #heap: Sender[] = [];
  /** By number of the endpoint. */
  readonly #outlets = new Map<number, Outlet>();
  readonly #busy: Outlet[] = [];
  readonly #batch = new SendBatch(HEAD_BYTES, MOST_BYTES);
  /** Of the messages in the batch. */
  readonly #rows: number[] = [];
  readonly #lengths: number[] = [];
  #addresses: ReadonlyMap<number, Uint8Array> = new Map();
  #windows: Windows = [];

  constructor(sources: readonly RealSource[], counters: Counters, streams: StreamPort) {
    this.#counters = counters;
    this.#streams = streams;
    this.#all = sources;
  }

  /** Its sources begin at what is due next. Throws `KernelError` if the namespace is gone. */
  attach({ number, namespace, addresses }: Place, now: number): void {
    this.detach(number);
    const socket = within(namespace, () => boundUdp(anyAddress(addresses), 0));
    this.#outlets.set(number, { socket, rows: [], sizes: [] });
    for (const [row, source] of this.#all.entries()) {
      if (source.from !== number || !hasTimetable(source.traffic)) continue;
      const none = { times: undefined, due: Number.POSITIVE_INFINITY, turn: -1, from: -1 };
      const sender: Sender = { source, row, isStream: isTcp(source), ...none };
      this.#enter(sender, now);
      this.#push(sender);
    }
  }

  detach(number: number): void {
    const outlet = this.#outlets.get(number);
    if (!outlet) return;
    close(outlet.socket);
    this.#outlets.delete(number);
    for (const sender of this.#heap.splice(0)) if (sender.source.from !== number) this.#push(sender);
  }

  setAddresses(addresses: ReadonlyMap<number, string>): void {
    this.#addresses = new Map(
      [...addresses].map(([number, address]) => [number, socketAddress(familyBytes(address), TRAFFIC_PORT)]),
    );
  }

  /** A window that goes on keeps its times; its end may be another. */
  setWindows(windows: Windows, now: number): void {
    this.#windows = windows;
    for (const sender of this.#heap.splice(0)) {
      this.#enter(sender, now);
      this.#push(sender);
    }
  }

  /** When the next message is due, in microseconds; infinite: never. */
  get due(): number {
    return this.#heap[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  /** Sends what is due by `now`. `wallMs`: of the machine's date. */
  send(now: number, wallMs: number): void {
    for (let top = this.#heap[0]; top?.times && top.due <= now; top = this.#heap[0]) {
      const { times } = top;
      if (now - top.due > MOST_LATE) {
        this.#counters.late(top.row, times.skipTo(now));
      } else {
        this.#sendOne(top, times.size, wallMs);
        times.advance();
      }
      top.due = times.due;
      // The window is over, or has nothing more.
      if (top.due === Number.POSITIVE_INFINITY) this.#take(top, top.turn + 1, now);
      this.#sink();
    }
    for (const outlet of this.#busy) this.#flush(outlet, wallMs);
    this.#busy.length = 0;
  }

  #sendOne({ source: { from }, row, isStream }: Sender, size: number, wallMs: number): void {
    if (isStream) {
      if (this.#streams.write(row, size)) this.#counters.sent(row, size);
      else this.#counters.refused(row);
      return;
    }
    const outlet = this.#outlets.get(from);
    if (!outlet) return;
    if (outlet.rows.length === 0) this.#busy.push(outlet);
    outlet.rows.push(row);
    outlet.sizes.push(Math.max(HEAD_BYTES, size));
    if (outlet.rows.length === SendBatch.most) this.#flush(outlet, wallMs);
  }

  #flush({ socket, rows, sizes }: Outlet, wallMs: number): void {
    this.#rows.length = 0;
    this.#lengths.length = 0;
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at]!;
      const address = this.#addresses.get(this.#all[row]!.to);
      // Where it goes is not known yet.
      if (!address) continue;
      writeHead(this.#batch.view, this.#batch.add(address, sizes[at]!), row, wallMs);
      this.#rows.push(row);
      this.#lengths.push(sizes[at]!);
    }
    rows.length = 0;
    sizes.length = 0;
    this.#batch.flush(socket, this.#told);
  }

  readonly #told = (index: number, isTaken: boolean): void => {
    if (isTaken) this.#counters.sent(this.#rows[index]!, this.#lengths[index]!);
    else this.#counters.refused(this.#rows[index]!);
  };

  /** The window that is now, or the next one. */
  #enter(sender: Sender, now: number): void {
    const windows = this.#windows[sender.source.entry] ?? [];
    const turn = windows.findIndex(({ until }) => until > now);
    this.#take(sender, turn === -1 ? windows.length : turn, now);
  }

  /** What was due before `now` in the window is left out; if that is all, the next one is taken. */
  #take(sender: Sender, first: number, now: number): void {
    const { index, entry, traffic } = sender.source;
    const windows = this.#windows[entry] ?? [];
    for (let turn = first; ; turn++) {
      const window = windows[turn];
      if (window && sender.times && sender.from === window.from) {
        sender.times.until = window.until;
      } else {
        sender.times = window && timetableOf(traffic, index, window, turn);
        sender.from = window?.from ?? -1;
        sender.times?.skipTo(now);
      }
      sender.turn = turn;
      sender.due = sender.times?.due ?? Number.POSITIVE_INFINITY;
      if (!window || sender.due !== Number.POSITIVE_INFINITY) return;
    }
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
    for (const number of [...this.#outlets.keys()]) this.detach(number);
  }
}

/** By time, then by place in the file: the same order in each run. */
const before = (a: Sender, b: Sender): boolean => (a.due === b.due ? a.row < b.row : a.due < b.due);
