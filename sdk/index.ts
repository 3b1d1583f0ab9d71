/**
 * netfold for programs:
 *
 *     await using net = await lab('services: …');
 *     await net.command('set client--server latency=50ms');
 *     console.log(await net.measure('client.0', 'server.0'));
 *
 * docs/api.md describes it.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { connect, connectionOf, type StartOptions } from './connect.ts';
import type { Lab } from './lab.ts';
import { localServer } from './local-server.ts';

export { applyMessage, emptyState, type LiveState } from '../proto/api/v1/live-state.ts';
export type { StreamMessage } from '../proto/api/v1/stream.ts';
export { NetfoldError } from '../proto/errors.ts';
export { ApiClient } from './client.ts';
export {
  type Connection,
  type ConnectOptions,
  connect,
  type InjectOptions,
  type StartOptions,
} from './connect.ts';
export type { InjectedHosts, Injection, InjectionExecOptions } from './injection.ts';
export type { CommandOptions, ExecOptions, Lab } from './lab.ts';
export type { RoundTrips } from './round-trips.ts';

export interface LabOptions extends StartOptions {
  /** Of a server; default: NETFOLD_API, else one of this process on this machine, which needs root. */
  readonly api?: string;
  readonly token?: string;
}

/**
 * Runs a topology: its text, or the path of its file. Resolves when everything is in force; `await using` ends it. Throws a
 * `NetfoldError`, with the file's errors.
 */
export async function lab(topology: string, options: LabOptions = {}): Promise<Lab> {
  const { api = process.env.NETFOLD_API, token, ...rest } = options;
  const isText = topology.includes('\n');
  const text = isText ? topology : readFileSync(topology, 'utf8');
  const start: StartOptions = isText ? rest : { file: basename(topology), ...rest };
  if (api !== undefined && api !== '')
    return connect(api, token === undefined ? {} : { token }).start(text, start);
  const { client, release } = await localServer();
  try {
    return await connectionOf(client, release).start(text, start);
  } catch (error) {
    await release();
    throw error;
  }
}
