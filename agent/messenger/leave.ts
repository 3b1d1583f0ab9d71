/**
 * The way of an experiment's end to hosts that are away. An agent that ends on a command leaves a messenger behind, if it knows of
 * hosts that may not have that command: a process that enforces nothing, and speaks in the agent's name until all of them know.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { networkOf } from '../kernel/sys/process-table.ts';
import type { Message } from './message.ts';
import { makePlace, messengers, noteProcess, removePlace, wantPort } from './places.ts';

/** A messenger that is asked for its port has closed it by then. */
const PORT_MS = 5000;
/** One that is asked to end has left the mesh by then. */
const END_MS = 5000;
const POLL_MS = 20;

/**
 * Starts a messenger, to be called while the agent's identity is still there. It begins when this process has ended, whose port and
 * name it takes. Throws system errors.
 */
export function leaveMessenger(message: Message): void {
  const folder = makePlace(message);
  const words = [...process.execArgv, process.argv[1]!, 'messenger', folder];
  // Its input ends with this process. What it inherits otherwise would keep whoever reads this process' output waiting.
  const child = spawn(process.execPath, words, {
    ...{ cwd: '/', detached: true },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // It may be asked to end before it has begun.
  if (child.pid !== undefined) noteProcess(folder, false, child.pid);
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
}

/**
 * Ends those of this experiment in this network namespace: it is started anew here, or joined, and would meet them as hosts with its
 * own name. Never rejects.
 */
export async function replaceMessengers(experiment: string, root?: string): Promise<void> {
  const folders = foldersOf(({ bootstrap }) => bootstrap.experiment === experiment, root);
  const left = () => messengers(root).filter((one) => folders.has(one.folder) && one.process !== undefined);
  for (const one of left()) end(one.process!.pid);
  const deadline = performance.now() + END_MS;
  while (left().length > 0 && performance.now() < deadline) await sleep(POLL_MS);
  for (const { folder } of left()) folders.delete(folder);
  for (const folder of folders) removePlace(folder);
}

/** Takes the ports at which an agent is to listen from messengers in this network namespace. Never rejects. */
export async function takePorts(listen: readonly string[]): Promise<void> {
  const wanted = new Set(listen.map(portOf));
  const folders = foldersOf(({ bootstrap }) =>
    bootstrap.mesh.listen.some((address) => wanted.has(portOf(address))),
  );
  for (const folder of folders) wantPort(folder);
  const areHeld = () =>
    folders.size > 0 &&
    messengers().some(({ folder, process: one }) => folders.has(folder) && one?.listens === true);
  const deadline = performance.now() + PORT_MS;
  while (areHeld() && performance.now() < deadline) await sleep(POLL_MS);
}

/** Of those that run in this network namespace. */
function foldersOf(fits: (message: Message) => boolean, root?: string): Set<string> {
  const here = networkOf(process.pid);
  const found = messengers(root).filter(
    ({ message, process: one }) => one !== undefined && networkOf(one.pid) === here && fits(message),
  );
  return new Set(found.map(({ folder }) => folder));
}

function end(pid: number): void {
  try {
    process.kill(pid);
  } catch {
    // It has ended.
  }
}

const portOf = (address: string): string | undefined => /\/tcp\/(\d+)/.exec(address)?.[1];
