/**
 * Services of this machine: what `netfold service` keeps of each, apart from /run, which is empty after a boot. Folders
 * /var/lib/netfold/services/NAME, for root alone:
 *
 *     service.json   the words of `netfold agent`
 *     mesh-key …     copies of the files that they name
 *     identity/      of the agent, the same after each start
 *     peers.json     addresses of all agents that it has known
 *     ended          since when the experiment has ended on all hosts
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { makeFolder, PRIVATE_FILE, PRIVATE_FOLDER, replaceFile } from '../../agent/files/own-files.ts';
import { ControllerError } from '../errors.ts';

const SERVICES_FOLDER = '/var/lib/netfold/services';

/** Options of `netfold agent` whose files are copied: a service may read no home folder. */
const FILE_OPTIONS = ['--mesh-key', '--allow', '--commanders'] as const;

const serviceSchema = z.strictObject({
  /** Of `netfold agent`, with copies of files instead of the user's. */
  words: z.array(z.string()),
});
export type Service = z.infer<typeof serviceSchema>;

const peersSchema = z.array(z.string());
/** Of more, those that were seen last stay. */
export const MOST_PEERS = 64;

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$/;

export const serviceFolder = (name: string, root = SERVICES_FOLDER): string => join(root, name);
export const identityOf = (folder: string): string => join(folder, 'identity');

/** Throws `SERVICE_NAME`: it becomes part of the name of a unit, and of a folder. */
export function requireServiceName(name: string): void {
  if (NAME.test(name)) return;
  throw new ControllerError(
    'SERVICE_NAME',
    `"${name}" can't be the name of a service`,
    'use letters, digits, - and _, at most 48',
  );
}

/** `--x=y` as two words. */
const apart = (words: readonly string[]): string[] =>
  words.flatMap((word) => /^(--[a-z-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word]);

/** Keeps the service with all that it needs. One of this name is replaced; its identity and peers stay. Throws `FILE_UNREADABLE`. */
export function keepService(folder: string, words: readonly string[]): void {
  makeFolder(folder, PRIVATE_FOLDER);
  const kept = apart(words).map((word, index, all) => {
    const option = FILE_OPTIONS.find((one) => one === all[index - 1]);
    if (option !== undefined) return copyInto(folder, option, word);
    return all[index - 1] === '--identity' ? resolve(word) : word;
  });
  replaceFile(join(folder, 'service.json'), JSON.stringify({ words: kept }), { mode: PRIVATE_FILE });
}

function copyInto(folder: string, option: string, file: string): string {
  const copy = join(folder, option.slice(2));
  if (resolve(file) === copy) return copy;
  try {
    replaceFile(copy, readFileSync(file, 'utf8'), { mode: PRIVATE_FILE });
  } catch (cause) {
    throw new ControllerError('FILE_UNREADABLE', `${file}: ${(cause as Error).message}`, undefined, cause);
  }
  return copy;
}

/** Throws `SERVICE_UNKNOWN`. */
export function readService(folder: string): Service {
  try {
    return serviceSchema.parse(JSON.parse(readFileSync(join(folder, 'service.json'), 'utf8')));
  } catch (cause) {
    throw new ControllerError(
      'SERVICE_UNKNOWN',
      `${join(folder, 'service.json')} is not there, or damaged`,
      'see `netfold service status`, or make it with `netfold service install`',
      cause,
    );
  }
}

export function serviceNames(root = SERVICES_FOLDER): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((name) => existsSync(join(root, name, 'service.json')))
    .sort();
}

/** Addresses of agents, those that were seen last first. Empty where nothing can be read: they are a second way only. */
export function readPeers(folder: string): string[] {
  try {
    return peersSchema.parse(JSON.parse(readFileSync(join(folder, 'peers.json'), 'utf8')));
  } catch {
    return [];
  }
}

/** Adds those that are seen now. Throws system errors. */
export function keepPeers(folder: string, seen: readonly string[]): void {
  const before = readPeers(folder);
  const after = [...new Set([...seen, ...before])].slice(0, MOST_PEERS);
  const isNews = after.length !== before.length || after.some((peer) => !before.includes(peer));
  if (isNews) replaceFile(join(folder, 'peers.json'), JSON.stringify(after), { mode: PRIVATE_FILE });
}

const endedFile = (folder: string): string => join(folder, 'ended');

/** When the experiment ended on all hosts (ISO 8601); `undefined`: it has not. */
export function endedAt(folder: string): string | undefined {
  return existsSync(endedFile(folder)) ? readFileSync(endedFile(folder), 'utf8') : undefined;
}

export const keepEnd = (folder: string, at: Date): void =>
  replaceFile(endedFile(folder), at.toISOString(), { mode: PRIVATE_FILE });
