/** Programs of classic BPF, executed as linux/filter.h says. */
import { describe, expect, it } from 'vitest';
import type { Instruction } from '../../../agent/kernel/sys/sockets.ts';
import { framesOf, MOST_CAPTURED, packetsFrom } from '../../../controller/capture/address-filter.ts';
import { parseProgram } from '../../../controller/capture/tcpdump-filter.ts';
import { A4, A6, B4, B6, udpFrame } from '../../support/frames.ts';

const NETWORK = 0xfff00000;

/** What the program gives for these bytes, whose header of IP is at `network`. Throws for what it may not do. */
function execute(program: readonly Instruction[], bytes: Buffer, network: number): number {
  let a = 0;
  for (let at = 0; at < program.length; at++) {
    const [code, ifTrue, ifFalse, k] = program[at]!;
    const from = k >= NETWORK ? network + k - NETWORK : k;
    if (code === 0x06) return k;
    if (code === 0x28 || code === 0x20) {
      const size = code === 0x28 ? 2 : 4;
      // The kernel ends the program so.
      if (from + size > bytes.length) return 0;
      a = bytes.readUIntBE(from, size);
    } else if (code === 0x15) at += a === k ? ifTrue : ifFalse;
    else if (code === 0x05) at += k;
    else throw new Error(`instruction ${code}`);
  }
  throw new Error('it does not end');
}

const bytesOf = (...addresses: (readonly number[])[]): Uint8Array[] =>
  addresses.map((address) => Uint8Array.from(address));
const OTHER4 = [10, 0, 0, 3];
const OTHER6 = [...A6.slice(0, 15), 3];

/** Who has `target`, asks `sender`. */
function arp(sender: readonly number[], target: readonly number[]): Buffer {
  const frame = Buffer.alloc(42);
  frame.writeUInt16BE(0x0806, 12);
  frame.set(sender, 28);
  frame.set(target, 38);
  return frame;
}

describe('frames of a peer', () => {
  const program = framesOf(bytesOf(B4, B6));
  const keeps = (frame: Buffer): boolean => execute(program, frame, 14) === MOST_CAPTURED;

  it.each([
    ['to it', udpFrame({ source: A4, destination: B4 })],
    ['from it', udpFrame({ source: B4, destination: A4 })],
    ['to it over IPv6', udpFrame({ source: A6, destination: B6 })],
    ['from it over IPv6', udpFrame({ source: B6, destination: A6 })],
    ['that ask for it', arp(A4, B4)],
    ['in which it asks', arp(B4, A4)],
  ])('are kept: %s', (_, frame) => expect(keeps(frame)).toBe(true));

  it.each([
    ['of others', udpFrame({ source: A4, destination: OTHER4 })],
    ['of others over IPv6', udpFrame({ source: A6, destination: OTHER6 })],
    ['that ask for others', arp(A4, OTHER4)],
    ['of another protocol', Buffer.alloc(60)],
    ['that are cut off', udpFrame({ source: A4, destination: B4 }).subarray(0, 28)],
  ])('are not kept: %s', (_, frame) => expect(keeps(frame)).toBe(false));

  it('of no address of a version are none of it', () => {
    expect(execute(framesOf(bytesOf(B4)), udpFrame({ source: A6, destination: B6 }), 14)).toBe(0);
  });
});

it('packets of a raw socket are kept by their sender, wherever they begin', () => {
  const four = udpFrame({ source: B4, destination: A4 }).subarray(14);
  const six = udpFrame({ source: B6, destination: A6 }).subarray(14);
  const both = bytesOf(B4, B6);
  expect(execute(packetsFrom(4, both), four, 0)).toBe(MOST_CAPTURED);
  expect(execute(packetsFrom(6, both), six, 0)).toBe(MOST_CAPTURED);
  expect(execute(packetsFrom(4, bytesOf(A4)), four, 0)).toBe(0);
  expect(execute(packetsFrom(6, bytesOf(OTHER6)), six, 0)).toBe(0);
});

it('more addresses than a jump can pass are refused', () => {
  const many = Array.from({ length: 80 }, (_, last) => [10, 1, 0, last]);
  expect(() => framesOf(bytesOf(...many))).toThrow(RangeError);
});

describe('what tcpdump -ddd prints', () => {
  it('is a program', () => {
    expect(parseProgram('2\n40 0 0 12\n6 0 0 262144\n')).toEqual([
      [40, 0, 0, 12],
      [6, 0, 0, 262144],
    ]);
  });
  it.each(['', '1\n', '2\n6 0 0 1\n', '1\n6 0 0\n', '1\na b c d\n'])('is refused where it is %j', (text) => {
    expect(() => parseProgram(text)).toThrow(expect.objectContaining({ code: 'CAPTURE_FILTER' }));
  });
});
