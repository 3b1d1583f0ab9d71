/** A shell in an endpoint of this machine, in a pseudo-terminal, as `netfold exec NODE -- sh` has in one. */
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { openPseudoTerminal, resizeTerminal } from '../../agent/kernel/terminal/pseudo-terminal.ts';
import { MAIN } from '../experiment/agents.ts';
import { ApiError } from './errors.ts';
import type { Terminal, TerminalEars, TerminalQuery } from './ports.ts';

/** The one that people are used to, where there is one. */
const SHELL = ['sh', '-c', 'command -v bash >/dev/null 2>&1 && exec bash -i; exec sh -i'];
/** What the shell has written last may still be on its way when it has ended. */
const LAST_WORDS_MS = 200;
/** Between SIGHUP and SIGKILL. */
const PATIENCE_MS = 2000;

/** Throws `TERMINAL_FAILED`. */
export function openLocalTerminal(
  experiment: string,
  node: string,
  size: TerminalQuery,
  { output, ended }: TerminalEars,
): Terminal {
  const { master, slave } = pseudoTerminal(size);
  const words = [MAIN, 'exec', '--name', experiment, node, '--', ...SHELL];
  const { NETFOLD_API: _, NETFOLD_TOKEN: __, ...env } = process.env;
  // It leads a session, whose terminal this becomes: the keys of a terminal send their signals.
  const child = spawn('setsid', ['--ctty', process.execPath, ...process.execArgv, ...words], {
    env: { ...env, TERM: 'xterm-256color' },
    stdio: [slave, slave, slave],
  });
  closeSync(slave);
  const end = new ReadStream(master);
  let isOver = false;
  const finish = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    end.destroy();
    ended(reason);
  };
  end.on('data', output);
  // EIO: nobody has the other end open any more.
  end.on('error', () => {});
  child.on('error', (error) => finish(`the shell could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    const how = code === null ? `by ${signal}` : `with ${code}`;
    setTimeout(finish, LAST_WORDS_MS, `the shell has ended ${how}`);
  });
  return {
    write: (text) => void (isOver || end.write(text)),
    resize: (to) => {
      if (!isOver) resizeTerminal(master, to);
    },
    pause: () => void end.pause(),
    resume: () => void end.resume(),
    close: () => {
      if (isOver) return;
      // The end of the terminal is SIGHUP to whom it belongs.
      finish('it was closed');
      hangUp(child.pid);
      setTimeout(killGroup, PATIENCE_MS, child.pid).unref();
    },
  };
}

function pseudoTerminal(size: TerminalQuery): ReturnType<typeof openPseudoTerminal> {
  try {
    return openPseudoTerminal(size);
  } catch (error) {
    throw new ApiError(
      'TERMINAL_FAILED',
      `this machine gives no pseudo-terminal: ${(error as Error).message}`,
      'see whether /dev/ptmx and /dev/pts are there; `netfold exec` needs none',
      error,
    );
  }
}

const hangUp = (pid: number | undefined): void => signal(pid, 'SIGHUP');
const killGroup = (pid: number | undefined): void => signal(pid === undefined ? pid : -pid, 'SIGKILL');

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
