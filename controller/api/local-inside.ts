/** The inside of this machine's endpoints: outputs as `netfold logs` reads them, commands as `netfold exec` runs them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { MAX_LOG_BYTES, MAX_OUTPUT_BYTES } from '../../proto/api/v1/endpoints.ts';
import { fromSeconds, micros, parseDuration, toMillis } from '../../proto/units.ts';
import { MAIN } from '../experiment/agents.ts';
import { LogReader } from '../logs/log-reader.ts';
import { logFile } from '../names.ts';
import { openPlatform } from '../platform/registry.ts';
import { ApiError } from './errors.ts';
import { openLocalTerminal } from './local-terminal.ts';
import type { ExecRequest, Executed, Inside, Logs } from './ports.ts';

/** Commands that run at once; each is a process of netfold's and one of the endpoint's. */
const MOST_AT_ONCE = 32;
const LONGEST = micros(fromSeconds(10 * 60));
/** Between SIGTERM and SIGKILL. */
const PATIENCE_MS = 2000;

export function localInside(): Inside {
  let running = 0;
  return {
    logs: async ({ name, platform }, endpoint, query) => {
      const { contained } = await openPlatform(platform);
      const words = await contained?.logs(endpoint, { follow: false, tail: query.tail });
      if (!words) return readLog(logFile(name, endpoint.name), endpoint.name, query);
      const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
      const { stdout, stderr } = await outcomeOf(child);
      return { endpoint: endpoint.name, text: stdout + stderr, next: null };
    },
    exec: async ({ name }, endpoint, request, signal) => {
      if (running >= MOST_AT_ONCE)
        throw new ApiError(
          'TOO_MUCH_AT_ONCE',
          `${MOST_AT_ONCE} commands run in endpoints already`,
          'wait for one of them to end',
        );
      running++;
      try {
        return await exec(name, endpoint.name, request, signal);
      } finally {
        running--;
      }
    },
    terminal: ({ name }, endpoint, size, ears) => openLocalTerminal(name, endpoint.name, size, ears),
  };
}

interface LogPlan {
  readonly tail: number;
  readonly from?: number | undefined;
}

export function readLog(path: string, endpoint: string, { tail, from }: LogPlan): Logs {
  const reader = new LogReader(path, { ...(from === undefined ? { tail } : { from }), once: true });
  try {
    const pieces: Buffer[] = [];
    let size = 0;
    for (let bytes = reader.read(); bytes.length > 0; bytes = reader.read()) {
      pieces.push(bytes);
      size += bytes.length;
      if (size >= MAX_LOG_BYTES) break;
    }
    const all = Buffer.concat(pieces);
    const whole = wholeCharacters(all);
    return { endpoint, text: all.toString('utf8', 0, whole), next: reader.position - (all.length - whole) };
  } finally {
    reader.close();
  }
}

/** How many of the bytes end with a whole character; the rest of the last one may follow. */
export function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

async function exec(
  experiment: string,
  node: string,
  { command, stdin, timeout, user, privileged }: ExecRequest,
  signal: AbortSignal,
): Promise<Executed> {
  const longest = parseDuration(timeout);
  if (longest > LONGEST)
    throw new ApiError(
      'REQUEST_MALFORMED',
      `body.timeout: ${timeout} is longer than 10m`,
      'run it by a command `run`',
    );
  const options = [...(user === undefined ? [] : ['--user', user]), ...(privileged ? ['--privileged'] : [])];
  const words = [MAIN, 'exec', ...options, '--name', experiment, node, '--', ...command];
  const { NETFOLD_API: _, NETFOLD_TOKEN: __, ...env } = process.env;
  const child = spawn(process.execPath, [...process.execArgv, ...words], {
    env: { ...env, NO_COLOR: '1' },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin!.on('error', () => {});
  child.stdin!.end(stdin ?? '');
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    end(child);
  }, toMillis(longest));
  const abort = (): void => end(child);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return { ...(await outcomeOf(child)), timedOut };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** `netfold exec` passes signals on; what is left of its group then, or takes no notice, is killed. */
function end(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const kill = (): void => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nothing is left.
    }
  };
  const late = setTimeout(kill, PATIENCE_MS);
  child.once('exit', () => {
    clearTimeout(late);
    kill();
  });
  child.kill('SIGTERM');
}

/** What a command leaves behind may keep its outputs open. */
const CLOSING_MS = 1000;

/** Resolves when it has ended and its outputs are closed, or soon afterwards; they are kept to a bound. */
function outcomeOf(child: ChildProcess): Promise<Omit<Executed, 'timedOut'>> {
  const outputs = [new Output(), new Output()] as const;
  child.stdout!.on('data', (bytes: Buffer) => outputs[0].push(bytes));
  child.stderr!.on('data', (bytes: Buffer) => outputs[1].push(bytes));
  return new Promise((resolve, reject) => {
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      child.stdout!.destroy();
      child.stderr!.destroy();
      resolve({
        code: code ?? 128 + constants.signals[signal!],
        stdout: outputs[0].text,
        stderr: outputs[1].text,
        truncated: outputs.some(({ isCut }) => isCut),
      });
    };
    child.on('error', reject);
    child.on('exit', (code, signal) => setTimeout(finish, CLOSING_MS, code, signal).unref());
    child.on('close', finish);
  });
}

class Output {
  readonly #pieces: Buffer[] = [];
  #size = 0;
  isCut = false;

  push(bytes: Buffer): void {
    const kept = bytes.subarray(0, MAX_OUTPUT_BYTES - this.#size);
    this.isCut ||= kept.length < bytes.length;
    if (kept.length > 0) this.#pieces.push(kept);
    this.#size += kept.length;
  }

  get text(): string {
    return Buffer.concat(this.#pieces).toString();
  }
}
