/** Applications that don't exist: records what would have been done to them, one line each. */

import type { ProcessPort, RunCommand } from '../../../agent/endpoints/processes.ts';
import type { LocalEndpoint } from '../../../proto/bootstrap.ts';

export class FakeProcesses implements ProcessPort {
  readonly done: string[] = [];
  /** What ends takes until this is fulfilled. */
  dying: Promise<void> = Promise.resolve();
  readonly #running = new Map<string, string>();

  start({ endpoint: { name }, command }: RunCommand): void {
    this.done.push(`start ${name}: ${command}`);
    this.#running.set(name, command);
  }

  adopt(): void {}

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
