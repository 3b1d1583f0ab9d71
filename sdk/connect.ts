/** Where the API is, and what lets one in. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { AnswerOf, BodyFor, ParamsOf } from '../proto/api/v1/routes.ts';
import { NetfoldError } from '../proto/errors.ts';
import { ApiClient } from './client.ts';
import { Injection } from './injection.ts';
import { Lab } from './lab.ts';

export interface ConnectOptions {
  /** Default: NETFOLD_TOKEN; for a server of this machine, what root finds in its file. */
  readonly token?: string;
}

export type StartOptions = Omit<BodyFor<'startExperiment'>, 'topology' | 'inject'>;
/** The hosts and how they are taken, beside what the topology needs. */
export type InjectOptions = NonNullable<BodyFor<'startExperiment'>['inject']> &
  Pick<StartOptions, 'file' | 'script' | 'set' | 'name'>;

export interface Connection {
  readonly client: ApiClient;
  list(): Promise<AnswerOf<'listExperiments'>>;
  /** A command about files, such as `check`, `paths` or `convert`: `words` as at the command line, with the files that they name. */
  tool(
    name: ParamsOf<'runTool'>['tool'],
    words: readonly string[],
    files?: Readonly<Record<string, string>>,
  ): Promise<AnswerOf<'runTool'>>;
  /** Runs the text of a topology. `await using` ends it. Throws a `NetfoldError`, with the file's errors. */
  start(topology: string, options?: StartOptions): Promise<Lab>;
  /** Runs it on hosts over SSH, as the server reaches them. `await using` ends it. Throws as `start` does. */
  inject(topology: string, options: InjectOptions): Promise<Injection>;
  /** One on hosts over SSH that runs already; without `name`, the only one that they have. */
  injection(inventory: string, name?: string): Injection;
  /** One that runs already; `await using` does not end it. */
  experiment(name: string): Lab;
}

/** `url`: default NETFOLD_API. Asks nothing yet. Throws `ADDRESS_MISSING`, `ADDRESS_INVALID`. */
export function connect(url = process.env.NETFOLD_API, { token }: ConnectOptions = {}): Connection {
  if (url === undefined || url === '')
    throw new NetfoldError({
      code: 'ADDRESS_MISSING',
      blame: 'usage',
      message: 'it is not said where the API is',
      remedy: "connect('http://192.0.2.7:4647'), or the environment variable NETFOLD_API",
    });
  return connectionOf(connectClient(url, token));
}

/** Throws `ADDRESS_INVALID`. */
export function connectClient(url: string, token?: string): ApiClient {
  const { url: origin } = new ApiClient(url);
  return new ApiClient(origin, token ?? process.env.NETFOLD_TOKEN ?? localToken(new URL(origin)));
}

export function connectionOf(client: ApiClient, onStopped?: () => Promise<void>): Connection {
  return {
    client,
    list: () => client.call('listExperiments', {}),
    tool: (tool, words, files = {}) =>
      client.call('runTool', { params: { tool }, body: { words: [...words], files: { ...files } } }),
    start: async (topology, options = {}) => {
      const { name, warnings } = await client.call('startExperiment', { body: { ...options, topology } });
      return new Lab(client, name, { warnings, isOwn: true, ...(onStopped && { onStopped }) });
    },
    inject: async (topology, { file, script, set, name, ...inject }) => {
      const given = Object.fromEntries(
        Object.entries({ file, script, set, name }).filter(([, value]) => value !== undefined),
      );
      const body = { ...given, topology, inject };
      const started = await client.call('startExperiment', { body });
      return new Injection(client, inject.inventory, { name: started.name, isOwn: true, onStopped });
    },
    injection: (inventory, name) => new Injection(client, inventory, { name }),
    experiment: (name) => new Lab(client, name),
  };
}

/** Of a server on this machine, which keeps it where root alone can read it. */
export function localToken({ protocol, hostname, port }: URL): string | undefined {
  const name = hostname.replace(/^\[|\]$/g, '');
  if (name !== 'localhost' && !(isIP(name) !== 0 && /^(127\.|::1$)/.test(name))) return undefined;
  try {
    return readFileSync(
      `/run/netfold/api-${port || (protocol === 'https:' ? '443' : '80')}.token`,
      'utf8',
    ).trim();
  } catch {
    return undefined;
  }
}
