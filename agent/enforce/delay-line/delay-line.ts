/**
 * Delay, jitter and loss for kernels without netem: what arrives at a destination endpoint goes through a queue to a
 * thread of this agent, which holds it until it is due. At the destination and not at the source, because TCP limits
 * what it has below itself (TCP small queues) and would be throttled by packets that are held on their way out.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { NetfoldError } from '../../../proto/errors.ts';
import type { LocalEndpoint } from '../../endpoints/model.ts';
import { addressBytes } from '../../kernel/addresses.ts';
import { type ArrivalQueue, installArrivalQueue, removeArrivalQueue } from '../../kernel/arrival-queue.ts';
import { close, createEvent, raiseEvent } from '../../kernel/libc.ts';
import type { DelayBackend, DelayCounters, ImpairedPath } from '../ports.ts';
import { COUNTER, COUNTERS, type FromWorker, type ToWorker, type WorkerStart } from './messages.ts';
import type { DelayEntry } from './path-table.ts';

type Command = ToWorker extends infer Message
  ? Message extends ToWorker
    ? Omit<Message, 'request'>
    : never
  : never;

export class DelayLine implements DelayBackend {
  readonly name = 'delay-line';
  readonly side = 'destination';
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #port: MessageChannel['port1'];
  readonly #wakeFd = createEvent();
  readonly #counters = new Float64Array(new SharedArrayBuffer(COUNTERS * 8));
  readonly #pending = new Map<number, PromiseWithResolvers<void>>();
  readonly #attached = new Map<number, ArrivalQueue>();
  /** Endpoints on which an earlier agent may have left a queue. */
  readonly #adopted = new Set<number>();
  readonly #arrivalFd: number;
  #requests = 0;
  #failure: Error | undefined;

  /** `arrivalFd` is the BPF program that notes when a frame arrived. */
  constructor({ seed, arrivalFd }: { seed: number; arrivalFd: number }) {
    this.#arrivalFd = arrivalFd;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const start: WorkerStart = {
      wakeFd: this.#wakeFd,
      port: port2,
      counters: this.#counters.buffer as SharedArrayBuffer,
      seed,
    };
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: start,
      transferList: [port2],
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(new Error('its thread has ended'));
        resolve();
      });
    });
    this.#port.on('message', (message: FromWorker) => this.#answer(message));
  }

  /** Nothing to do yet: an endpoint whose paths neither delay nor lose anything never needs the queue. */
  async attach(endpoint: LocalEndpoint, isAdopted: boolean): Promise<void> {
    if (isAdopted) this.#adopted.add(endpoint.number);
  }

  async set(endpoint: LocalEndpoint, paths: readonly ImpairedPath[]): Promise<void> {
    if (!this.#attached.has(endpoint.number)) {
      const isNeeded = paths.some(isImpaired);
      // Installing replaces what an earlier agent left.
      if (this.#adopted.delete(endpoint.number) && !isNeeded) removeArrivalQueue(endpoint);
      if (!isNeeded) return;
      await this.#install(endpoint);
    }
    const addresses = endpoint.addresses.map(addressBytes);
    const entries = paths.map(delayEntry);
    await this.#command({ kind: 'set', queue: endpoint.number, addresses, entries });
  }

  /** Lets go of an endpoint; what is held there is released at once. Of one that never had a queue, nothing happens. */
  async detach(endpoint: LocalEndpoint): Promise<void> {
    const queue = this.#attached.get(endpoint.number);
    if (!queue) return;
    this.#attached.delete(endpoint.number);
    queue.close();
    try {
      await this.#command({ kind: 'detach', queue: endpoint.number });
    } finally {
      queue.remove();
      queue.release();
    }
  }

  async #install(endpoint: LocalEndpoint): Promise<void> {
    await this.#command({ kind: 'attach', queue: endpoint.number, namespace: endpoint.namespace });
    try {
      this.#attached.set(endpoint.number, installArrivalQueue(endpoint, this.#arrivalFd));
    } catch (error) {
      await this.#command({ kind: 'detach', queue: endpoint.number });
      throw error;
    }
  }

  get failure(): string | undefined {
    return this.#failure && `nothing is delayed or lost any more: ${this.#failure.message}`;
  }

  counters(): DelayCounters {
    const read = (index: number): number => this.#counters[index] ?? 0;
    return {
      packets: read(COUNTER.packets),
      lost: read(COUNTER.lost),
      held: read(COUNTER.held),
      latestMs: read(COUNTER.latestMs),
    };
  }

  /** Ends the work; what is held is released at once, in its order. */
  async stop(): Promise<void> {
    const queues = [...this.#attached.values()];
    this.#attached.clear();
    try {
      forEach(queues, (queue) => queue.close());
    } finally {
      // Not `terminate`: the thread releases what it holds first. It may end before its answer is read.
      this.#command({ kind: 'stop' }).catch(() => {});
      await this.#exited;
      this.#port.close();
      close(this.#wakeFd);
      forEach(queues, (queue) => queue.remove());
      forEach(queues, (queue) => queue.release());
    }
  }

  #command(command: Command): Promise<void> {
    if (this.#failure) return Promise.reject(failed(this.#failure));
    const request = ++this.#requests;
    const pending = Promise.withResolvers<void>();
    this.#pending.set(request, pending);
    this.#port.postMessage({ ...command, request });
    raiseEvent(this.#wakeFd);
    return pending.promise;
  }

  #answer({ request, error }: FromWorker): void {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    if (!error) {
      pending?.resolve();
      return;
    }
    const { code, message } = error;
    pending?.reject(new NetfoldError({ code, blame: 'machine', message: `delay line: ${message}` }));
  }

  /** The thread is gone, and with it what it held; the first reason is the one that counts. */
  #fail(error: Error): void {
    this.#failure ??= error;
    for (const pending of this.#pending.values()) pending.reject(failed(this.#failure));
    this.#pending.clear();
  }
}

function failed(cause: Error): NetfoldError {
  const message = `the delay line has failed: ${cause.message}`;
  return new NetfoldError({
    code: 'DELAY_FAILED',
    blame: 'machine',
    message,
    remedy: 'start the experiment again',
    cause,
  });
}

/** Does it with all of them, also when it fails with some; then throws the first error. */
function forEach<T>(items: readonly T[], action: (item: T) => void): void {
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      action(item);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

function isImpaired({ latencyMicros, jitterMicros, loss }: ImpairedPath): boolean {
  return latencyMicros > 0 || jitterMicros > 0 || loss > 0;
}

function delayEntry(path: ImpairedPath): DelayEntry {
  return {
    sources: path.source.map(addressBytes),
    delayMs: path.latencyMicros / 1000,
    jitterMs: path.jitterMicros / 1000,
    distribution: path.distribution ?? 'normal',
    loss: path.loss,
  };
}
