/**
 * The token of a server: a file for each port, for root alone, in a folder that no application of a lab sees. It stays
 * when a server is killed, so that links and scripts go on with the next one.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { makeFolder, OPEN_FOLDER } from '../../../agent/files/own-files.ts';
import { readPrivate, writeNewPrivate } from '../../../agent/files/private-files.ts';
import { removeIfEmpty } from '../../machine/folders.ts';
import { RUN_FOLDER, tokenFile } from '../../names.ts';

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Of this port, or a new one. Throws `MeshError` for a file that others can read, and system errors. */
export function openToken(port: number, folder = RUN_FOLDER): string {
  makeFolder(folder, OPEN_FOLDER);
  const path = tokenFile(port, folder);
  const made = randomBytes(32).toString('base64url');
  if (writeNewPrivate(path, made)) return made;
  const kept = readToken(port, folder);
  if (kept !== undefined) return kept;
  // Whatever was there is no token.
  rmSync(path);
  return openToken(port, folder);
}

/** `undefined` if the file holds none. Throws `MeshError` if it can't be read, or others could read it as well. */
function readToken(port: number, folder = RUN_FOLDER): string | undefined {
  const text = readPrivate(tokenFile(port, folder), { what: 'the token' }).trim();
  return TOKEN.test(text) ? text : undefined;
}

export function removeToken(port: number, folder = RUN_FOLDER): void {
  rmSync(tokenFile(port, folder), { force: true });
  removeIfEmpty(folder);
}
