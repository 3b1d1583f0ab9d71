/** A command in the foreground: it gets the signals that this process gets, and its end is this process's. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** What ends a process unless it decides otherwise, and can be caught. */
const PASSED_ON = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGWINCH',
] as const;
/** Keys of a terminal send these to all processes in its foreground, so to the command as well. */
const KEYS: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH']);

/** Whether a terminal's keys reach this process, by /proc/PID/stat: its process group and that in the foreground. */
export function isInForeground(stat: string): boolean {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[2] === fields[5];
}

/**
 * Starts the command, and resolves with its code: its own, or 128 and the number of the signal that ended it. The command decides
 * what a signal means. Rejects if it can't be started.
 */
export async function attended(start: () => ChildProcess): Promise<number> {
  const keysReachIt = isInForeground(readFileSync('/proc/self/stat', 'utf8'));
  let child: ChildProcess | undefined;
  const passOn = (signal: NodeJS.Signals): void => {
    if (!(keysReachIt && KEYS.has(signal))) child?.kill(signal);
  };
  // Before the start: the first signal may come as soon as the command is there.
  for (const signal of PASSED_ON) process.on(signal, passOn);
  try {
    const started = start();
    child = started;
    return await new Promise<number>((resolve, reject) => {
      started.on('error', reject);
      started.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
  } finally {
    for (const signal of PASSED_ON) process.off(signal, passOn);
  }
}
