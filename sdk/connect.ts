/** Where the API is, and what lets one in. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { AnswerOf, BodyFor } from '../proto/api/v1/routes.ts';
import { NetfoldError } from '../proto/errors.ts';
import { ApiClient } from './client.ts';
import { Lab } from './lab.ts';

export interface ConnectOptions {
  /** Default: NETFOLD_TOKEN; for a server of this machine, what root finds in its file. */
  readonly token?: string;
}

export type StartOptions = Omit<BodyFor<'startExperiment'>, 'topology'>;

export interface Connection {
  readonly client: ApiClient;
  list(): Promise<AnswerOf<'listExperiments'>>;
  /** Runs the text of a topology. `await using` ends it. Throws a `NetfoldError`, with the file's errors. */
  start(topology: string, options?: StartOptions): Promise<Lab>;
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
    start: async (topology, options = {}) => {
      const { name, warnings } = await client.call('startExperiment', { body: { ...options, topology } });
      return new Lab(client, name, { warnings, isOwn: true, ...(onStopped && { onStopped }) });
    },
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
