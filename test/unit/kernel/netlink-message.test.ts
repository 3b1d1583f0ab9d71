import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MessageWriter,
  NLA_F_NESTED,
  readAttributes,
  readMessages,
  readString,
} from '../../../agent/kernel/netlink/netlink-message.ts';
import { annotated, words } from '../../support/kernel/annotated-bytes.ts';

describe('writing', () => {
  test('numbers have their width and byte order', () => {
    const writer = new MessageWriter(1);
    writer.u8(0x01).u16(0x0203).u32(0x04050607).i32(-2).u16be(0x0809).u32be(0x0a0b0c0d);
    const expected = annotated('01 0302 07060504 feffffff 0809 0a0b0c0d');
    expect(words(writer.bytes)).toEqual(words(expected));
  });

  test('64-bit numbers are exact up to 2^53', () => {
    expect(words(new MessageWriter().u64(2 ** 53 - 1).bytes)).toEqual(['ffffffff', 'ffff1f00']);
    expect(words(new MessageWriter().u64(12_500_000_000).bytes)).toEqual(['00dd0ee9', '02000000']);
  });

  test('32-bit numbers with the highest bit set are not negative', () => {
    expect(words(new MessageWriter().u32(0xfffffff2).u32be(-300).bytes)).toEqual(['f2ffffff', 'fffffed4']);
  });

  test('lengths leave the padding out, what follows is aligned', () => {
    const writer = new MessageWriter(1);
    writer.message(0x1234, 0x0605, (w) =>
      w
        .attributeString(3, 'e0')
        .nested(2, (o) => o.attributeBytes(1, Uint8Array.of(0xaa)).attributeU32(6, 9)),
    );
    const expected = annotated(`
      2c000000 3412 0506 00000000 00000000
      0700 0300 653000 00    # "e0": 4 + 3 bytes, 1 of padding
      1400 0280              # nested: 4 + 8 + 8
        0500 0100 aa 000000
        0800 0600 09000000`);
    expect(words(writer.bytes)).toEqual(words(expected));
  });

  test('the next message starts aligned, and its length is its own', () => {
    const writer = new MessageWriter(4);
    writer.message(1, 0, (w) => w.u8(0x11)).message(2, 0, (w) => w.u32(0x22));
    const expected = annotated(`
      11000000 0100 0000 00000000 00000000 11 000000
      14000000 0200 0000 00000000 00000000 22000000`);
    expect(words(writer.bytes)).toEqual(words(expected));
  });

  test('padding is zero also where an earlier message lay', () => {
    const writer = new MessageWriter(64);
    writer.raw(new Uint8Array(64).fill(0xff));
    writer.reset();
    writer.message(1, 0, (w) => w.attributeBytes(5, Uint8Array.of(7)));
    expect(words(writer.bytes).slice(4)).toEqual(['05000500', '07000000']);
  });
});

describe('reading', () => {
  test('gives type, sequence number and body of each message', () => {
    const datagram = annotated(`
      15000000 2400 0200 07000000 63000000 0102030405 000000
      10000000 0300 0000 08000000 63000000`);
    expect([...readMessages(datagram)]).toEqual([
      { type: 36, sequence: 7, body: Buffer.of(1, 2, 3, 4, 5) },
      { type: 3, sequence: 8, body: Buffer.alloc(0) },
    ]);
  });

  test('ends at a message that is cut off, shorter than its header, or a tail', () => {
    const whole = '14000000 2400 0200 07000000 63000000 aabbccdd';
    for (const tail of [
      '11000000 2400 0200 08000000 63000000', // says 17 bytes, has 16
      '0f000000 2400 0200 08000000 63000000', // shorter than a header
      '00000000 2400 0200 08000000 63000000', // would never advance
      'ffffffff 2400 0200 08000000 63000000',
      '10000000 2400 0200 080000',
    ]) {
      const messages = [...readMessages(annotated(`${whole} ${tail}`))];
      expect(
        messages.map(({ sequence }) => sequence),
        tail,
      ).toEqual([7]);
    }
  });

  test('attributes are found behind a fixed part, without their flags', () => {
    const body = annotated(`
      deadbeef
      0500 0340 aa 000000      # type 3, in network byte order
      0400 0280                # type 2, nested, empty
      0800 0300 01020304       # type 3 again: the last one wins
      0900 0700 ffffffff`); // cut off
    expect([...readAttributes(body, 4)]).toEqual([
      [3, Buffer.of(1, 2, 3, 4)],
      [2, Buffer.alloc(0)],
    ]);
  });

  test('an attribute shorter than its own header ends the list', () => {
    expect(readAttributes(annotated('0300 0100 0500 0200 aa000000')).size).toBe(0);
    expect(readAttributes(annotated('0500 0100 aa000000 0000 0200 0800 0300 01020304')).size).toBe(1);
  });

  test('strings end at their zero, or where the payload does', () => {
    expect(readString(Buffer.from('htb\0junk'))).toBe('htb');
    expect(readString(Buffer.from('htb'))).toBe('htb');
    expect(readString(undefined)).toBe('');
  });
});

interface Tree {
  readonly type: number;
  readonly children: readonly Tree[];
  readonly data: Uint8Array;
}

const attributes = fc.letrec<{ tree: Tree; trees: Tree[] }>((tie) => ({
  tree: fc.record({
    type: fc.integer({ min: 1, max: 0x3fff }),
    children: fc.oneof({ maxDepth: 3 }, fc.constant([]), tie('trees')),
    data: fc.uint8Array({ maxLength: 9 }),
  }),
  trees: fc.uniqueArray(tie('tree'), { maxLength: 4, selector: ({ type }) => type }),
})).trees;

function write(writer: MessageWriter, trees: readonly Tree[]): void {
  for (const { type, children, data } of trees) {
    if (children.length > 0) writer.nested(type, (w) => write(w, children));
    else writer.attributeBytes(type, data);
  }
}

function expectRead(bytes: Buffer, trees: readonly Tree[]): void {
  const read = readAttributes(bytes);
  expect([...read.keys()]).toEqual(trees.map(({ type }) => type));
  for (const { type, children, data } of trees) {
    if (children.length > 0) expectRead(read.get(type)!, children);
    else expect(new Uint8Array(read.get(type)!)).toEqual(data);
  }
}

describe('properties', () => {
  test('what is written is read back, at any nesting and length', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(0xffff), attributes), { maxLength: 5 }), (messages) => {
        const writer = new MessageWriter(1);
        for (const [type, trees] of messages) writer.message(type, 0, (w) => write(w, trees));
        const read = [...readMessages(writer.bytes)];
        expect(read.map(({ type }) => type)).toEqual(messages.map(([type]) => type));
        for (const [index, [, trees]] of messages.entries()) expectRead(read[index]!.body, trees);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  /** Small numbers are plausible lengths: more of what is read gets past the first check. */
  const hostile = fc.array(fc.oneof(fc.nat(40), fc.nat(255), fc.constant(0)), { maxLength: 400 });

  test('any datagram ends in messages that lie within it, in order', () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        const datagram = Buffer.from(bytes);
        let end = 0;
        for (const { body } of readMessages(datagram)) {
          const start = body.byteOffset - datagram.byteOffset;
          expect(start).toBeGreaterThanOrEqual(end + 16);
          end = start + body.length;
          expect(end).toBeLessThanOrEqual(datagram.length);
        }
      }),
      { seed: 3, numRuns: 2000 },
    );
  });

  test('any bytes end in attributes that lie within them, from any start', () => {
    fc.assert(
      fc.property(hostile, fc.nat(420), (bytes, start) => {
        const buffer = Buffer.from(bytes);
        for (const [type, payload] of readAttributes(buffer, start)) {
          expect(type & NLA_F_NESTED).toBe(0);
          const at = payload.byteOffset - buffer.byteOffset;
          expect(at).toBeGreaterThanOrEqual(start + 4);
          expect(at + payload.length).toBeLessThanOrEqual(buffer.length);
          readString(payload);
        }
      }),
      { seed: 4, numRuns: 2000 },
    );
  });

  test('a message that is truncated anywhere is left out, those before it are not', () => {
    const writer = new MessageWriter();
    writer.message(36, 0, (w) => w.attributeString(1, 'htb')).message(40, 0, (w) => w.attributeU32(6, 5));
    const whole = Buffer.from(writer.bytes);
    const counts = Array.from({ length: whole.length + 1 }, (_, cut) => [
      ...readMessages(whole.subarray(0, cut)),
    ]).map((messages) => messages.length);
    expect(counts.slice(0, 24).every((count) => count === 0)).toBe(true);
    expect(counts.slice(24, 48).every((count) => count === 1)).toBe(true);
    expect(counts[48]).toBe(2);
  });
});
