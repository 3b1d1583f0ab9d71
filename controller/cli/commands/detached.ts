/** Commands that go on as a daemon. */
import { fork } from 'node:child_process';
import { constants } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { SIGNALS } from '../options/with-experiment.ts';
import { type ProgressMessage, passOnProgress } from '../terminal/output.ts';

/** A message from the detached process to the one that the user started. */
export interface Report {
  /** Name of the started experiment. */
  readonly up: string;
}

/**
 * Starts the daemon with the same options, in a session of its own, and waits until the experiment is up. The daemon
 * gets no Ctrl-C of this terminal, so it is passed on.
 */
export async function detached(
  command: 'controller' | 'resume' | 'attach',
  options = process.argv.slice(3).filter((argument) => argument !== '--detach'),
): Promise<void> {
  const args = [command, ...options];
  const child = fork(process.argv[1]!, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const passOn = (stream: NodeJS.WriteStream) => (text: Buffer) => {
    passOnProgress({ progress: '' });
    stream.write(text);
  };
  child.stdout!.on('data', passOn(process.stdout));
  child.stderr!.on('data', passOn(process.stderr));
  const handOn = (signal: NodeJS.Signals): boolean => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, handOn);
  const up = await new Promise<boolean>((resolve) => {
    child.on('message', (message: Report | ProgressMessage) => {
      if ('progress' in message) passOnProgress(message);
      if ('up' in message) resolve(true);
    });
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 128 + constants.signals[signal!];
      resolve(false);
    });
  });
  await allRead();
  if (!up) return;
  for (const signal of SIGNALS) process.off(signal, handOn);
  child.disconnect();
  child.stdout!.destroy();
  child.stderr!.destroy();
  child.unref();
}

/**
 * The daemon writes what it prints before it says that it is up, or ends; its message may be read first. By then the text is in
 * the pipe, and each turn of the event loop reads what is there.
 */
async function allRead(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate();
}
