/**
 * The delay line's thread: holds packets that arrive at endpoints and releases them on time.
 *
 * It never returns to Node's event loop. It sleeps in one poll, for packets, for the next release and for messages of the
 * main thread, which it reads with `receiveMessageOnPort`. A held packet costs one receive (in batches of 64), one heap
 * insertion and one verdict (in batches of 64). Measured on two cores: 62,000 packets/s of 200 bytes at 50 ms.
 *
 * Where paths come on demand, the thread holds a packet whose pair has no path and requests the path. The packet's delay
 * counts from its arrival as if the path had been known.
 */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { clearEvent } from '../../kernel/sys/events.ts';
import { Poller } from '../../kernel/sys/poller.ts';
import { changeProcessor, preferThisThread } from '../../kernel/sys/this-thread.ts';
import { ETHERNET_HEADER, frameBytes, NONE, pathOf, UNKNOWN_PATH } from './addressing.ts';
import { ArrivalClock, monotonicOffsetMs } from './arrival-clock.ts';
import { Attendance, RENEWED_EVERY_MS } from './attendance.ts';
import { doAll } from './do-all.ts';
import { Line } from './line.ts';
import { COUNTER, type FromWorker, type PairEntry, type ToWorker, type WorkerStart } from './messages.ts';
import { OnDemand } from './on-demand.ts';
import { Packet } from './packet.ts';
import { SPACING } from './path-table.ts';
import { Random } from './random.ts';
import { ReleaseQueue } from './release-queue.ts';
import { COPY, UNREADABLE } from './treatment/kept-content.ts';
import { Unanswered } from './unanswered.ts';
import { Sleeper } from './wake/sleeper.ts';

const CONTROL = 0xffffffff;
/** Of one queue before other work has its turn: 16 ms of a flood must not make the packets of others late. */
const RECEIVED_AT_ONCE = 1024;
class DelayLineThread {
  readonly #lines = new Map<number, Line>();
  readonly #waiting = new ReleaseQueue();
  /** The number of paths, of all lines, whose packets can't wait before they are received. */
  #quick = 0;
  readonly #monotonicOffsetMs = monotonicOffsetMs();
  readonly #arrivals = new ArrivalClock(this.#monotonicOffsetMs);
  readonly #unanswered = new Unanswered();
  readonly #onDemand = new OnDemand();
  readonly #dirty: Line[] = [];
  readonly #poller = new Poller();
  readonly #sleeper = new Sleeper({
    now: () => performance.now(),
    wait: (nanoseconds) => this.#poller.wait(nanoseconds),
    pause: (nanoseconds) => this.#poller.pause(nanoseconds),
    move: changeProcessor,
  });
  readonly #counters: Float64Array;
  readonly #random: Random;
  readonly #start: WorkerStart;
  #running = true;
  #now = 0;
  /** When a queue is to be asked how much the kernel has dropped. */
  #nextCountMs = Number.POSITIVE_INFINITY;
  readonly #attendance: Attendance | undefined;
  /** When the promise to serve the queues is to be renewed. */
  #nextRenewalMs = Number.POSITIVE_INFINITY;
  /** Of the packets released in this turn: how long ago they were due when they were released; sum, sum of squares, most. */
  readonly #sinceDue = new Float64Array(3);
  #line: Line | undefined;
  /** The one that is being handled. */
  readonly #packet = new Packet();

  constructor(start: WorkerStart) {
    this.#start = start;
    this.#counters = new Float64Array(start.counters);
    this.#random = new Random(start.seed);
    if (start.attendedFd !== undefined) this.#attendance = new Attendance(start.attendedFd);
    this.#poller.add(start.wakeFd, CONTROL);
  }

  /**
   * Returns after the message `stop`. When the kernel refuses a call, the thread ends with the error, which the main thread
   * has as `failure`.
   */
  run(): void {
    doAll([
      () => {
        preferThisThread();
        while (this.#running) this.#turn();
      },
      // Also after an error: a queue without a reader would hold its endpoint's packets for ever.
      () => doAll([...this.#lines.keys()].map((queue) => () => this.#detach(queue))),
      () => this.#poller.close(),
    ]);
  }

  #turn(): void {
    const { nextMs } = this.#onDemand;
    const chores = Math.min(nextMs, this.#nextCountMs, this.#nextRenewalMs);
    const ready = this.#sleeper.sleep(this.#waiting.nextTime, chores, this.#quick === 0);
    this.#now = performance.now();
    if (this.#now >= this.#nextRenewalMs) this.#promise();
    for (let i = 0; i < ready; i++) {
      const token = this.#poller.token(i);
      if (token === CONTROL) this.#readMessages();
      else this.#receive(token);
    }
    const received = performance.now();
    const released = this.#release(received);
    this.#flush();
    const passMs = performance.now() - received;
    this.#left(released, passMs);
    this.#add(COUNTER.turns, 1);
    this.#add(COUNTER.receiveMs, received - this.#now);
    this.#add(COUNTER.passMs, passMs);
    this.#requestPaths();
    this.#removeIdle();
    if (this.#now >= this.#nextCountMs) this.#countOverflows();
  }

  /** Promises to serve the queues for some more seconds. */
  #promise(): void {
    this.#attendance?.renew();
    this.#nextRenewalMs = performance.now() + RENEWED_EVERY_MS;
  }

  /** Asks the kernel about the queues that may have been full. */
  #countOverflows(): void {
    this.#nextCountMs = Number.POSITIVE_INFINITY;
    for (const { overflow, held, backlog } of this.#lines.values()) {
      this.#add(COUNTER.overflowed, overflow.count(this.#now));
      // Of a queue that is full nothing comes any more.
      overflow.suspect(held + backlog, this.#now);
      this.#nextCountMs = Math.min(this.#nextCountMs, overflow.nextMs);
    }
  }

  #receive(number: number, most = RECEIVED_AT_ONCE): void {
    const line = this.#lines.get(number);
    if (!line) return;
    this.#line = line;
    const packets = line.queue.receive(this.#hold, most);
    line.backlog = packets < most ? 0 : line.backlog + packets;
    line.overflow.suspect(line.held + line.backlog, this.#now);
    this.#nextCountMs = Math.min(this.#nextCountMs, line.overflow.nextMs);
    this.#add(COUNTER.packets, packets);
    this.#sleeper.arrived(packets, this.#now);
  }

  /** Called for each received packet. */
  readonly #hold = (id: number, mark: number, data: Uint8Array, offset: number, length: number): void => {
    const line = this.#line!;
    const path = pathOf(line, data, offset, length);
    const age = this.#arrivals.ageMs(mark, this.#now);
    const ownMark = age < 0 ? mark : 0;
    const arrivedMs = age < 0 ? this.#now : this.#now - age;
    if (path === NONE) {
      this.#accept(line, id, ownMark);
      return;
    }
    const bytes = frameBytes(data, offset);
    this.#packet.take(data, offset, length, bytes - ETHERNET_HEADER);
    if (path >= 0) this.#schedule(line, path, id, ownMark, arrivedMs, bytes);
    else this.#unanswered.hold(line.number, UNKNOWN_PATH - path, { id, mark: ownMark, arrivedMs, bytes });
  };

  /** A packet with a known path is lost, passed on at once, or held. */
  #schedule(line: Line, path: number, id: number, mark: number, arrivedMs: number, bytes: number): void {
    const { table } = line;
    table.lastSeen[path] = this.#now;
    const lastRelease = table.lastRelease[path]!;
    const loss = table.isGone[path] === 0 ? table.loss[path]! : Number(lastRelease > this.#now);
    const treatment = table.treatments.size === 0 ? undefined : table.treatments.get(path);
    const isLost = (loss > 0 && this.#random.uniform() < loss) || treatment?.isLost(this.#random);
    const copy =
      !isLost && treatment?.needsContent ? line.content.draw(id, treatment, this.#random, this.#packet) : 0;
    if (isLost || copy === UNREADABLE) {
      this.#add(COUNTER.lost, 1);
      line.queue.drop(id);
      this.#markDirty(line);
      return;
    }
    const framing = table.framings.size === 0 ? undefined : table.framings.get(path);
    const delay = table.delayMs[path]! + (framing?.timeMs(bytes) ?? bytes * table.byteMs[path]!);
    const jitter = table.jitter.get(path);
    const wanted = jitter ? Math.max(0, delay + jitter.at(arrivedMs)) : delay;
    const spacing = framing ? SPACING * framing.spacingMs(bytes) : bytes * table.spacingMs[path]!;
    const apart = treatment?.delays?.release(this.#packet, arrivedMs + wanted, spacing) ?? 0;
    if (apart > 0) {
      this.#push(apart, line, id, mark);
      if (copy > 0) this.#push(apart, line, COPY, copy);
      return;
    }
    if (delay === 0 && !jitter && lastRelease === 0 && !treatment?.holds) {
      this.#accept(line, id, mark);
      if (copy > 0) this.#accept(line, COPY, copy);
      return;
    }
    if (treatment?.isReordered(this.#random)) {
      this.#push(treatment.displace(id, mark, arrivedMs, arrivedMs + wanted), line, id, mark);
      if (copy > 0) this.#push(arrivedMs + wanted, line, COPY, copy);
      return;
    }
    // A path is a sequence of queues: it never reorders by itself, even when its delay is lowered, and its slowest link keeps
    // packets apart.
    const release = Math.max(arrivedMs + wanted, lastRelease + spacing);
    table.lastRelease[path] = release;
    const leaves = treatment?.slots ? treatment.slots.after(release, this.#random) : release;
    this.#push(leaves, line, id, mark);
    if (copy > 0) this.#push(leaves, line, COPY, copy);
    if (treatment?.isOvertaken(leaves)) {
      line.expectTwice(treatment.asideId);
      this.#push(leaves, line, treatment.asideId, treatment.asideMark);
      treatment.asideId = -1;
    }
  }

  #push(release: number, line: Line, id: number, mark: number): void {
    this.#waiting.push(release, line.number, id, mark);
    line.held++;
  }

  #accept(line: Line, id: number, mark: number): void {
    line.accept(id, mark);
    this.#markDirty(line);
  }

  #markDirty(line: Line): void {
    if (line.dirty) return;
    line.dirty = true;
    this.#dirty.push(line);
  }

  /** Releases the packets that are due; returns how many. */
  #release(now: number): number {
    const waiting = this.#waiting;
    const held = waiting.size;
    const due = now + this.#sleeper.slackMs;
    this.#sinceDue.fill(0);
    while (waiting.nextTime <= due) {
      const line = this.#lines.get(waiting.nextQueue);
      const since = now - waiting.nextTime;
      this.#sinceDue[0]! += since;
      this.#sinceDue[1]! += since * since;
      if (since > this.#sinceDue[2]!) this.#sinceDue[2] = since;
      if (line) {
        line.held--;
        this.#accept(line, waiting.nextId, waiting.nextMark);
      }
      waiting.pop();
    }
    this.#counters[COUNTER.held] = waiting.size;
    return held - waiting.size;
  }

  /** Accounts for packets that were due at `#sinceDue` and have left within this time, half of it later on average. */
  #left(packets: number, passMs: number): void {
    if (packets === 0) return;
    const passing = passMs / 2;
    const sum = this.#sinceDue[0]!;
    const squares = this.#sinceDue[1]!;
    const most = this.#sinceDue[2]!;
    const late = sum + packets * passing;
    this.#sleeper.passed(packets, passMs, late / packets);
    this.#add(COUNTER.released, packets);
    this.#add(COUNTER.lateMs, late);
    this.#add(COUNTER.lateMs2, squares + 2 * passing * sum + packets * passing * passing);
    if (most + passing > this.#counters[COUNTER.latestMs]!) this.#counters[COUNTER.latestMs] = most + passing;
  }

  #add(counter: number, amount: number): void {
    this.#counters[counter]! += amount;
  }

  #flush(): void {
    for (const line of this.#dirty) {
      line.queue.flush();
      line.dirty = false;
    }
    this.#dirty.length = 0;
  }

  #requestPaths(): void {
    const pairs = this.#unanswered.takeAsked();
    if (pairs.length > 0) this.#send({ kind: 'asked', pairs });
  }

  #removeIdle(): void {
    if (this.#now < this.#onDemand.nextMs) return;
    const pairs = this.#onDemand.forget(this.#now, (queue) => this.#lines.get(queue)?.table);
    this.#quick = 0;
    for (const { table } of this.#lines.values()) this.#quick += table.quick;
    if (pairs.length > 0) this.#send({ kind: 'forgotten', pairs });
  }

  #send(message: FromWorker): void {
    this.#start.port.postMessage(message);
  }

  #readMessages(): void {
    clearEvent(this.#start.wakeFd);
    for (;;) {
      const received = receiveMessageOnPort(this.#start.port) as { message: ToWorker } | undefined;
      if (!received) return;
      const { message } = received;
      const done = { kind: 'done', request: message.request } as const;
      try {
        this.#carryOut(message);
        this.#send(done);
      } catch (error) {
        const { code = 'UNKNOWN', message: text } = error as { code?: string; message: string };
        this.#send({ ...done, error: { code, message: text } });
      }
    }
  }

  #carryOut(message: ToWorker): void {
    if (message.kind === 'stop') this.#running = false;
    else if (message.kind === 'attach') this.#attach(message);
    else if (message.kind === 'detach') this.#detach(message.queue);
    else if (message.kind === 'set') this.#set(message);
    else if (message.kind === 'paths') for (const pair of message.pairs) this.#setPair(pair);
    else this.#know(message);
  }

  #know({ endpoints, idleMs }: Extract<ToWorker, { kind: 'on-demand' }>): void {
    const moved = this.#onDemand.begin(endpoints, idleMs, this.#now);
    if (moved.length === 0) return;
    for (const line of this.#lines.values())
      this.#change(line, () => {
        for (const address of moved) line.table.forgetAddress(address);
      });
  }

  #attach(start: Extract<ToWorker, { kind: 'attach' }>): void {
    const line = new Line(start, this.#onDemand.book, this.#start.spreadSeed);
    try {
      this.#poller.add(line.queue.fd, line.number);
    } catch (error) {
      line.close();
      throw error;
    }
    // Before any packet comes: without queues, there was no promise.
    this.#promise();
    this.#lines.set(line.number, line);
  }

  /** Releases all packets of the queue in order: the kernel drops the packets of a queue that is closed. */
  #detach(number: number): void {
    const line = this.#lines.get(number);
    if (!line) return;
    this.#now = performance.now();
    doAll([
      () => this.#receive(number, Number.POSITIVE_INFINITY),
      () => {
        this.#waiting.take(number, (id, mark) => line.accept(id, mark));
        for (const { id, mark } of this.#unanswered.takeQueue(number)) line.queue.accept(id, mark);
        line.queue.flush();
      },
      () => this.#poller.remove(line.queue.fd),
      () => line.close(),
      () => {
        this.#quick -= line.table.quick;
        this.#lines.delete(number);
        if (this.#lines.size === 0) this.#nextRenewalMs = Number.POSITIVE_INFINITY;
      },
    ]);
  }

  #set({ queue, entries }: Extract<ToWorker, { kind: 'set' }>): void {
    const line = this.#lines.get(queue);
    if (line) this.#change(line, () => line.table.replace(entries, this.#random, performance.now()));
  }

  /** Sets a path that was requested, or one that has changed since. */
  #setPair(pair: PairEntry): void {
    const { queue, source, entry } = pair;
    const line = this.#lines.get(queue);
    if (!line) return;
    const isNew = entry.sources.every((address) => line.table.pathOf(address) < 0);
    let path = -1;
    this.#change(line, () => {
      path = line.table.set(entry, this.#random);
    });
    line.table.lastSeen[path] ||= this.#now;
    if (isNew) this.#onDemand.add(pair, this.#now);
    // Their content is not there any more: they are neither changed nor copied.
    this.#packet.forget();
    for (const { id, mark, arrivedMs, bytes } of this.#unanswered.answered(queue, source))
      this.#schedule(line, path, id, mark, arrivedMs, bytes);
  }

  #change(line: Line, change: () => void): void {
    const { quick } = line.table;
    change();
    this.#quick += line.table.quick - quick;
    line.configure();
    this.#counters[COUNTER.changedMs] = performance.now() + this.#monotonicOffsetMs;
  }
}

new DelayLineThread(workerData as WorkerStart).run();
