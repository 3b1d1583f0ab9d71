import { expect, test } from 'vitest';
import XSalsa20 from 'xsalsa20';
import { boundCipherMemory } from '../../../../agent/mesh/libp2p/bounded-cipher.ts';

boundCipherMemory();

const NONCE = Buffer.alloc(24, 1);
const KEY = Buffer.alloc(32, 2);
const stream = () => new XSalsa20(NONCE, KEY);

test('a text in pieces, of whatever length, is what a text in one is', () => {
  const text = Buffer.alloc(300_001, 'netfold');
  const whole = stream().update(text);
  const other = stream();
  const pieces: Uint8Array[] = [];
  for (let at = 0, length = 1; at < text.length; at += length, length = (length * 7) % 100_003)
    pieces.push(other.update(text.subarray(at, at + length)));
  expect(Buffer.concat(pieces).equals(whole)).toBe(true);
  expect(Buffer.from(stream().update(whole)).equals(text)).toBe(true);
});

test('long texts on several streams go on for ever', () => {
  const streams = Array.from({ length: 8 }, stream);
  const long = new Uint8Array(3 << 20);
  const short = new Uint8Array(100);
  for (const one of streams) one.update(long);
  // Without the bound, the memory is used up by these.
  for (let round = 0; round < 20_000; round++) streams[round % streams.length]!.update(short);
  for (const one of streams) expect(one.update(long)).toHaveLength(long.length);
});
