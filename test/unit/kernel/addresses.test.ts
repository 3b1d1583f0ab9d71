import { BlockList, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressBytes, addressKey, familyBytes } from '../../../agent/kernel/netlink/addresses.ts';
import { numbersByAddress } from '../../../agent/linux/objects/endpoint-numbers.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const MAPPED = '00000000000000000000ffff';

test('IPv4 is the last four bytes of ::ffff:0:0/96', () => {
  expect(hex(addressBytes('10.0.255.1'))).toBe(`${MAPPED}0a00ff01`);
  expect(hex(familyBytes('10.0.255.1'))).toBe('0a00ff01');
});

test.each([
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['1::', '00010000000000000000000000000000'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['1::8', '00010000000000000000000000000008'],
  ['1:2::7:8', '00010002000000000000000000070008'],
  ['1:0:0:4:0:0:0:8', '00010000000000040000000000000008'],
  ['0:0:0:0:0:0:0:1', '00000000000000000000000000000001'],
  ['0001:0002:0003:0004:0005:0006:0007:0008', '00010002000300040005000600070008'],
  ['2001:DB8::Ab:cD', '20010db8000000000000000000ab00cd'],
  ['::ffff:10.0.255.1', `${MAPPED}0a00ff01`],
  ['::ffff:a00:ff01', `${MAPPED}0a00ff01`],
  ['::10.0.255.1', '0000000000000000000000000a00ff01'],
  ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ['1:2:3:4:5:6:7.8.9.10', '0001000200030004000500060708090a'],
  ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
  ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
])('IPv6 %s', (text, expected) => {
  expect(hex(addressBytes(text))).toBe(expected);
  expect(hex(familyBytes(text))).toBe(expected);
});

test.each([
  '',
  'server',
  '10.0.0',
  '10.0.0.256',
  '10.0.0.1/32',
  ' 10.0.0.1',
  '010.0.0.1',
  '1::2::3',
  ':::',
  '1:2:3',
  '12345::',
  '::g',
  '[::1]',
])('"%s" is refused by name', (text) => {
  for (const read of [addressBytes, familyBytes])
    expect(() => read(text)).toThrow(new TypeError(`"${text}" is not an IP address`));
});

describe('keys', () => {
  test('are equal for all spellings of one address', () => {
    const spellings = ['::ffff:10.0.255.1', '::FFFF:0a00:ff01', '0:0:0:0:0:ffff:a00:ff01', '10.0.255.1'];
    expect(new Set(spellings.map((text) => addressKey(addressBytes(text)))).size).toBe(1);
  });

  test('are taken from an offset of a larger array, also one that is a part itself', () => {
    const row = new Uint8Array(40);
    row.set(addressBytes('10.0.0.1'), 4);
    row.set(addressBytes('10.0.0.2'), 20);
    const part = row.subarray(4);
    expect(addressKey(part, 0)).toBe(addressKey(addressBytes('10.0.0.1')));
    expect(addressKey(part, 16)).toBe(addressKey(addressBytes('10.0.0.2')));
    expect(addressKey(part, 16)).not.toBe(addressKey(part, 0));
  });
});

/** Zeroes are frequent, so that `::` is. */
const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
const groups = fc.array(group, { minLength: 8, maxLength: 8 });

/** One of the ways to write eight groups (RFC 4291, section 2.2). */
const spelling = groups.chain((words) =>
  fc
    .record({
      pad: fc.boolean(),
      upper: fc.boolean(),
      embedded: fc.boolean(),
      from: fc.nat(7),
      to: fc.nat(8),
    })
    .map(({ pad, upper, embedded, from, to }) => {
      const last = `${words[6]! >> 8}.${words[6]! & 0xff}.${words[7]! >> 8}.${words[7]! & 0xff}`;
      const parts = words.map((word) => word.toString(16).padStart(pad ? 4 : 1, '0'));
      if (embedded) parts.splice(6, 2, last);
      const end = Math.min(to, embedded ? 6 : 8);
      const shortened = from < end && words.slice(from, end).every((word) => word === 0);
      const text = shortened
        ? `${parts.slice(0, from).join(':')}::${parts.slice(end).join(':')}`
        : parts.join(':');
      return { words, text: upper ? text.toUpperCase() : text };
    }),
);

describe('properties', () => {
  test('any spelling of any IPv6 address gives its groups', () => {
    fc.assert(
      fc.property(spelling, ({ words, text }) => {
        const bytes = addressBytes(text);
        const view = new DataView(bytes.buffer);
        expect(
          words.map((_, index) => view.getUint16(index * 2)),
          text,
        ).toEqual(words);
      }),
      { seed: 5, numRuns: 2000 },
    );
  });

  test('two texts have the same bytes exactly when Node holds them for one address', () => {
    const near = fc.tuple(spelling, spelling, fc.nat(7), fc.boolean()).map(([a, b, at, same]) => {
      const words = same ? a.words : a.words.with(at, b.words[at]!);
      return [a.text, words.map((word) => word.toString(16)).join(':')] as const;
    });
    fc.assert(
      fc.property(near, ([a, b]) => {
        const list = new BlockList();
        list.addAddress(new SocketAddress({ address: a, family: 'ipv6' }));
        const one = list.check(new SocketAddress({ address: b, family: 'ipv6' }));
        expect(addressKey(addressBytes(a)) === addressKey(addressBytes(b)), `${a} and ${b}`).toBe(one);
      }),
      { seed: 6, numRuns: 2000 },
    );
  });

  test('any IPv4 address gives its four numbers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
        expect(familyBytes(bytes.join('.'))).toEqual(bytes);
        expect(hex(addressBytes(bytes.join('.')))).toBe(`${MAPPED}${hex(bytes)}`);
      }),
      { seed: 7 },
    );
  });
});

test('every address of an endpoint leads to its number', () => {
  const numbers = numbersByAddress([
    { number: 7, addresses: ['10.0.0.1', 'fd09::1'] },
    { number: 3, addresses: ['10.0.0.2'] },
  ]);
  const of = (text: string): number | undefined => numbers.get(addressKey(addressBytes(text)));
  expect(['10.0.0.1', 'fd09::1', '10.0.0.2', '10.0.0.3'].map(of)).toEqual([7, 7, 3, undefined]);
});
