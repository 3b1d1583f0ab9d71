/**
 * Keeps what other programs had installed on interfaces that netfold has taken over, one file per interface, until it has
 * been restored. The files outlive a killed agent, and contain all that is needed to give the interface back.
 */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { NetfoldError } from '../../../proto/errors.ts';
import { draftOf, makeFolder, PRIVATE_FILE, PRIVATE_FOLDER, replaceFile } from '../../files/own-files.ts';
import { qdiscTreeSchema } from '../trees/model.ts';

/**
 * Not inside /run/netfold, which `netfold down` removes. Like the kernel's state, it does not survive a restart of the
 * machine.
 */
export const JOURNAL_FOLDER = '/run/netfold-journal';
const VERSION = 1;

/** The identity of an interface. Numbers of namespaces are reused; `cookie` and `bootId` distinguish their users. */
const identitySchema = z.strictObject({
  /** Device and inode of the namespace's file in the kernel's own file system (nsfs). */
  namespaceDevice: z.int(),
  namespaceInode: z.int(),
  namespaceCookie: z.string(),
  bootId: z.string(),
  ifindex: z.int().positive(),
});

const entrySchema = z.strictObject({
  version: z.literal(VERSION),
  identity: identitySchema,
  ifname: z.string(),
  /** The path of the namespace at the time of the take-over. */
  namespacePath: z.string(),
  /** ISO 8601 */
  takenAt: z.string(),
  experiment: z.string(),
  tree: qdiscTreeSchema,
});

export type InterfaceIdentity = z.infer<typeof identitySchema>;
export type JournalEntry = z.infer<typeof entrySchema>;

export type JournalErrorCode = 'JOURNAL_UNREADABLE' | 'JOURNAL_CONFLICT';

export class JournalError extends NetfoldError {
  declare readonly code: JournalErrorCode;
  readonly path: string;

  constructor(facts: {
    code: JournalErrorCode;
    path: string;
    message: string;
    remedy: string;
    cause?: unknown;
  }) {
    super({ ...facts, blame: 'machine' });
    this.path = facts.path;
  }
}

/** One file of the journal: its entry, or why it can't be read. */
export type JournalFile =
  | { readonly path: string; readonly entry: JournalEntry }
  | { readonly path: string; readonly error: JournalError };

export class Journal {
  readonly folder: string;

  constructor(folder = JOURNAL_FOLDER) {
    this.folder = folder;
  }

  pathOf({ namespaceDevice, namespaceInode, ifindex }: InterfaceIdentity): string {
    return join(this.folder, `${namespaceDevice}-${namespaceInode}-${ifindex}.json`);
  }

  /** The entry of exactly this interface, not of an earlier one with the same numbers. */
  find(identity: InterfaceIdentity): JournalEntry | undefined {
    const path = this.pathOf(identity);
    if (!existsSync(path)) return undefined;
    const entry = readEntry(path);
    return isDeepStrictEqual(entry.identity, identity) ? entry : undefined;
  }

  /**
   * Writes the entry completely or not at all. An existing entry of the interface stays: it describes the state before
   * netfold.
   *
   * @throws {JournalError} `JOURNAL_CONFLICT` where the existing entry has another tree.
   */
  write(entry: Omit<JournalEntry, 'version'>): void {
    const path = this.pathOf(entry.identity);
    const existing = this.find(entry.identity);
    if (existing) {
      if (isDeepStrictEqual(existing.tree, entry.tree)) return;
      throw this.conflict(existing);
    }
    makeFolder(this.folder, PRIVATE_FOLDER);
    this.#removeUnfinished();
    writeWhole(path, `${JSON.stringify({ ...entry, version: VERSION }, undefined, 1)}\n`);
  }

  /** Removes the interface's entry, if there is one. */
  remove(identity: InterfaceIdentity): void {
    if (this.find(identity)) this.removeFile(this.pathOf(identity));
  }

  /** Removes one of the files of `list`. */
  removeFile(path: string): void {
    rmSync(path, { force: true });
    if (existsSync(this.folder)) syncFolder(this.folder);
  }

  /** All files, sorted by name. */
  list(): JournalFile[] {
    return this.#fileNames()
      .filter((name) => name.endsWith('.json'))
      .map((name): JournalFile => {
        const path = join(this.folder, name);
        try {
          return { path, entry: readEntry(path) };
        } catch (error) {
          if (error instanceof JournalError) return { path, error };
          throw error;
        }
      });
  }

  conflict({ identity, ifname, takenAt, experiment }: JournalEntry): JournalError {
    const path = this.pathOf(identity);
    return new JournalError({
      code: 'JOURNAL_CONFLICT',
      path,
      message: `${ifname} has another root qdisc than the one that experiment "${experiment}" took away at ${takenAt} and never put back`,
      remedy: `decide which one counts: remove ${path} to keep what is there now, or remove what is there now (tc qdisc del dev ${ifname} root) and run \`netfold cleanup\` to get the earlier one`,
    });
  }

  #fileNames(): string[] {
    return existsSync(this.folder) ? readdirSync(this.folder).sort() : [];
  }

  /** Incomplete files of agents that were killed while they wrote. */
  #removeUnfinished(): void {
    for (const name of this.#fileNames())
      if (UNFINISHED.some((ending) => name.endsWith(ending)))
        rmSync(join(this.folder, name), { force: true });
  }
}

/** The second one is of earlier versions. */
const UNFINISHED = [draftOf(''), '.unfinished'];

function writeWhole(path: string, text: string): void {
  replaceFile(path, text, { mode: PRIVATE_FILE, isLasting: true });
  syncFolder(dirname(path));
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function readEntry(path: string): JournalEntry {
  try {
    return entrySchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new JournalError({
      code: 'JOURNAL_UNREADABLE',
      path,
      message: `${path} can't be read: ${reason.replaceAll('\n', ' ')}`,
      remedy:
        'it says what was on an interface before netfold came: read it, put that back by hand, then remove the file',
      cause,
    });
  }
}
