/**
 * Messengers of this machine: the processes that tell absent hosts that an experiment has ended. Folders
 * /run/netfold/.messengers/XXXXXX, for root alone, each removed by its process in the end.
 * Applications do not see them (agent/endpoints/least-power.ts).
 *
 *     message.json   what is to be told; the mesh's key is in it
 *     identity/      a copy of the agent's, whose own goes with its experiment
 *     process.json   the process
 *     port-wanted    an agent that has started here wants its port
 */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makeFolder, OPEN_FOLDER, PRIVATE_FILE, PRIVATE_FOLDER, replaceFile } from '../files/own-files.ts';
import { kernelStartTimeOf } from '../kernel/sys/process-table.ts';
import { copyIdentity } from '../mesh/trust/identity-file.ts';
import { type Message, messageSchema } from './message.ts';

/** No experiment has such a name. */
export const MESSENGERS_FOLDER = '/run/netfold/.messengers';
const WANTED = 'port-wanted';

const processSchema = z.object({
  pid: z.int().positive(),
  /** As `kernelStartTimeOf` has it: a number may be given to another process. */
  startTime: z.number(),
  /** Whether it has the agent's port, or is about to take it. */
  listens: z.boolean(),
});

export interface Place {
  readonly folder: string;
  readonly message?: Message;
  /** Absent: it has not begun, or was killed. */
  readonly process?: z.infer<typeof processSchema>;
}

export type Messenger = Place & { readonly message: Message };

/** Makes the folder of a messenger. Throws system errors, and leaves nothing then. */
export function makePlace(message: Message, root = MESSENGERS_FOLDER): string {
  makeFolder(dirname(root), OPEN_FOLDER);
  makeFolder(root, PRIVATE_FOLDER);
  const folder = mkdtempSync(`${root}/`);
  try {
    const { bootstrap } = message;
    const { identity } = bootstrap.mesh;
    const own = join(folder, 'identity');
    if (identity !== undefined) copyIdentity(identity, own);
    const mesh = { ...bootstrap.mesh, ...(identity !== undefined && { identity: own }) };
    const text = JSON.stringify({ ...message, bootstrap: { ...bootstrap, mesh } });
    replaceFile(join(folder, 'message.json'), text, { mode: PRIVATE_FILE });
    return folder;
  } catch (error) {
    removePlace(folder);
    throw error;
  }
}

/** Throws where there is none, or where it is of another version. */
export const readMessage = (folder: string): Message =>
  messageSchema.parse(JSON.parse(readFileSync(join(folder, 'message.json'), 'utf8')));

/** `pid`: absent: this process. */
export function noteProcess(folder: string, listens: boolean, pid = process.pid): void {
  const text = JSON.stringify({ pid, startTime: kernelStartTimeOf(pid), listens });
  replaceFile(join(folder, 'process.json'), text, { mode: PRIVATE_FILE });
}

/** With the folders around it, where nothing else is in them. */
export function removePlace(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  try {
    for (const above of ['..', '../..']) rmdirSync(join(folder, above));
  } catch {
    // There are others.
  }
}

/** Of this machine; what can't be read is none. */
export function messengers(root = MESSENGERS_FOLDER): Messenger[] {
  return places(root).flatMap(({ message, ...place }) => (message ? [{ ...place, message }] : []));
}

/** With those of other versions of netfold, whose message can't be read. */
export function places(root = MESSENGERS_FOLDER): Place[] {
  return foldersIn(root).map((folder) => {
    const [message, found] = [messageIn(folder), processIn(folder)];
    return { folder, ...(message && { message }), ...(found && { process: found }) };
  });
}

/**
 * Asks a messenger for its port. It says that it listens before it looks whether it was asked, and whoever asks looks whether it listens
 * afterwards: so one of both sees the other. Never throws: it may have ended.
 */
export function wantPort(folder: string): void {
  try {
    writeFileSync(join(folder, WANTED), '', { mode: PRIVATE_FILE });
  } catch {
    // Its folder is gone.
  }
}

export const isPortWanted = (folder: string): boolean => existsSync(join(folder, WANTED));

function foldersIn(root: string): string[] {
  try {
    return readdirSync(root).map((name) => join(root, name));
  } catch {
    return [];
  }
}

/** `undefined` where there is none, or where it is of another version. */
function messageIn(folder: string): Message | undefined {
  try {
    return readMessage(folder);
  } catch {
    return undefined;
  }
}

/** `undefined` where it does not run. */
function processIn(folder: string): Messenger['process'] {
  try {
    const found = processSchema.parse(JSON.parse(readFileSync(join(folder, 'process.json'), 'utf8')));
    const startTime = kernelStartTimeOf(found.pid);
    // In another time namespace, it is off by one tick at the most.
    return startTime !== undefined && Math.abs(startTime - found.startTime) <= 1 ? found : undefined;
  } catch {
    return undefined;
  }
}
