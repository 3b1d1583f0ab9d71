/** One thread of the delay line, as seen by the agent's main thread. */
import { extname } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { NetfoldError } from '../../../proto/errors.ts';
import { close } from '../../kernel/sys/descriptors.ts';
import { createEvent, raiseEvent } from '../../kernel/sys/events.ts';
import { COUNTERS, type FromWorker, type ToWorker, type WorkerStart } from './messages.ts';

export type Command = ToWorker extends infer Message
  ? Message extends ToWorker
    ? Omit<Message, 'request'>
    : never
  : never;

export type Notice = Exclude<FromWorker, { kind: 'done' }>;

/** A thread that answers nothing at so many checks, when it is to end, is ended. Its packets are dropped with its queues. */
const SILENT_CHECKS = 7;
const CHECK_MS = 100;

export class DelayThread {
  readonly counters = new Float64Array(new SharedArrayBuffer(COUNTERS * 8));
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #port: MessageChannel['port1'];
  readonly #wakeFd = createEvent();
  readonly #pending = new Map<number, PromiseWithResolvers<void>>();
  #requests = 0;
  #silentChecks = 0;
  #failure: Error | undefined;

  /** `notice` gets the messages that are not answers. */
  constructor(
    { seed, attendedFd, spreadSeed }: Pick<WorkerStart, 'seed' | 'attendedFd' | 'spreadSeed'>,
    notice: (notice: Notice) => void,
    script = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url),
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const start: WorkerStart = {
      wakeFd: this.#wakeFd,
      port: port2,
      counters: this.counters.buffer as SharedArrayBuffer,
      seed,
      ...(attendedFd !== undefined && { attendedFd }),
      ...(spreadSeed !== undefined && { spreadSeed }),
    };
    this.#worker = new Worker(script, {
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
    this.#port.on('message', (message: FromWorker) => {
      this.#silentChecks = 0;
      if (message.kind === 'done') this.#answer(message);
      else notice(message);
    });
  }

  /** Why the thread no longer works; `undefined` while it does. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Fulfilled when the thread has carried out the command. */
  command(command: Command): Promise<void> {
    if (this.#failure) return Promise.reject(failed(this.#failure));
    const request = ++this.#requests;
    const pending = Promise.withResolvers<void>();
    this.#pending.set(request, pending);
    try {
      this.#port.postMessage({ ...command, request });
      raiseEvent(this.#wakeFd);
    } catch (error) {
      this.#pending.delete(request);
      pending.reject(error);
    }
    return pending.promise;
  }

  /** Ends the thread, which first releases its packets in order; without that, if it does not answer. */
  async stop(): Promise<void> {
    // Not `terminate`: the thread must release its packets first. It may end before its answer is read.
    const answered = this.command({ kind: 'stop' }).catch(() => {});
    await this.#orSilence(answered);
    await this.#exited;
    this.#port.close();
    close(this.#wakeFd);
  }

  /** Until this is fulfilled, or the thread has said nothing for so long that it must be ended. */
  async #orSilence(answered: Promise<void>): Promise<void> {
    this.#silentChecks = 0;
    const checking = setInterval(() => {
      // In checks, not in time: where this thread was busy, answers may be waiting.
      if (++this.#silentChecks >= SILENT_CHECKS) void this.#worker.terminate();
    }, CHECK_MS);
    await Promise.race([answered, this.#exited]);
    clearInterval(checking);
  }

  #answer({ request, error }: Extract<FromWorker, { kind: 'done' }>): void {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    if (!error) {
      pending?.resolve();
      return;
    }
    const { code, message } = error;
    pending?.reject(new NetfoldError({ code, blame: 'machine', message: `delay line: ${message}` }));
  }

  /** To be called when the thread has ended; the first error counts. */
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
