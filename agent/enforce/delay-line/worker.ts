/**
 * The delay line's thread: holds packets that arrive at endpoints and releases them on time.
 *
 * It never returns to Node's event loop. It sleeps in one poll for packets, for the next release and for messages of
 * the main thread, which it reads with `receiveMessageOnPort`. A held packet costs one receive (in batches of 64), one
 * heap insertion and one verdict (in batches of 64). Measured on two cores: 62,000 packets/s of 200 bytes at 50 ms.
 */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { clearEvent, Poller, preferThisThread } from '../../kernel/libc.ts';
import { within } from '../../kernel/namespaces.ts';
import { PacketQueue } from '../../kernel/nfqueue.ts';
import { addressWords, pathOf } from './addressing.ts';
import { ArrivalClock } from './arrival-clock.ts';
import { COUNTER, type ToWorker, type WorkerStart } from './messages.ts';
import { PathTable } from './path-table.ts';
import { Random } from './random.ts';
import { ReleaseQueue } from './release-queue.ts';
import { WakeLead } from './wake-lead.ts';

/** A release this close is due: handing over the verdict takes as long. */
const DUE_MS = 0.01;
const CONTROL = 0xffffffff;

interface Line {
  readonly queue: PacketQueue;
  table: PathTable;
  /** The endpoint's own addresses, four words each. */
  own: Uint32Array;
  dirty: boolean;
}

class DelayLineThread {
  readonly #lines = new Map<number, Line>();
  readonly #waiting = new ReleaseQueue();
  readonly #lead = new WakeLead();
  readonly #arrivals = new ArrivalClock(monotonicOffsetMs());
  readonly #dirty: Line[] = [];
  readonly #poller = new Poller();
  readonly #counters: Float64Array;
  readonly #random: Random;
  readonly #start: WorkerStart;
  #running = true;
  #now = 0;
  #line: Line | undefined;
  #lineNumber = 0;

  constructor(start: WorkerStart) {
    this.#start = start;
    this.#counters = new Float64Array(start.counters);
    this.#random = new Random(start.seed);
    this.#poller.add(start.wakeFd, CONTROL);
  }

  run(): void {
    preferThisThread();
    try {
      while (this.#running) this.#turn();
    } finally {
      // Also when something broke: a queue that nobody reads would hold its endpoint's packets for ever.
      for (const queue of [...this.#lines.keys()]) this.#detach(queue);
      this.#poller.close();
    }
  }

  #turn(): void {
    const ready = this.#sleep();
    this.#now = performance.now();
    for (let i = 0; i < ready; i++) {
      const token = this.#poller.token(i);
      if (token === CONTROL) this.#obey();
      else this.#receive(token);
    }
    this.#release();
    this.#flush();
  }

  /**
   * Sleeps until shortly before the next release, or until something arrives; returns how many descriptors are ready.
   * The rest of the way, some tens of microseconds, `run` goes round without sleeping.
   */
  #sleep(): number {
    const next = this.#waiting.nextTime;
    if (next === Number.POSITIVE_INFINITY) return this.#poller.wait(-1);
    const wake = next - this.#lead.ms;
    const milliseconds = wake - performance.now();
    if (milliseconds <= 0) return this.#poller.wait(0);
    const ready = this.#poller.wait(Math.ceil(milliseconds * 1e6));
    if (ready === 0) this.#lead.observe(performance.now() - wake);
    return ready;
  }

  #receive(number: number): void {
    const line = this.#lines.get(number);
    if (!line) return;
    this.#line = line;
    this.#lineNumber = number;
    this.#counters[COUNTER.packets]! += line.queue.receive(this.#hold);
  }

  /** One packet that arrived: lost, passed on at once, or held. */
  readonly #hold = (id: number, mark: number, data: Uint8Array, offset: number, length: number): void => {
    const line = this.#line!;
    const table = line.table;
    const entry = pathOf(table, line.own, data, offset, length);
    const age = this.#arrivals.ageMs(mark, this.#now);
    const ownMark = age < 0 ? mark : 0;
    if (entry < 0) {
      this.#accept(line, id, ownMark);
      return;
    }
    const lastRelease = table.lastRelease[entry]!;
    const loss = table.isGone[entry] === 0 ? table.loss[entry]! : Number(lastRelease > this.#now);
    if (loss > 0 && this.#random.uniform() < loss) {
      this.#counters[COUNTER.lost]! += 1;
      line.queue.drop(id);
      this.#touch(line);
      return;
    }
    const delay = table.delayMs[entry]!;
    const jitter = table.jitter.get(entry);
    if (delay === 0 && !jitter && lastRelease === 0) {
      this.#accept(line, id, ownMark);
      return;
    }
    const arrived = age < 0 ? this.#now : this.#now - age;
    const wanted = jitter ? Math.max(0, delay + jitter.at(arrived)) : delay;
    // A path is a sequence of queues: it never reorders, also not when its delay is lowered.
    const release = Math.max(arrived + wanted, lastRelease);
    table.lastRelease[entry] = release;
    this.#waiting.push(release, this.#lineNumber, id, ownMark);
  };

  #accept(line: Line, id: number, mark: number): void {
    line.queue.accept(id, mark);
    this.#touch(line);
  }

  #touch(line: Line): void {
    if (line.dirty) return;
    line.dirty = true;
    this.#dirty.push(line);
  }

  #release(): void {
    const waiting = this.#waiting;
    const due = performance.now() + DUE_MS;
    while (waiting.nextTime <= due) {
      const line = this.#lines.get(waiting.nextQueue);
      const late = due - DUE_MS - waiting.nextTime;
      if (late > this.#counters[COUNTER.latestMs]!) this.#counters[COUNTER.latestMs] = late;
      if (line) this.#accept(line, waiting.nextId, waiting.nextMark);
      waiting.pop();
    }
    this.#counters[COUNTER.held] = waiting.size;
  }

  #flush(): void {
    for (const line of this.#dirty) {
      line.queue.flush();
      line.dirty = false;
    }
    this.#dirty.length = 0;
  }

  #obey(): void {
    clearEvent(this.#start.wakeFd);
    for (;;) {
      const received = receiveMessageOnPort(this.#start.port) as { message: ToWorker } | undefined;
      if (!received) return;
      const { message } = received;
      try {
        this.#carryOut(message);
        this.#start.port.postMessage({ request: message.request });
      } catch (error) {
        const { code = 'UNKNOWN', message: text } = error as { code?: string; message: string };
        this.#start.port.postMessage({ request: message.request, error: { code, message: text } });
      }
    }
  }

  #carryOut(message: ToWorker): void {
    if (message.kind === 'stop') this.#running = false;
    else if (message.kind === 'attach') this.#attach(message.queue, message.namespace);
    else if (message.kind === 'detach') this.#detach(message.queue);
    else this.#set(message);
  }

  #attach(number: number, namespace: string): void {
    const queue = within(namespace, () => new PacketQueue(0));
    queue.keepGsoWhole(true);
    this.#lines.set(number, { queue, table: PathTable.empty(), own: new Uint32Array(0), dirty: false });
    this.#poller.add(queue.fd, number);
  }

  /** Lets go of all that is held, in its order: the kernel drops what it holds for a queue that is closed. */
  #detach(number: number): void {
    const line = this.#lines.get(number);
    if (!line) return;
    this.#now = performance.now();
    this.#receive(number);
    this.#waiting.take(number, (id, mark) => line.queue.accept(id, mark));
    line.queue.flush();
    this.#poller.remove(line.queue.fd);
    line.queue.close();
    this.#lines.delete(number);
  }

  #set({ queue, addresses, entries }: Extract<ToWorker, { kind: 'set' }>): void {
    const line = this.#lines.get(queue);
    if (!line) return;
    const { hasLoss } = line.table;
    line.table = line.table.replacedBy(entries, this.#random, performance.now());
    line.own = addressWords(addresses);
    if (line.table.hasLoss !== hasLoss) line.queue.keepGsoWhole(hasLoss);
  }
}

/** From this thread's clock to the kernel's monotonic one. The best of many: the first call alone takes 0.7 ms. */
function monotonicOffsetMs(): number {
  let best = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let i = 0; i < 1000; i++) {
    const before = Number(process.hrtime.bigint()) / 1e6;
    const now = performance.now();
    const after = Number(process.hrtime.bigint()) / 1e6;
    if (after - before >= best) continue;
    best = after - before;
    offset = (before + after) / 2 - now;
  }
  return offset;
}

new DelayLineThread(workerData as WorkerStart).run();
