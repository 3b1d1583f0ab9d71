import { describe, expect, test } from 'vitest';
import { addressBytes } from '../../../agent/kernel/netlink/addresses.ts';
import { AddressIndex } from '../../../agent/linux/delay-line/address-index.ts';
import { addressWords, pathOf, UNKNOWN_PATH } from '../../../agent/linux/delay-line/addressing.ts';
import { type DelayEntry, PathTable } from '../../../agent/linux/delay-line/path-table.ts';
import { Random } from '../../../agent/linux/delay-line/random.ts';

const OWN = addressWords(['10.0.0.1', 'fd00::1'].map(addressBytes));
const SOURCES = ['10.0.0.2', '172.200.1.255', 'fd00::2', 'fe80::2'];
const table = new PathTable();
table.replace(
  SOURCES.map(
    (source): DelayEntry => ({
      sources: [addressBytes(source)],
      latencyMs: 1,
      jitterMs: 0,
      distribution: 'normal',
      loss: 0,
    }),
  ),
  new Random(1),
  0,
);
const KNOWN = { table, own: OWN, book: new AddressIndex() };

interface Head {
  readonly from: string;
  readonly to: string;
  readonly protocol?: number;
  /** First byte after the network header. */
  readonly type?: number;
  readonly fragmentOffset?: number;
}

/** The head of a packet, as much as the kernel copies; behind something else in the buffer. */
function path(
  { from, to, protocol = 17, type = 0, fragmentOffset = 0 }: Head,
  length = 44,
  known = KNOWN,
): number {
  const bytes = new Uint8Array(3 + 44).fill(0xee);
  const packet = bytes.subarray(3);
  if (from.includes(':')) {
    packet.set([0x6f, 0xff, 0xff, 0xff, 0, 9, protocol, 255]);
    packet.set(addressBytes(from), 8);
    packet.set(addressBytes(to), 24);
    packet[40] = type;
  } else {
    packet.set([
      0x4f,
      0,
      0,
      84,
      1,
      2,
      0x20 | (fragmentOffset >> 8),
      fragmentOffset & 0xff,
      64,
      protocol,
      3,
      4,
    ]);
    packet.set(addressBytes(from).subarray(12), 12);
    packet.set(addressBytes(to).subarray(12), 16);
    packet[20] = type;
  }
  return pathOf(known, bytes, 3, length);
}

test('a packet takes the path of its source, whatever it carries', () => {
  expect(path({ from: '10.0.0.2', to: '10.0.0.1' })).toBe(0);
  expect(path({ from: '172.200.1.255', to: '10.0.0.1', protocol: 6 })).toBe(1);
  expect(path({ from: 'fd00::2', to: 'fd00::1' })).toBe(2);
  expect(path({ from: 'fe80::2', to: 'fd00::1', protocol: 0 })).toBe(3);
});

test('fragments are packets', () => {
  expect(path({ from: '10.0.0.2', to: '10.0.0.1', fragmentOffset: 185 })).toBe(0);
  expect(path({ from: 'fd00::2', to: 'fd00::1', protocol: 44, type: 135 })).toBe(2);
});

test('strangers, and the endpoint itself, have no path', () => {
  expect(path({ from: '10.0.0.3', to: '10.0.0.1' })).toBe(-1);
  expect(path({ from: 'fd00::3', to: 'fd00::1' })).toBe(-1);
  expect(path({ from: '10.0.0.1', to: '10.0.0.1' })).toBe(-1);
});

test.each(['224.0.0.251', '255.255.255.255', '10.0.0.255', '10.0.0.9'])('what goes to %s passes', (to) => {
  expect(path({ from: '10.0.0.2', to })).toBe(-1);
});

test.each(['ff02::1', 'ff02::1:ff00:1', 'fd00::9', 'fd00:1::1', 'fd00::1:0:0:1'])(
  'what goes to %s passes',
  (to) => {
    expect(path({ from: 'fd00::2', to })).toBe(-1);
  },
);

describe('ICMPv6', () => {
  test.each([133, 134, 135, 136, 137])('of type %i is neighbour discovery and passes', (type) => {
    expect(path({ from: 'fd00::2', to: 'fd00::1', protocol: 58, type })).toBe(-1);
  });

  test.each([1, 128, 129, 132, 138])('of type %i takes the path', (type) => {
    expect(path({ from: 'fd00::2', to: 'fd00::1', protocol: 58, type })).toBe(2);
  });

  test('is looked at in IPv6 only', () => {
    expect(path({ from: '10.0.0.2', to: '10.0.0.1', protocol: 58, type: 135 })).toBe(0);
    expect(path({ from: 'fd00::2', to: 'fd00::1', protocol: 17, type: 135 })).toBe(2);
  });
});

test('what is too short, or neither IPv4 nor IPv6, has no path', () => {
  expect(path({ from: '10.0.0.2', to: '10.0.0.1' }, 20)).toBe(0);
  expect(path({ from: '10.0.0.2', to: '10.0.0.1' }, 19)).toBe(-1);
  expect(path({ from: 'fd00::2', to: 'fd00::1', protocol: 58, type: 135 }, 40)).toBe(2);
  expect(path({ from: 'fd00::2', to: 'fd00::1' }, 39)).toBe(-1);
  expect(pathOf(KNOWN, new Uint8Array(44).fill(0x50), 0, 44)).toBe(-1);
});

test('an endpoint without addresses gets nothing', () => {
  const packet = new Uint8Array(20);
  packet[0] = 0x45;
  packet.set([10, 0, 0, 2], 12);
  packet.set([10, 0, 0, 1], 16);
  expect(pathOf({ ...KNOWN, own: new Uint32Array(0) }, packet, 0, 20)).toBe(-1);
  expect(pathOf(KNOWN, packet, 0, 20)).toBe(0);
});

test('an endpoint without a path yet is distinguished from strangers, by all of its addresses', () => {
  const book = new AddressIndex();
  const addresses = ['10.0.0.2', '10.0.0.77', 'fd00::77'];
  const numbers = [4, 65_534, 65_534];
  for (const [index, address] of addresses.entries()) book.set(addressBytes(address), numbers[index]!);
  const known = { ...KNOWN, book };
  expect(path({ from: '10.0.0.2', to: '10.0.0.1' }, 44, known)).toBe(0);
  expect(path({ from: '10.0.0.77', to: '10.0.0.1' }, 44, known)).toBe(UNKNOWN_PATH - 65_534);
  expect(path({ from: 'fd00::77', to: 'fd00::1' }, 44, known)).toBe(UNKNOWN_PATH - 65_534);
  expect(path({ from: 'fd00::77', to: 'fd00::1', protocol: 58, type: 135 }, 44, known)).toBe(-1);
  expect(path({ from: '10.0.0.77', to: '10.0.0.255' }, 44, known)).toBe(-1);
  expect(path({ from: '10.0.0.78', to: '10.0.0.1' }, 44, known)).toBe(-1);
});
