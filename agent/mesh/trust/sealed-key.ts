/**
 * A key of the mesh, sealed for agents by their identities. An identity is an Ed25519 key; the same numbers are a key of X25519 (RFC
 * 7748, section 4.1), by which a key is agreed with one that is made for this alone; that encrypts (ChaCha20-Poly1305). So the
 * commands that spread a new key may be read by everybody, also later in a record.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import type { RekeyHead, SealedFor } from '../../../proto/command.ts';
import { bytesOfMeshKey, meshKeyOf } from './mesh-key.ts';
import { publicKeyOf, type SigningKey } from './peer-id.ts';

/** The prime of both curves. */
const P = 2n ** 255n - 19n;
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const CIPHER = 'chacha20-poly1305';
const TAG_BYTES = 16;
/** Each of the keys here encrypts once. */
const NONCE = Buffer.alloc(12);
/** No other text that these keys are made for begins like this. */
const KIND = 'netfold rekey 1';

/** Of a key of the mesh. */
export const keyId = (key: string): string => digest('key', bytesOfMeshKey(key), 16);

/** Of a peer id. */
export const peerTag = (peer: string): string => digest('peer', Buffer.from(peer), 12);

export interface Sealing extends Pick<RekeyHead, 'id' | 'before' | 'ephemeral'> {
  readonly hosts: readonly SealedFor[];
}

/** `before`, `key`: the mesh's keys as text. `peers`: ids of those that get the new one; an id that is none gets nothing. */
export function sealKey(key: string, before: string, peers: readonly string[]): Sealing {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const ephemeral = publicKey.export({ format: 'jwk' }).x!;
  const secret = bytesOfMeshKey(key);
  const hosts = peers.flatMap((peer) => {
    const agreed = agree(privateKey, agreementKeyOf(peer));
    if (!agreed) return [];
    return { peer: peerTag(peer), box: encrypt(derive(agreed, ephemeral, peer), secret) };
  });
  return {
    ...{ id: keyId(key), ephemeral, hosts },
    before: encrypt(derive(secret, ephemeral, 'before'), bytesOfMeshKey(before)),
  };
}

/** The new key as text; `undefined`: it is not for this identity. */
export function openKey({ ephemeral, hosts, id }: Sealing, self: SigningKey): string | undefined {
  const tag = peerTag(self.peer);
  const box = hosts.find(({ peer }) => peer === tag)?.box;
  if (box === undefined) return undefined;
  const agreed = agree(
    ownAgreementKey(self),
    createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'X25519', x: ephemeral } }),
  );
  const key = agreed && decrypt(derive(agreed, ephemeral, self.peer), box);
  return key !== undefined && keyId(key) === id ? key : undefined;
}

/** The key before, for who has the new one. */
export const openBefore = ({ before, ephemeral }: Sealing, key: string): string | undefined =>
  decrypt(derive(bytesOfMeshKey(key), ephemeral, 'before'), before);

function agree(privateKey: KeyObject, publicKey: KeyObject | undefined): Buffer | undefined {
  try {
    return publicKey && diffieHellman({ privateKey, publicKey });
  } catch {
    // A point of low order, which nobody's honest key is.
    return undefined;
  }
}

/** u = (1 + y) / (1 - y), RFC 7748, section 4.1. */
function agreementKeyOf(peer: string): KeyObject | undefined {
  const { x } = publicKeyOf(peer)?.export({ format: 'jwk' }) ?? {};
  if (x === undefined) return undefined;
  const bytes = Buffer.from(x, 'base64url').reverse();
  // The highest bit is the sign of the other coordinate.
  bytes[0]! &= 0x7f;
  const y = BigInt(`0x${bytes.toString('hex')}`);
  const u = ((1n + y) * inverse((P + 1n - y) % P)) % P;
  const little = Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
  return createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'X25519', x: little.toString('base64url') },
  });
}

/** By Fermat's little theorem. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let base = value;
  for (let rest = P - 2n; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}

/** The same secret number as Ed25519 makes of the seed (RFC 8032, section 5.1.5). */
function ownAgreementKey({ privateKey }: SigningKey): KeyObject {
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url');
  const number = createHash('sha512').update(seed).digest().subarray(0, 32);
  return createPrivateKey({ format: 'der', type: 'pkcs8', key: Buffer.concat([PKCS8_X25519, number]) });
}

const derive = (secret: Uint8Array, ephemeral: string, what: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, Buffer.from(ephemeral, 'base64url'), `${KIND} ${what}`, 32));

function encrypt(key: Buffer, secret: Uint8Array): string {
  const cipher = createCipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
  const text = Buffer.concat([cipher.update(secret), cipher.final()]);
  return Buffer.concat([text, cipher.getAuthTag()]).toString('base64url');
}

function decrypt(key: Buffer, box: string): string | undefined {
  const bytes = Buffer.from(box, 'base64url');
  const decipher = createDecipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return meshKeyOf(Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]));
  } catch {
    return undefined;
  }
}

const digest = (what: string, bytes: Uint8Array, length: number): string =>
  createHash('sha256')
    .update(`${KIND} ${what}\0`)
    .update(bytes)
    .digest()
    .subarray(0, length)
    .toString('base64url');
