/** A service without a service manager: a process that starts the agent again, and keeps its log bounded. */
import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder, OPEN_FOLDER, openToAppend, PRIVATE_FILE } from '../../agent/files/own-files.ts';
import { EXIT_CODE } from '../../proto/errors.ts';

/** Others may be away for hours. */
const RESTART_MS = 2000;
/** One more of this size is kept. */
export const MOST_LOG_BYTES = 8 * 2 ** 20;
/** An agent writes at most ten stacks a minute (agent/daemon/unexpected.ts). */
export const LOOK_MS = 10_000;

export interface SupervisePorts {
  /** Starts the service with its output at the descriptor, and resolves with its exit code when it has ended. */
  readonly run: (output: number) => Promise<number>;
  readonly log: string;
  /** Aborts when the service is to end. */
  readonly signal: AbortSignal;
  readonly restartMs?: number;
}

/** Resolves with the exit code: when the experiment has ended, when it can't begin whatever one waits for, or on the signal. */
export async function superviseService({
  run,
  log,
  signal,
  restartMs = RESTART_MS,
}: SupervisePorts): Promise<number> {
  makeFolder(dirname(log), OPEN_FOLDER);
  for (;;) {
    rotate(log);
    const output = openToAppend(log, PRIVATE_FILE);
    const looking = setInterval(() => shorten(log), LOOK_MS);
    const code = await run(output).finally(() => {
      clearInterval(looking);
      closeSync(output);
    });
    const isFinal = code === EXIT_CODE.input || code === EXIT_CODE.usage;
    if (code === 0 || isFinal || signal.aborted) return code;
    await sleep(restartMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return 0;
  }
}

/** Each start has a log of its own only when the last one was long: a service that fails again and again writes little. */
export function rotate(log: string, most = MOST_LOG_BYTES): void {
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (size > most) renameSync(log, `${log}.1`);
}

/**
 * The same while the service writes, which goes on at the beginning of the file; what it writes in that instant may be lost. Of a disk
 * without room for both, the old one goes.
 */
export function shorten(log: string, most = MOST_LOG_BYTES): void {
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= most) return;
  try {
    copyFileSync(log, `${log}.1`);
  } catch {
    rmSync(`${log}.1`, { force: true, recursive: true });
  }
  truncateSync(log);
}

/** Runs `words` of this program as a child that gets the signal to end, too. */
export function runChild(words: readonly string[], output: number, signal: AbortSignal): Promise<number> {
  const args = [...process.execArgv, process.argv[1]!, ...words];
  const child = spawn(process.execPath, args, { stdio: ['ignore', output, output] });
  const end = (): boolean => child.kill('SIGTERM');
  signal.addEventListener('abort', end);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      signal.removeEventListener('abort', end);
      resolve(code ?? EXIT_CODE.internal);
    });
  });
}
