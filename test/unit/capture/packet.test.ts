/** What frames say of themselves, and by what a packet is known again. */
import { describe, expect, it } from 'vitest';
import { keyOf6, parseFrame, parseIpv4 } from '../../../controller/capture/format/packet.ts';
import { A4, A6, B4, B6, type FrameParts, udpFrame } from '../../support/frames.ts';

const V4 = { source: A4, destination: B4 };
const V6 = { source: A6, destination: B6 };
const keyOf = (parts: FrameParts): string => parseFrame(udpFrame(parts))!.key;

it('addresses, ports and lengths are those of the headers', () => {
  expect(parseFrame(udpFrame(V4))).toMatchObject({
    ...{ version: 4, source: '10.0.0.1', destination: '10.0.0.2', protocol: 17, length: 35 },
    ...{ sourcePort: 1000, destinationPort: 2000, isFragment: false },
  });
  expect(parseFrame(udpFrame(V6))).toMatchObject({
    ...{ version: 6, source: 'fd00:0:0:0:0:0:0:1', destination: 'fd00:0:0:0:0:0:0:2', length: 55 },
    ...{ sourcePort: 1000, destinationPort: 2000 },
  });
});

describe('a packet is known again', () => {
  it.each<[string, FrameParts, Partial<FrameParts>]>([
    ['after a hop', V4, { ttl: 3 }],
    ['when a card has computed its checksum', V4, { checksum: 1 }],
    ['over IPv6', V6, { ttl: 3, checksum: 1 }],
  ])('%s', (_, parts, change) => {
    expect(keyOf({ ...parts, ...change })).toBe(keyOf(parts));
  });

  it.each<[string, FrameParts, Partial<FrameParts>]>([
    ['number', V4, { id: 8 }],
    ['payload', V4, { payload: 'payloaD' }],
    ['sender', V4, { source: [10, 0, 0, 9] }],
    ['payload of IPv6', V6, { payload: 'payloaD' }],
    ['protocol', V6, { protocol: 200 }],
  ])('not with another %s', (_, parts, change) => {
    expect(keyOf({ ...parts, ...change })).not.toBe(keyOf(parts));
  });

  it('by what a raw socket gets: of IPv4 the packet, of IPv6 what is behind the header; both may be cut off', () => {
    const long = 'x'.repeat(300);
    const four = udpFrame({ ...V4, payload: long });
    expect(parseIpv4(four.subarray(14, 200))!.key).toBe(parseFrame(four)!.key);
    const six = udpFrame({ ...V6, payload: long });
    expect(keyOf6(Uint8Array.from(A6), 17, six.subarray(54, 200))).toBe(parseFrame(six)!.key);
  });

  it('also if Ethernet has filled it up to its least length', () => {
    const frame = udpFrame({ ...V4, payload: 'a' });
    expect(parseFrame(Buffer.concat([frame, Buffer.alloc(20, 9)]))!.key).toBe(parseFrame(frame)!.key);
  });
});

it('fragments say so, and have no ports', () => {
  expect(parseFrame(udpFrame({ ...V4, fragment: 0x2000 }))).toMatchObject({
    isFragment: true,
    sourcePort: 0,
  });
  expect(parseFrame(udpFrame({ ...V4, fragment: 0x4000 }))).toMatchObject({ isFragment: false });
});

it('what is not of IP, or cut off, is none', () => {
  const whole = udpFrame(V4);
  for (const bytes of [whole.subarray(0, 10), whole.subarray(0, 20), Buffer.alloc(60), Buffer.alloc(0)])
    expect(parseFrame(bytes)).toBeUndefined();
  const broken = Buffer.from(whole);
  broken[14] = 0x41;
  expect(parseFrame(broken)).toBeUndefined();
});
