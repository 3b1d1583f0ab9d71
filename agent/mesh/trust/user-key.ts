/** Keys with which users sign commands, as files; and the list of users' keys. */
import {
  type Commander,
  isCommanderName,
  isPeerId,
  MAX_COMMANDERS,
  RIGHTS,
  type Right,
} from '../../../proto/command.ts';
import { readPrivate, writeNewPrivate } from '../../files/private-files.ts';
import { MeshError } from '../errors.ts';
import { newSigningKey, parseSigningKey, publicKeyOf, type SigningKey, signingKeyText } from './peer-id.ts';

const WHAT = "the user's key";

/** Writes a new key, mode 0600, and returns it. Throws `MeshError` (`MESH_FILE_EXISTS`), and what `writeNewPrivate` throws. */
export function makeUserKey(path: string): SigningKey {
  const key = newSigningKey();
  if (writeNewPrivate(path, signingKeyText(key))) return key;
  throw new MeshError('MESH_FILE_EXISTS', `${path} exists already`, {
    remedy: 'choose another name; commands that the old key signs would no longer count',
    blame: 'input',
  });
}

/** Throws `MeshError` (`MESH_USER_KEY`), and what `readPrivate` throws. */
export function readUserKey(path: string): SigningKey {
  const key = parseSigningKey(readPrivate(path, { what: WHAT }));
  if (key) return key;
  throw new MeshError('MESH_USER_KEY', `${path} holds no user's key`, {
    remedy: "make one with `netfold mesh user FILE`, and have its line put on the experiment's list",
    blame: 'input',
  });
}

/**
 * Users' keys as text: `KEY NAME RIGHT[,RIGHT]` a line, `#` begins a comment. Throws `MeshError` (`MESH_COMMANDERS`), which
 * names the line.
 */
export function parseCommanders(text: string, file: string): Commander[] {
  const found = text.split(/\r?\n/).flatMap((line, index) => {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    return words[0] === '' ? [] : [commanderOf(words, `${file}:${index + 1}`)];
  });
  if (found.length > MAX_COMMANDERS)
    throw wrong(`${file} has ${found.length} keys, at most ${MAX_COMMANDERS}`);
  requireDistinct(found, file);
  return found;
}

/** Others may have read permission for the file, but not write permission. Throws like `parseCommanders` and `readPrivate`. */
export function readCommanders(path: string): Commander[] {
  return parseCommanders(readPrivate(path, { what: "the list of users' keys", readable: true }), path);
}

/** Two keys of one name could not be told apart in `history`. Throws `MeshError` (`MESH_COMMANDERS`). */
export function requireDistinct(commanders: readonly Commander[], where: string): void {
  for (const field of ['peer', 'name'] as const) {
    const seen = new Set<string>();
    for (const one of commanders) {
      if (seen.has(one[field])) throw wrong(`${where} has ${one[field]} twice`);
      seen.add(one[field]);
    }
  }
}

function commanderOf([peer = '', name, rights, ...more]: readonly string[], where: string): Commander {
  if (!isPeerId(peer) || !publicKeyOf(peer)) throw wrong(`${where}: ${show(peer)} is not a key`);
  if (name === undefined || !isCommanderName(name)) throw wrong(`${where}: ${show(name)} is not a name`);
  if (name === 'agent') throw wrong(`${where}: "agent" would be taken for one`);
  const words = (rights ?? '').split(',');
  const unknown = words.find((word) => !(RIGHTS as readonly string[]).includes(word));
  if (unknown !== undefined)
    throw wrong(`${where}: ${show(unknown)} is not a right; there are ${RIGHTS.join(' and ')}`);
  if (more.length > 0) throw wrong(`${where}: ${show(more[0])} follows the rights`);
  return { peer, name, rights: [...new Set(words)] as Right[] };
}

const show = (text = ''): string => JSON.stringify(text).slice(0, 80);

const wrong = (message: string): MeshError =>
  new MeshError('MESH_COMMANDERS', message, {
    remedy: 'write a line `KEY NAME network,run` for each user; `netfold mesh user FILE` prints it',
    blame: 'input',
  });
