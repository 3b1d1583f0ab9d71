/** Applications that don't exist: records what would have been done to them, one line each. */

import type { RunCommand } from '../../../agent/endpoints/command-words.ts';
import type { CommandEnd, CommandRun, ProcessPort } from '../../../agent/endpoints/processes.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';

export class FakeProcesses implements ProcessPort {
  readonly done: string[] = [];
  /** What ends takes until this is fulfilled. */
  dying: Promise<void> = Promise.resolve();
  readonly #running = new Map<string, string>();

  /** Endpoint → who waits for the end of its last command. */
  readonly #waiting = new Map<string, ((end: CommandEnd) => void)[]>();
  /** What `adopt` gives. */
  earlier: ReadonlyMap<string, readonly CommandRun[]> = new Map();
  /** What `start` throws, if anything. */
  refusal: Error | undefined;

  start({ endpoint: { name }, command }: RunCommand): CommandRun {
    this.done.push(`start ${name}: ${command}`);
    if (this.refusal) throw this.refusal;
    this.#running.set(name, command);
    const waiting: ((end: CommandEnd) => void)[] = [];
    this.#waiting.set(name, waiting);
    return {
      pid: 1,
      startTime: 1,
      signal: (signal) => void this.done.push(`${signal} rest of ${name}`),
      onEnd: (listener) => void waiting.push(listener),
    };
  }

  /** The command that was started last ends by itself. */
  exit(name: string, code: number): void {
    this.#running.delete(name);
    const end = { how: `exited with ${code}`, isFailure: code !== 0 };
    for (const listener of this.#waiting.get(name) ?? []) listener(end);
  }

  adopt(): ReadonlyMap<string, readonly CommandRun[]> {
    return this.earlier;
  }

  status(): Record<string, string> {
    return Object.fromEntries(Array.from(this.#running.keys(), (name) => [name, 'pid 1']));
  }

  signal(name: string, signal: NodeJS.Signals): void {
    if (!this.#running.has(name)) return;
    this.done.push(`${signal} ${name}`);
    if (signal === 'SIGKILL') this.#running.delete(name);
  }

  async kill({ name }: Pick<LocalEndpoint, 'name'>): Promise<string | undefined> {
    this.signal(name, 'SIGKILL');
    await this.dying;
    return undefined;
  }

  async end({ name }: Pick<LocalEndpoint, 'name'>): Promise<string | undefined> {
    if (this.#running.delete(name)) this.done.push(`end ${name}`);
    await this.dying;
    return undefined;
  }

  async stop(): Promise<void> {
    for (const name of [...this.#running.keys()])
      if (this.#running.delete(name)) this.done.push(`end ${name}`);
  }
}
