/** Starts an experiment as `netfold up --detach` does: a daemon of its own, which goes on when the server ends. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ErrorFacts, NetfoldError } from '../../proto/errors.ts';
import { loadTopology } from '../../topology/load.ts';
import { formatDiagnostic } from '../../topology/model/diagnostics.ts';
import { MAIN } from '../experiment/agents.ts';
import { ApiError } from './errors.ts';
import type { Started, StartRequest } from './ports.ts';

/** More warnings than that nobody reads. */
const MOST_WARNINGS = 100;
const MOST_ERROR_BYTES = 65_536;

/** `tell`: what it is doing. Throws `TopologyError` before anything is started; afterwards what the daemon says. */
export async function startDaemon(
  request: StartRequest,
  tell: (progress: string) => void = () => {},
): Promise<Started> {
  const { topology: text, file, script } = request;
  const events = script === undefined ? undefined : { file: 'script', text: script };
  // Nothing is read for a file that names others: they would be this machine's.
  const extras = request.set ? { set: new Map(Object.entries(request.set)) } : {};
  const { warnings } = loadTopology(text, file, events, undefined, extras);
  // Node makes it for its owner alone.
  const folder = mkdtempSync(join(tmpdir(), 'netfold-start-'));
  try {
    writeFileSync(join(folder, file), text);
    const name = await upWith(argumentsOf(request, folder), tell);
    return { name, warnings: warnings.slice(0, MOST_WARNINGS).map(formatDiagnostic) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function argumentsOf(
  { file, script, set, name, hosts, delayBackend, duration }: StartRequest,
  folder: string,
): string[] {
  const words = ['controller', join(folder, file), '--file-name', file];
  words.push('--hosts', `${hosts}`);
  // Unless it is chosen, the server's own environment decides.
  if (delayBackend !== 'auto') words.push('--delay-backend', delayBackend);
  for (const [variable, value] of Object.entries(set ?? {})) words.push('--set', `${variable}=${value}`);
  if (name !== undefined) words.push('--name', name);
  if (duration !== undefined) words.push('--duration', duration);
  if (script !== undefined) {
    mkdirSync(join(folder, 'script'));
    const path = join(folder, 'script', 'events');
    writeFileSync(path, script);
    words.push('--events', path);
  }
  return words;
}

type Message = { readonly up: string } | { readonly progress: string } | { readonly failed: ErrorFacts };

async function upWith(words: readonly string[], tell: (progress: string) => void): Promise<string> {
  const { NETFOLD_API: _, NETFOLD_TOKEN: __, NETFOLD_NAME: ___, ...env } = process.env;
  const child = fork(MAIN, words, {
    env,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr!.on('data', (bytes: Buffer) => {
    said = `${said}${bytes}`.slice(-MOST_ERROR_BYTES);
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.on('message', (message: Message) => {
    if ('progress' in message) tell(message.progress);
    if ('up' in message) resolve(message.up);
    if ('failed' in message) reject(new NetfoldError(message.failed));
  });
  child.on('error', reject);
  child.on('exit', () =>
    reject(new ApiError('START_FAILED', `it ended while it started: ${lastOf(said)}`, 'see netfold doctor')),
  );
  try {
    return await promise;
  } finally {
    letGo(child);
  }
}

const lastOf = (said: string): string => said.trim().split('\n').slice(-3).join('; ') || 'without a word';

/** It goes on, and nobody waits for it. */
function letGo(child: ChildProcess): void {
  child.removeAllListeners('message');
  if (child.connected) child.disconnect();
  child.stderr?.destroy();
  child.unref();
}
