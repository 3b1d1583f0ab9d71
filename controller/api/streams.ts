/**
 * Streams to readers, over WebSockets. Of each reader at most one message waits here: while its socket has not taken that, changes
 * add up to a larger one. A reader that takes none for too long is dropped.
 */
import { ApiError } from './errors.ts';
import type { Experiments } from './ports.ts';
import { PACE, type Pace, type Reading, Watcher } from './watcher.ts';

export interface StreamLimits {
  /** Readers at once, each with a connection and a message. */
  readonly most: number;
  /** A reader that has not taken a message for so long has stopped. */
  readonly stallMs: number;
  /** A reader has to answer a ping before the next one. */
  readonly pingMs: number;
  readonly pace: Pace;
}

export const STREAM_LIMITS: StreamLimits = { most: 200, stallMs: 10_000, pingMs: 20_000, pace: PACE };

/** What is needed of a socket of the package `ws`. */
export interface StreamSocket {
  /** Bytes that the kernel has not taken. */
  readonly bufferedAmount: number;
  send(text: string): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'close' | 'pong' | 'message', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Codes of RFC 6455, section 7.4.1. */
const NORMAL = 1000;
const POLICY = 1008;

export class Streams {
  readonly #experiments: Experiments;
  readonly #now: () => number;
  readonly #limits: StreamLimits;
  readonly #watchers = new Map<string, Watcher>();
  #count = 0;

  constructor(experiments: Experiments, now: () => number, limits: StreamLimits = STREAM_LIMITS) {
    this.#experiments = experiments;
    this.#now = now;
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  /** Before a connection becomes a stream. Throws `TOO_MUCH_AT_ONCE`, `EXPERIMENT_UNKNOWN`. */
  async requireRoom(experiment: string): Promise<void> {
    await this.#experiments.state(experiment);
    if (this.#count < this.#limits.most) return;
    throw new ApiError('TOO_MUCH_AT_ONCE', `${this.#count} streams are open already`, 'close one of them');
  }

  open(socket: StreamSocket, experiment: string): void {
    if (this.#count >= this.#limits.most) {
      socket.close(POLICY, 'too many streams');
      return;
    }
    const watcher = this.#watcherOf(experiment);
    const stream = new Stream(socket, watcher, this.#now, this.#limits);
    this.#count++;
    const leave = watcher.read(() => stream.look());
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.#count--;
      leave();
      if (watcher.readers === 0 && this.#watchers.get(experiment) === watcher)
        this.#watchers.delete(experiment);
    });
  }

  stop(): void {
    for (const watcher of this.#watchers.values()) watcher.stop();
    this.#watchers.clear();
  }

  #watcherOf(experiment: string): Watcher {
    const known = this.#watchers.get(experiment);
    if (known && known.ended === undefined) return known;
    const watcher = new Watcher(this.#experiments, experiment, this.#limits.pace);
    this.#watchers.set(experiment, watcher);
    return watcher;
  }
}

class Stream {
  readonly #socket: StreamSocket;
  readonly #watcher: Watcher;
  readonly #now: () => number;
  readonly #limits: StreamLimits;
  #reading: Reading;
  #takenAt: number;
  #pingedAt: number;
  #isAnswered = true;
  #isOver = false;

  constructor(socket: StreamSocket, watcher: Watcher, now: () => number, limits: StreamLimits) {
    this.#socket = socket;
    this.#watcher = watcher;
    this.#now = now;
    this.#limits = limits;
    this.#reading = watcher.start;
    this.#takenAt = now();
    this.#pingedAt = now();
    socket.on('pong', () => {
      this.#isAnswered = true;
    });
  }

  look(): void {
    if (this.#isOver) return;
    const { ended } = this.#watcher;
    if (ended !== undefined) this.#end(ended);
    else if (this.#isReady(this.#now())) this.#tell();
  }

  /** Whether it has taken what it was told last. Drops it if it has stopped. */
  #isReady(now: number): boolean {
    if (this.#socket.bufferedAmount > 0) {
      if (now - this.#takenAt > this.#limits.stallMs) this.#drop();
      return false;
    }
    this.#takenAt = now;
    if (now - this.#pingedAt <= this.#limits.pingMs) return true;
    if (!this.#isAnswered) {
      this.#drop();
      return false;
    }
    this.#isAnswered = false;
    this.#pingedAt = now;
    this.#socket.ping();
    return true;
  }

  #tell(): void {
    const told = this.#watcher.message(this.#reading);
    if (!told) return;
    this.#reading = told.reading;
    this.#socket.send(told.text);
  }

  /** The watcher looks no more: also who has not taken the last message is told now, or never. */
  #end(reason: string): void {
    this.#isOver = true;
    if (this.#socket.bufferedAmount === 0) this.#tell();
    this.#socket.send(JSON.stringify({ type: 'end', reason }));
    this.#socket.close(NORMAL, 'the experiment has ended');
  }

  /** Without a farewell, which it would not read. */
  #drop(): void {
    this.#isOver = true;
    this.#socket.terminate();
  }
}
