/**
 * Ed25519 keys, and their peer ids: base58 of a multihash that contains the key itself (libp2p's "Peer Ids and Keys"
 * specification). Node's own cryptography, since the command line signs, and libp2p takes longer to load than most commands
 * take to run.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** The multihash `identity` of 36 bytes: a protobuf with key type 1, Ed25519, and 32 bytes of key. */
const PUBLIC_PREFIX = Buffer.from([0x00, 0x24, 0x08, 0x01, 0x12, 0x20]);
/** A private key as libp2p's protobuf: type 1, and 64 bytes, which are seed and public key. */
const PRIVATE_PREFIX = Buffer.from([0x08, 0x01, 0x12, 0x40]);
const KEY_BYTES = 32;
/** What stands before the seed in PKCS #8 (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Of a whole peer id, and somewhat more. */
const MAX_TEXT = 64;

/** A private key with its peer id. */
export interface SigningKey {
  readonly peer: string;
  readonly privateKey: KeyObject;
}

export function newSigningKey(): SigningKey {
  return withPeer(generateKeyPairSync('ed25519').privateKey);
}

/** From the seed, 32 bytes. */
export function signingKeyOf(seed: Uint8Array): SigningKey {
  const key = Buffer.concat([PKCS8_PREFIX, seed]);
  return withPeer(createPrivateKey({ format: 'der', type: 'pkcs8', key }));
}

/** The text of a key's file: the same as of an agent's identity (identity.ts). */
export function signingKeyText({ privateKey }: SigningKey): string {
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  const halves = [d, x].map((half) => Buffer.from(half, 'base64url'));
  return `${Buffer.concat([PRIVATE_PREFIX, ...halves]).toString('base64')}\n`;
}

/** `undefined`: it is no such text, or its halves don't belong together. */
export function parseSigningKey(text: string): SigningKey | undefined {
  const bytes = Buffer.from(text.trim(), 'base64');
  const seed = bytes.subarray(PRIVATE_PREFIX.length, PRIVATE_PREFIX.length + KEY_BYTES);
  if (seed.length !== KEY_BYTES || bytes.indexOf(PRIVATE_PREFIX) !== 0) return undefined;
  const key = signingKeyOf(seed);
  return signingKeyText(key).trim() === text.trim() ? key : undefined;
}

/** The key of a peer id; `undefined`: it is none of an Ed25519 key. */
export function publicKeyOf(peer: string): KeyObject | undefined {
  const bytes = peer.length > MAX_TEXT ? undefined : fromBase58(peer);
  if (bytes?.length !== PUBLIC_PREFIX.length + KEY_BYTES || bytes.indexOf(PUBLIC_PREFIX) !== 0)
    return undefined;
  const x = bytes.subarray(PUBLIC_PREFIX.length).toString('base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
}

function withPeer(privateKey: KeyObject): SigningKey {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { peer: toBase58(Buffer.concat([PUBLIC_PREFIX, Buffer.from(x, 'base64url')])), privateKey };
}

function toBase58(bytes: Buffer): string {
  let digits = '';
  for (let rest = BigInt(`0x${bytes.toString('hex')}`); rest > 0n; rest /= 58n)
    digits = ALPHABET[Number(rest % 58n)] + digits;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '1'.repeat(zeros) + digits;
}

function fromBase58(text: string): Buffer | undefined {
  let value = 0n;
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) return undefined;
    value = value * 58n + BigInt(digit);
  }
  const zeros = /^1*/.exec(text)![0].length;
  const hex = value.toString(16);
  const bytes = value === 0n ? '' : hex.padStart(hex.length + (hex.length % 2), '0');
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(bytes, 'hex')]);
}
