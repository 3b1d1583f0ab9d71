/**
 * Which process is the agent of a host: recorded when it is started, so that nothing else is taken for it, whatever its words are.
 * Files `agents/HOST.json` beside the agents' sockets, in a folder that root alone can change.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { makeNewFolder, OPEN_FILE, OPEN_FOLDER, replaceFile } from '../../agent/files/own-files.ts';
import { kernelStartTimeOf } from '../../agent/kernel/sys/process-table.ts';

const recordSchema = z.object({
  pid: z.int().positive(),
  /** In clock ticks since boot: a number may be given to another process. */
  startTime: z.number(),
  /** Real, effective, saved and that of the file system. */
  users: z.array(z.int()).readonly(),
  /** Its executable. Whoever is not root can't read that of others, and has none here. */
  program: z.string().optional(),
});

export type AgentRecord = z.infer<typeof recordSchema>;

/**
 * Records the process that serves this socket, or is about to; nothing if it has ended. Throws system errors: `ENOENT` without the
 * folder of the socket, as when its experiment was removed.
 */
export function recordAgent(socket: string, pid: number): void {
  const record = identityOf(pid);
  if (!record) return;
  try {
    makeNewFolder(recordFolder(dirname(socket)), OPEN_FOLDER);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  replaceFile(recordFile(socket), JSON.stringify(record), { mode: OPEN_FILE });
}

/** Ids of the recorded agents that run; `undefined` where none was ever recorded. `folder`: that of the agents' sockets. */
export function recordedAgents(folder: string): number[] | undefined {
  let files: string[];
  try {
    files = readdirSync(recordFolder(folder));
  } catch {
    return undefined;
  }
  return files
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => readRecord(join(recordFolder(folder), file))?.pid ?? []);
}

/** The id of the recorded agent that serves this socket, if it runs. */
export function recordedAgentAt(socket: string): number | undefined {
  return readRecord(recordFile(socket))?.pid;
}

/** Whether agents were recorded beside this socket: then others are none. */
export const hasRecords = (socket: string): boolean => recordedAgents(dirname(socket)) !== undefined;

const recordFolder = (folder: string): string => join(folder, 'agents');
const recordFile = (socket: string): string =>
  join(recordFolder(dirname(socket)), `${basename(socket, '.sock')}.json`);

/** The record, if the process that it names still runs. */
function readRecord(file: string): AgentRecord | undefined {
  try {
    const record = recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return isSame(record, identityOf(record.pid)) ? record : undefined;
  } catch {
    return undefined;
  }
}

function isSame(recorded: AgentRecord, found: AgentRecord | undefined): boolean {
  // In another time namespace, it is off by one tick at the most; numbers are not given again that soon.
  if (!found || Math.abs(found.startTime - recorded.startTime) > 1) return false;
  if (found.users.some((user, index) => user !== recorded.users[index])) return false;
  return [recorded.program, undefined].includes(found.program);
}

/** `undefined` for a process that has ended. */
function identityOf(pid: number): AgentRecord | undefined {
  const startTime = kernelStartTimeOf(pid);
  if (startTime === undefined) return undefined;
  try {
    const users = /^Uid:\s+(.*)$/m
      .exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!
      .split(/\s+/)
      .map(Number);
    const program = programOf(pid);
    return { pid, startTime, users, ...(program !== undefined && { program }) };
  } catch {
    return undefined;
  }
}

function programOf(pid: number): string | undefined {
  try {
    // An upgrade replaces the file of a running agent.
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  } catch (error) {
    if (['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
