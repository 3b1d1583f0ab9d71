/** A process that runs for somebody who asked: its outputs and its time are bounded. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { MAX_OUTPUT_BYTES } from '../../../proto/api/v1/endpoints.ts';
import type { AnswerOf } from '../../../proto/api/v1/routes.ts';

type Executed = AnswerOf<'exec'>;

/** Between SIGTERM and SIGKILL. */
const PATIENCE_MS = 2000;

export interface Bounds {
  readonly stdin: string | undefined;
  readonly timeoutMs: number;
  /** Nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** Resolves when it has ended. It has to have pipes and a process group of its own. */
export async function toItsEnd(child: ChildProcess, { stdin, timeoutMs, signal }: Bounds): Promise<Executed> {
  child.stdin!.on('error', () => {});
  child.stdin!.end(stdin ?? '');
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    end(child);
  }, timeoutMs);
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
export function outcomeOf(child: ChildProcess): Promise<Omit<Executed, 'timedOut'>> {
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
