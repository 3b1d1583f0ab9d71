/** struct inet_diag_msg with INET_DIAG_INFO, byte by byte. */
import { expect, test } from 'vitest';
import { addressBytes, addressKey } from '../../../agent/kernel/netlink/addresses.ts';
import { readConnection } from '../../../agent/kernel/netlink/tcp-connections.ts';

const MESSAGE_BYTES = 72;
const INFO_BYTES = 232;

/** As `ss -ti` has it: rtt 50.3 ms, minrtt 50.1 ms, 7 retransmissions, 1,234 delivered. */
function message(family: 2 | 10, source: string, destination: string): Buffer {
  const body = Buffer.alloc(MESSAGE_BYTES + 4 + INFO_BYTES);
  body.writeUInt8(family, 0);
  body.writeUInt8(1, 1);
  body.writeUInt16BE(4242, 4);
  body.writeUInt16BE(5201, 6);
  const bytes = (text: string): Uint8Array => addressBytes(text).subarray(family === 2 ? 12 : 0);
  body.set(bytes(source), 8);
  body.set(bytes(destination), 24);
  body.writeUInt16LE(4 + INFO_BYTES, MESSAGE_BYTES);
  body.writeUInt16LE(2, MESSAGE_BYTES + 2);
  const info = MESSAGE_BYTES + 4;
  body.writeUInt32LE(15, info + 56);
  body.writeUInt32LE(50_300, info + 68);
  body.writeUInt32LE(7, info + 100);
  body.writeUInt32LE(50_100, info + 148);
  body.writeUInt32LE(1234, info + 192);
  return body;
}

const key = (text: string): string => addressKey(addressBytes(text));

test.each([
  [2, '10.0.0.1', '10.0.0.2'],
  [10, 'fd00::1', 'fd00::2'],
  [10, '::ffff:10.0.0.1', '::ffff:10.0.0.2'],
] as const)('family %i, %s to %s', (family, source, destination) => {
  expect(readConnection(message(family, source, destination))).toMatchObject({
    source: key(source),
    destination: key(destination),
    ...{ smoothedMicros: 50_300, shortestMicros: 50_100, delivered: 1234, retransmitted: 7, sinceAckMs: 15 },
  });
});

test('a connection that has not measured yet has no shortest round trip', () => {
  const body = message(2, '10.0.0.1', '10.0.0.2');
  body.writeUInt32LE(0xffffffff, MESSAGE_BYTES + 4 + 148);
  expect(readConnection(body)).toMatchObject({ shortestMicros: undefined });
});

test('a kernel that tells less is not believed', () => {
  const short = message(2, '10.0.0.1', '10.0.0.2').subarray(0, MESSAGE_BYTES + 4 + 104);
  short.writeUInt16LE(4 + 104, MESSAGE_BYTES);
  expect(readConnection(short)).toBeUndefined();
  expect(readConnection(short.subarray(0, MESSAGE_BYTES))).toBeUndefined();
  expect(() => readConnection(Buffer.alloc(0))).toThrow(RangeError);
});
