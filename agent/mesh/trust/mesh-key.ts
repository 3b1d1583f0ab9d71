/**
 * The key of a private mesh: without it, a peer can neither send nor read anything (libp2p's "Private Networks"
 * specification, pnet). As text it is a swarm key: `/key/swarm/psk/1.0.0/`, `/base16/` and 64 hexadecimal digits, a
 * line each.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { PRIVATE_FILE, replaceFile } from '../../files/own-files.ts';
import { readPrivate, writeNewPrivate } from '../../files/private-files.ts';
import { MeshError } from '../errors.ts';

const KEY_BYTES = 32;
const FORMAT = /^\/key\/swarm\/psk\/1\.0\.0\/\r?\n\/base16\/\r?\n([0-9a-fA-F]{64})\s*$/;
const WHAT = 'the mesh key';

/** A new key as text. */
export const generateMeshKey = (): string => meshKeyOf(randomBytes(KEY_BYTES));

export const meshKeyOf = (bytes: Buffer): string =>
  `/key/swarm/psk/1.0.0/\n/base16/\n${bytes.toString('hex')}\n`;

/** Of a key's text. */
export const bytesOfMeshKey = (text: string): Buffer => Buffer.from(FORMAT.exec(text)?.[1] ?? '', 'hex');

/** Checks a key's text. `where` is for the message, which never shows the key. Throws `MeshError` (`MESH_KEY_FORMAT`). */
export function parseMeshKey(text: string, where: string): string {
  const digits = FORMAT.exec(text)?.[1];
  if (digits !== undefined && !/^0+$/.test(digits))
    return `/key/swarm/psk/1.0.0/\n/base16/\n${digits.toLowerCase()}\n`;
  throw new MeshError('MESH_KEY_FORMAT', `${where} has no mesh key: ${describe(text, digits)}`, {
    remedy: 'make one with `netfold mesh key FILE`, and give all agents of the experiment the same',
    blame: 'input',
  });
}

/** Throws `MeshError` (`MESH_KEY_FORMAT`), and what `readPrivate` throws. */
export function readMeshKey(path: string): string {
  return parseMeshKey(readPrivate(path, { what: WHAT }), path);
}

/** Writes a new key and returns it. Throws `MeshError` (`MESH_FILE_EXISTS`), and what `writeNewPrivate` throws. */
export function makeMeshKey(path: string): string {
  const key = generateMeshKey();
  if (writeNewPrivate(path, key)) return key;
  throw new MeshError('MESH_FILE_EXISTS', `${path} exists already`, {
    remedy: 'choose another name; agents that have the old key could no longer take part',
    blame: 'input',
  });
}

/**
 * Writes another key into a file that has one of those before, completely or not at all. A file that is gone, or has got another key
 * meanwhile, is its owner's business. Throws what `readMeshKey` throws, and what `replaceFile` throws.
 */
export function replaceMeshKey(path: string, key: string, before: readonly string[]): void {
  if (!existsSync(path)) return;
  const found = readMeshKey(path);
  if (found !== key && before.includes(found))
    replaceFile(path, key, { mode: PRIVATE_FILE, isLasting: true });
}

function describe(text: string, digits: string | undefined): string {
  if (digits !== undefined) return 'its digits are all 0';
  const lines = text.trimEnd().split(/\r?\n/);
  if (lines[0] !== '/key/swarm/psk/1.0.0/') return 'the first line is not "/key/swarm/psk/1.0.0/"';
  if (lines[1] !== '/base16/') return 'the second line is not "/base16/"';
  return `the third line is not ${2 * KEY_BYTES} hexadecimal digits, or more follows`;
}
