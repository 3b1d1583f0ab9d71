/** An experiment on hosts over SSH, as a program uses it. The server keeps nothing of it: the inventory leads to it. */
import type { AnswerOf, BodyFor, ParamsOf } from '../proto/api/v1/routes.ts';
import { NetfoldError } from '../proto/errors.ts';
import type { ApiClient } from './client.ts';
import { requireSuccess, wordsOf } from './lab.ts';

export type InjectedHosts = AnswerOf<'askHosts'>['hosts'];

export type InjectionExecOptions = Pick<BodyFor<'hostExec'>, 'stdin' | 'timeout'> & {
  /** An exit code other than 0 is an error; default true. */
  readonly check?: boolean;
};

export interface InjectionFacts {
  readonly name: string | undefined;
  /** Whether it ends with `await using`. */
  readonly isOwn?: boolean;
  readonly onStopped?: (() => Promise<void>) | undefined;
}

export class Injection {
  readonly client: ApiClient;
  readonly inventory: string;
  readonly #facts: InjectionFacts;
  #isStopped = false;

  constructor(client: ApiClient, inventory: string, facts: InjectionFacts) {
    this.client = client;
    this.inventory = inventory;
    this.#facts = facts;
  }

  /** Of the experiment on the hosts; undefined: the only one that they have. */
  get name(): string | undefined {
    return this.#facts.name;
  }

  /** What each host can do for a topology; changes nothing. */
  check(topology: string): Promise<AnswerOf<'askHosts'>> {
    return this.#ask('check', { topology });
  }

  /** What the agents say; of hosts that do not answer, why. */
  status(): Promise<AnswerOf<'askHosts'>> {
    return this.#ask('status');
  }

  /** What agents and applications have written; of hosts or endpoints, or of all hosts. What is missing is in `errors`. */
  logs(
    of: readonly string[] = [],
    options: Pick<BodyFor<'hostLogs'>, 'tail'> = {},
  ): Promise<AnswerOf<'hostLogs'>> {
    return this.client.call('hostLogs', { body: { ...this.#which, of: [...of], ...options } });
  }

  /** Runs a command on a host, or in an endpoint, to its end; a text is read by `sh`. Throws `EXIT_CODE` unless `check: false`. */
  async exec(
    on: string,
    command: string | readonly string[],
    options: InjectionExecOptions = {},
  ): Promise<AnswerOf<'hostExec'>> {
    const { check = true, ...rest } = options;
    const words = wordsOf(command);
    const ended = await this.client.call('hostExec', {
      body: { ...this.#which, ...rest, on, command: words },
    });
    return check ? requireSuccess(ended, `${words.join(' ')} on ${on}`) : ended;
  }

  /** The real network between the hosts; installs nothing. */
  measure(): Promise<AnswerOf<'hostNetwork'>> {
    return this.client.call('hostNetwork', { body: { inventory: this.inventory } });
  }

  get #which(): Pick<BodyFor<'hostLogs'>, 'inventory' | 'name'> {
    const { inventory, name } = this;
    return { inventory, ...(name !== undefined && { name }) };
  }

  /** Ends it on all hosts. Throws `HOSTS_FAILED` if it may still run on some of them. */
  async stop(): Promise<InjectedHosts> {
    const { hosts, ok } = await this.#ask('stop');
    const failed = hosts.filter((one) => !one.ok);
    if (!ok)
      throw new NetfoldError({
        code: 'HOSTS_FAILED',
        blame: 'machine',
        message: `it may still run on ${failed.map(({ host }) => host).join(', ') || 'some hosts'}: ${failed[0]?.errors[0]?.message ?? 'why was not said'}`,
        remedy: failed[0]?.errors[0]?.remedy ?? 'stop it once more',
      });
    if (!this.#isStopped) await this.#facts.onStopped?.();
    this.#isStopped = true;
    return hosts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#facts.isOwn && !this.#isStopped) await this.stop();
  }

  #ask(
    action: ParamsOf<'askHosts'>['action'],
    more: Pick<BodyFor<'askHosts'>, 'topology'> = {},
  ): Promise<AnswerOf<'askHosts'>> {
    const body = { ...this.#which, ...more };
    return this.client.call('askHosts', { params: { action }, body });
  }
}
