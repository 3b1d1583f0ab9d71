/**
 * The identity of an agent on the mesh: an Ed25519 key that stays the same over restarts. Its public half is the peer
 * id.
 */

import { join } from 'node:path';
import {
  generateKeyPair,
  generateKeyPairFromSeed,
  privateKeyFromProtobuf,
  privateKeyToProtobuf,
} from '@libp2p/crypto/keys';
import { ensurePrivateFolder, readPrivate, writeNewPrivate } from '../../files/private-files.ts';
import { MeshError } from '../errors.ts';
import { IDENTITY_FILE } from './identity-file.ts';
import { type SigningKey, signingKeyOf } from './peer-id.ts';

export type Identity = Awaited<ReturnType<typeof newIdentity>>;

const SEED_BYTES = 32;

/**
 * The identity kept in `folder`; a new one if there is none. An existing one is never replaced: an agent with another
 * identity would be a stranger to the others. The file contains libp2p's protobuf of the key, in base64.
 *
 * Throws `MeshError` (`MESH_IDENTITY_DAMAGED`), and what `readPrivate` throws.
 */
export async function openIdentity(folder: string): Promise<Identity> {
  ensurePrivateFolder(folder, 'the identity');
  const path = join(folder, IDENTITY_FILE);
  const fresh = await newIdentity();
  if (writeNewPrivate(path, textOf(fresh))) return fresh;
  return parse(readPrivate(path, { what: 'the identity' }), path);
}

/** The peer id, as text. */
export function peerIdOf({ publicKey }: Identity): string {
  return publicKey.toString();
}

/** For what the agent signs itself, at once. */
export function signingKeyOfIdentity({ raw }: Identity): SigningKey {
  return signingKeyOf(raw.subarray(0, SEED_BYTES));
}

function textOf(key: Identity): string {
  return `${Buffer.from(privateKeyToProtobuf(key)).toString('base64')}\n`;
}

function newIdentity() {
  return generateKeyPair('Ed25519');
}

async function parse(text: string, path: string): Promise<Identity> {
  const key = decode(text);
  if (key?.type !== 'Ed25519') throw damaged(path, 'it holds no Ed25519 key');
  // The file has both halves of the key. If they did not match, all others would refuse what the agent signs.
  const whole = await generateKeyPairFromSeed('Ed25519', key.raw.subarray(0, SEED_BYTES));
  if (textOf(whole).trim() !== text.trim()) throw damaged(path, 'its parts do not belong together');
  return whole;
}

function decode(text: string): ReturnType<typeof privateKeyFromProtobuf> | undefined {
  try {
    return privateKeyFromProtobuf(Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}

function damaged(path: string, why: string): MeshError {
  return new MeshError('MESH_IDENTITY_DAMAGED', `the identity in ${path} is damaged: ${why}`, {
    remedy:
      'put the file back from a copy; or remove it, and put the new peer id on the allow-list (`netfold mesh identity`)',
    blame: 'input',
  });
}
