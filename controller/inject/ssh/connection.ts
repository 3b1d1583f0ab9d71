/**
 * One host over the user's own OpenSSH: one connection (ControlMaster), and on it a session for each script. Keys, known hosts,
 * jump hosts and everything of ~/.ssh/config are ssh's own business; nothing of it is read or copied here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { secondsToMillis } from '../../../proto/units.ts';
import { InjectError } from './errors.ts';
import {
  lastLine,
  refusalOf,
  rootRefusalOf,
  SSH_ERROR,
  type SshHost,
  silenceOf,
  sshLine,
} from './refusals.ts';
import { failureOf } from './remote-failures.ts';
import { BEGIN, FAILED, receiver, shellCommand, sshOptions, withPrelude } from './words.ts';

/** For jumps, and keys on slow tokens. A host that accepts TCP and says no more is given up after it. */
const OPEN_SECONDS = 30;
/** Of a script, unless it says more. */
const SCRIPT_SECONDS = 60;
const CLOSE_SECONDS = 2;
/** What a script may print; the status of an agent with thousands of flows has 2 MB. */
const MOST_OUTPUT = 32 * 1024 * 1024;
const MOST_WORDS = 16_384;
const READY = 'netfold-ready';
/** Not by a window either: BatchMode does not hold for the ssh that leads to a jump host (SSH_ASKPASS, ssh(1)). */
const ASKING_NOBODY = { SSH_ASKPASS_REQUIRE: 'never' } as const;

export interface RunOptions {
  /** With root's rights, by sudo where the user is another one (default). */
  readonly asRoot?: boolean;
  /** What the script reads from its input. */
  readonly input?: string | Readable;
  readonly seconds?: number;
  /** For messages, e.g. `installing`. */
  readonly doing: string;
}

export class Connection {
  readonly host: SshHost;
  readonly #master: ChildProcess;
  readonly #options: readonly string[];
  readonly #running = new Set<ChildProcess>();

  private constructor(host: SshHost, master: ChildProcess, options: readonly string[]) {
    this.host = host;
    this.#master = master;
    this.#options = options;
  }

  /**
   * Resolves when the host has accepted it. `socket`: path of a new socket in a private folder. The master's session on the host
   * ends with its input, so that none stays if this process is killed. `signal`: nobody needs it any more. Throws `InjectError`.
   */
  static async open(
    host: SshHost,
    socket: string,
    signal: AbortSignal,
    configFile?: string,
  ): Promise<Connection> {
    requireNeeded(host, signal);
    const own = sshOptions(host, configFile);
    const words = [...own, '-o', 'ControlMaster=yes', '-S', socket, '-T', '--', host.address];
    const master = spawn('ssh', [...words, `echo ${READY}; exec cat >/dev/null`], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C is for this process, which then takes back what it has begun over these connections.
      detached: true,
      env: { ...process.env, ...ASKING_NOBODY },
    });
    master.stdin.on('error', () => {});
    const output = collect(master.stdout, READY.length + MOST_WORDS);
    const said = collect(master.stderr, MOST_WORDS);
    const isReady = new Promise<boolean>((resolve, reject) => {
      master.on('error', reject);
      master.on('close', () => resolve(false));
      master.stdout.on('data', () => output().includes(READY) && resolve(true));
    });
    const end = (): void => endGroup(master);
    signal.addEventListener('abort', end);
    const ready = await within(isReady, OPEN_SECONDS, () => {
      end();
      return silenceOf(host, 'logging in', OPEN_SECONDS);
    }).finally(() => signal.removeEventListener('abort', end));
    if (!ready) {
      requireNeeded(host, signal);
      throw refusalOf(host, said());
    }
    // Of its stderr nobody reads more; an unread pipe would stop it.
    master.stderr.resume();
    return new Connection(host, master, [...own, '-o', 'ControlMaster=no', '-S', socket]);
  }

  /** What the script prints. Throws `InjectError`: what the script says with `fail`, and what kept it from its end. */
  async run(
    script: string,
    { asRoot = true, input, seconds = SCRIPT_SECONDS, doing }: RunOptions,
  ): Promise<string> {
    const text = withPrelude(script);
    const command = receiver(Buffer.byteLength(text), asRoot);
    const child = spawn('ssh', [...this.#options, '-T', '--', this.host.address, command], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const output = collect(child.stdout, MOST_OUTPUT);
    const said = collect(child.stderr, MOST_WORDS);
    // A script that has failed reads no further; its output says why.
    child.stdin.on('error', () => {});
    child.stdin.write(text);
    if (input === undefined || typeof input === 'string') child.stdin.end(input ?? '');
    else input.on('error', () => child.kill('SIGKILL')).pipe(child.stdin);
    const ended = new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code ?? SSH_ERROR));
    });
    this.#running.add(child);
    const code = await within(ended, seconds, () => {
      child.kill('SIGKILL');
      return silenceOf(this.host, doing, seconds);
    }).finally(() => this.#running.delete(child));
    return this.#judge(code, output(), said(), doing);
  }

  #judge(code: number, output: string, said: string, doing: string): string {
    const begin = output.indexOf(`${BEGIN}\n`);
    if (begin < 0) throw rootRefusalOf(this.host, said) ?? refusalOf(this.host, said);
    const body = output.slice(begin + BEGIN.length + 1);
    const failure = new RegExp(`^${FAILED} (\\S+) ?(.*)$`, 'm').exec(body);
    if (failure) throw failureOf(this.host, failure[1]!, failure[2]!);
    if (code === 0) return body;
    if (code === SSH_ERROR) throw refusalOf(this.host, said);
    throw new InjectError(
      'HOST_CANNOT',
      `${this.host.name}: ${doing} has failed (exit code ${code}): ${lastLine(said) || lastLine(body)}`,
      `log in and look: netfold inject … exec ${this.host.name} -- sh`,
    );
  }

  /** The words of a process here that runs the command there. `terminal`: as if it was typed there. */
  words(command: readonly string[], { terminal, asRoot }: { terminal: boolean; asRoot: boolean }): string[] {
    const how = terminal ? '-t' : '-T';
    return ['ssh', ...this.#options, '-q', how, '--', this.host.address, shellCommand(command, asRoot)];
  }

  /** A script whose output comes while it runs; it has to end with its input. */
  follow(script: string): ChildProcess {
    const text = withPrelude(script);
    const command = receiver(Buffer.byteLength(text), true);
    const child = spawn('ssh', [...this.#options, '-T', '--', this.host.address, command], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    child.stdin.on('error', () => {});
    child.stdin.write(text);
    return child;
  }

  /** Resolves when its process has ended, at the latest after two seconds. What still runs over it is not waited for. */
  async close(): Promise<void> {
    // Without this connection, ssh would make one of its own for it.
    for (const child of this.#running) child.kill('SIGKILL');
    if (this.#master.exitCode !== null || this.#master.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#master.once('exit', () => resolve()));
    this.#master.stdin!.end();
    this.#master.kill('SIGTERM');
    const killing = setTimeout(() => endGroup(this.#master), secondsToMillis(CLOSE_SECONDS));
    await ended;
    clearTimeout(killing);
  }
}

function requireNeeded(host: SshHost, signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new InjectError(
    'SSH_FAILED',
    `${host.name}: it had not answered when the command ended`,
    `look at the host: ${sshLine(host)}`,
  );
}

/** With the ssh that leads to its jump host, which waits for a host that is silent as long as TCP does. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** The text that has come so far, up to its last `most` bytes. */
function collect(stream: Readable, most: number): () => string {
  let pieces: Buffer[] = [];
  let length = 0;
  stream.on('data', (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
    if (length > 2 * most) {
      pieces = [Buffer.concat(pieces).subarray(-most)];
      length = most;
    }
  });
  return () => Buffer.concat(pieces).toString();
}

/** What `late` returns is thrown after so many seconds. */
async function within<T>(promise: Promise<T>, seconds: number, late: () => Error): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), secondsToMillis(seconds));
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
