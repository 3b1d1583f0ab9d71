/** A command of netfold's in a process of its own: what it tells, what it prints, and how it ends. */
import { type ChildProcess, fork } from 'node:child_process';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';
import { type ErrorFacts, NetfoldError } from '../../../proto/errors.ts';
import { ControllerError } from '../../errors.ts';
import { MAIN } from '../../experiment/agents.ts';
import { type Bounds, toItsEnd } from './bounded-child.ts';
import { withoutFolders } from './scratch.ts';

const MOST_ERROR_BYTES = 65_536;
/** JSON about a thousand hosts has less. */
const MOST_OUTPUT_BYTES = 8 << 20;

type Message = { readonly up: string } | { readonly progress: string } | { readonly failed: ErrorFacts };

/** What it is doing, as one line. */
export type Tell = (progress: string) => void;

/** Without what chooses another server or experiment. A session of its own: it goes on when the server ends. */
function begin(
  words: readonly string[],
  stdout: 'ignore' | 'pipe',
  stdin: 'ignore' | 'pipe' = 'ignore',
  { folder = '/', flags = [] }: Where = {},
): ChildProcess {
  const { NETFOLD_API: _, NETFOLD_TOKEN: __, NETFOLD_NAME: ___, ...env } = process.env;
  const execArgv = [...process.execArgv, ...flags];
  const stdio = [stdin, stdout, 'pipe', 'ipc'] as const;
  return fork(MAIN, words, { env, execArgv, cwd: folder, detached: true, stdio: [...stdio] });
}

export interface Where {
  /** In which it runs. */
  readonly folder?: string;
  /** Of Node. */
  readonly flags?: readonly string[];
}

/** The last bytes that it writes. */
function lastOf(stream: NodeJS.ReadableStream, most: number): () => string {
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    text = `${text}${bytes}`.slice(-most);
  });
  return () => text;
}

function errorOf({ message, remedy, ...facts }: ErrorFacts): NetfoldError {
  const more = remedy === undefined ? {} : { remedy: withoutFolders(remedy) };
  return new NetfoldError({ ...facts, message: withoutFolders(message), ...more });
}

const endOf = (said: string): string => said.trim().split('\n').slice(-3).join('; ') || 'without a word';

/** Resolves with the name of the experiment when its daemon says that it is up. Throws what the daemon says. */
export async function daemonUp(words: readonly string[], tell: Tell): Promise<string> {
  const child = begin(words, 'ignore');
  const said = lastOf(child.stderr!, MOST_ERROR_BYTES);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.on('message', (message: Message) => {
    if ('progress' in message) tell(message.progress);
    if ('up' in message) resolve(message.up);
    if ('failed' in message) reject(errorOf(message.failed));
  });
  child.on('error', reject);
  child.on('exit', () =>
    reject(
      new ControllerError(
        'START_FAILED',
        `it ended while it started: ${endOf(said())}`,
        'see netfold doctor',
      ),
    ),
  );
  try {
    return await promise;
  } finally {
    letGo(child);
  }
}

/** It goes on, and nobody waits for it. */
function letGo(child: ChildProcess): void {
  child.removeAllListeners('message');
  if (child.connected) child.disconnect();
  child.stderr?.destroy();
  child.unref();
}

export interface Ended {
  readonly out: string;
  /** `undefined`: it has done what it was to do. */
  readonly error: NetfoldError | undefined;
}

/** Runs it to its end. */
export async function commandEnd(words: readonly string[], tell: Tell): Promise<Ended> {
  const child = begin(words, 'pipe');
  const said = lastOf(child.stderr!, MOST_ERROR_BYTES);
  const out = lastOf(child.stdout!, MOST_OUTPUT_BYTES);
  let failed: ErrorFacts | undefined;
  child.on('message', (message: Message) => {
    if ('progress' in message) tell(message.progress);
    if ('failed' in message) failed = message.failed;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code === 0) return { out: withoutFolders(out()), error: undefined };
  const error = failed
    ? errorOf(failed)
    : new ControllerError(
        'START_FAILED',
        `netfold ${words[0]} ended: ${endOf(said())}`,
        'see netfold doctor',
      );
  return { out: withoutFolders(out()), error };
}

export interface Asked {
  readonly ended: AnswerOf<'exec'>;
  /** What netfold itself says that is wrong; not that a command which it runs has failed. */
  readonly error: NetfoldError | undefined;
}

/** Runs it for its outputs and its exit code, within bounds. */
export async function commandOutcome(
  words: readonly string[],
  bounds: Bounds,
  where?: Where,
): Promise<Asked> {
  const child = begin(words, 'pipe', 'pipe', where);
  let failed: ErrorFacts | undefined;
  child.on('message', (message: Message) => {
    if ('failed' in message) failed = message.failed;
  });
  const ended = await toItsEnd(child, bounds);
  return { ended, error: failed && !ended.timedOut ? errorOf(failed) : undefined };
}
