/**
 * A DNS server on the loopback of each endpoint, for resolvers that skip /etc/hosts, and for names that nobody has: these
 * fail at once instead of being asked of the machine's own resolvers, which endpoints do not reach. All of a host are in one
 * thread. That names don't resolve is told, and ends nothing.
 */
import { Worker } from 'node:worker_threads';
import type { LocalEndpoint } from '../../proto/bootstrap.ts';
import type { FromNames, NamesStart, ToNames } from './messages.ts';

/** Queries are garbage at once; by default a thread lets much more of it gather. */
const YOUNG_MB = 4;

export class NameServers {
  readonly #worker: Worker;
  readonly #pending = new Map<number, () => void>();
  #requests = 0;
  #ended = false;

  /** `onProblem`: where names don't resolve, and why. */
  constructor(start: NamesStart, onProblem: (problem: string) => void) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('error', ({ message }: Error) => onProblem(`names don't resolve by DNS: ${message}`));
    this.#worker.on('exit', () => {
      this.#ended = true;
      for (const resolve of this.#pending.values()) resolve();
      this.#pending.clear();
    });
    this.#worker.on('message', (message: FromNames) => {
      if (message.kind === 'problem') onProblem(message.text);
      else this.#answered(message.request);
    });
  }

  /** Resolves when all of them answer, or have told why they can't. One with the same number is replaced. */
  attach(places: readonly Pick<LocalEndpoint, 'number' | 'name' | 'namespace'>[]): Promise<void> {
    const told = places.map(({ number, name, namespace }) => ({ number, name, namespace }));
    return this.#command({ kind: 'attach', places: told, request: ++this.#requests });
  }

  detach(number: number): Promise<void> {
    return this.#command({ kind: 'detach', number, request: ++this.#requests });
  }

  /** Ends the thread, and its sockets with it. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #command(message: ToNames): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.#pending.set(message.request, resolve);
      this.#worker.postMessage(message);
    });
  }

  #answered(request: number): void {
    this.#pending.get(request)?.();
    this.#pending.delete(request);
  }
}
