/** Kinds of conversations over TCP, from the side of the source. */
import type { Socket } from 'node:net';
import { type Micros, toMillis } from '../../proto/units.ts';
import type { Counters } from './counters.ts';
import { HEAD_BYTES, writeHead } from './datagram.ts';
import { Draws } from './draws.ts';
import type { RealSource } from './messages.ts';
import { drawFile, drawPage, type Page } from './models.ts';
import { REQUEST_BYTES, writeRequest } from './request.ts';

/** Written at once; the kernel has its own buffer besides. */
const CHUNK = Buffer.alloc(65_536);

/** What a talk has to do with. */
export interface Partner {
  readonly source: RealSource;
  readonly row: number;
  /** Which window of the source. */
  readonly turn: number;
  readonly counters: Counters;
  readonly wallMs: () => number;
  /** A connection that is being made; `undefined`: it can't be. */
  readonly connect: () => Socket | undefined;
  /** It is over before its window: it begins anew later. */
  readonly onOver: () => void;
}

export interface Talk {
  readonly isOver: boolean;
  /** At once. What waits in the kernel's buffers is lost: it would flow on for seconds. */
  end(): void;
  /** A message of a source with times. Returns whether there was room. */
  write?(bytes: number): boolean;
}

export function talkOf(partner: Partner): Talk {
  switch (partner.source.traffic.kind) {
    case 'greedy':
      return new Greedy(partner);
    case 'ftp':
      return new Files(partner);
    case 'web':
      return new Pages(partner);
    case 'flows':
      return new Flows(partner);
    default:
      return new Stream(partner);
  }
}

abstract class OnConnections implements Talk {
  protected readonly partner: Partner;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  isOver = false;

  constructor(partner: Partner) {
    this.partner = partner;
  }

  /** Opens a connection, and says which source it is of. `onEnd`: the peer has read and ended all. */
  protected open(onEnd: () => void): Socket | undefined {
    const { connect, row, wallMs } = this.partner;
    const socket = connect();
    if (!socket) {
      this.fail();
      return undefined;
    }
    this.#socket = socket;
    let isBroken = false;
    socket.on('error', () => {
      isBroken = true;
    });
    socket.on('close', () => {
      if (this.#socket !== socket || this.isOver) return;
      this.#socket = undefined;
      if (isBroken) this.fail();
      else onEnd();
    });
    introduce(socket, row, wallMs());
    return socket;
  }

  /** Ends a connection that has done its part; what becomes of it does not matter. */
  protected release(socket: Socket): void {
    if (this.#socket === socket) this.#socket = undefined;
    socket.end();
  }

  protected after(wait: Micros, next: () => void): void {
    this.#timer = setTimeout(next, Math.min(LONGEST_MS, toMillis(wait)));
  }

  protected fail(): void {
    if (this.isOver) return;
    this.#stop();
    this.partner.onOver();
  }

  end(): void {
    this.#stop();
  }

  #stop(): void {
    this.isOver = true;
    clearTimeout(this.#timer);
    this.#socket?.resetAndDestroy();
    this.#socket = undefined;
  }
}
/** Longer waits don't fit a timer. */
const LONGEST_MS = 2 ** 31 - 1;

/** Always has something to send. */
class Greedy extends OnConnections {
  constructor(partner: Partner) {
    super(partner);
    const socket = this.open(() => this.fail());
    if (!socket) return;
    const more = (): void => {
      while (!this.isOver && !socket.destroyed) {
        partner.counters.sent(partner.row, CHUNK.length);
        if (!socket.write(CHUNK)) return;
      }
    };
    socket.on('drain', more);
    more();
  }
}

/** Messages whose times the source has. */
class Stream extends OnConnections {
  readonly #socket: Socket | undefined;

  constructor(partner: Partner) {
    super(partner);
    this.#socket = this.open(() => this.fail());
  }

  write(bytes: number): boolean {
    const socket = this.#socket;
    if (!socket || socket.destroyed || socket.writableLength > CHUNK.length) return false;
    socket.write(CHUNK.subarray(0, bytes));
    return true;
  }
}

/** Sizes and pauses are drawn, the same in each run. */
class Drawn extends OnConnections {
  protected readonly draws: Draws;

  constructor(partner: Partner) {
    super(partner);
    const { traffic, index } = partner.source;
    this.draws = new Draws(traffic.seed, index, partner.turn);
  }
}

/** Files one after the other, each over a connection of its own, as the data of FTP: with a pause in which they are read. */
class Files extends Drawn {
  constructor(partner: Partner) {
    super(partner);
    this.#next();
  }

  #next(): void {
    const { counters, row, source } = this.partner;
    const { bytes, pauseMicros } = drawFile(source.traffic, this.draws);
    const socket = this.open(() => this.after(pauseMicros, () => this.#next()));
    if (!socket) return;
    counters.sent(row, bytes);
    sendAll(socket, bytes);
  }
}

/** Connections of flows in this thread. Each has a descriptor here, and one where it arrives. */
let flowing = 0;
/** More at once are refused: an agent has other uses for its descriptors (agent/kernel/sys/open-files.ts). */
const MOST_FLOWING = 1000;

/** Flows of a trace: each over a connection of its own as it is due, whatever those before it have come to. */
class Flows implements Talk {
  readonly #partner: Partner;
  readonly #open = new Set<Socket>();
  isOver = false;

  constructor(partner: Partner) {
    this.#partner = partner;
  }

  write(bytes: number): boolean {
    const { connect, row, wallMs } = this.#partner;
    const socket = flowing < MOST_FLOWING ? connect() : undefined;
    if (!socket) return false;
    flowing++;
    this.#open.add(socket);
    // One that breaks is none that arrives.
    socket.on('error', () => {});
    socket.on('close', () => {
      flowing--;
      this.#open.delete(socket);
    });
    introduce(socket, row, wallMs());
    sendAll(socket, bytes);
    return true;
  }

  end(): void {
    this.isOver = true;
    for (const socket of this.#open) socket.resetAndDestroy();
  }
}

/** Says which source a connection is of, and when it began. */
function introduce(socket: Socket, row: number, wallMs: number): void {
  const head = Buffer.alloc(HEAD_BYTES);
  writeHead(new DataView(head.buffer, head.byteOffset, HEAD_BYTES), 0, row, wallMs);
  socket.write(head);
}

/** So many bytes, and the end. */
function sendAll(socket: Socket, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      const size = Math.min(left, CHUNK.length);
      left -= size;
      const hasRoom = socket.write(CHUNK.subarray(0, size));
      if (left > 0 && !hasRoom) return;
    }
    socket.end();
  };
  socket.on('drain', () => left > 0 && more());
  // Nothing comes; who does not read does not hear of the end.
  socket.resume();
  more();
}

/** Pages one after the other: of each, the main object, then those in it, over one connection; then it is read. */
class Pages extends Drawn {
  constructor(partner: Partner) {
    super(partner);
    this.#next();
  }

  #next(): void {
    const page = drawPage(this.partner.source.traffic, this.draws);
    const socket = this.open(() => this.fail());
    if (socket) this.#ask(socket, page, 0);
  }

  #ask(socket: Socket, page: Page, at: number): void {
    const { counters, row, wallMs } = this.partner;
    const wanted = page.objects[at]!;
    const asked = wallMs();
    const request = Buffer.alloc(REQUEST_BYTES);
    writeRequest(request, wanted);
    counters.sent(row, REQUEST_BYTES);
    let left = wanted;
    const take = (data: Buffer): void => {
      left -= data.length;
      if (left > 0) return;
      socket.off('data', take);
      counters.received(row, wanted, Math.max(0, wallMs() - asked));
      if (at + 1 === page.objects.length) this.#read(socket, page);
      else if (at === 0) this.after(page.parseMicros, () => this.#ask(socket, page, 1));
      else this.#ask(socket, page, at + 1);
    };
    socket.on('data', take);
    socket.write(request);
  }

  #read(socket: Socket, page: Page): void {
    // The next page comes over another connection.
    this.release(socket);
    this.after(page.readMicros, () => this.#next());
  }
}
