/** The kernel's data of real connections, on 127.0.0.1. */
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { giveUpAfter, readTcp } from '../../../agent/kernel/sys/tcp-sockets.ts';

const open: { destroy?(): void; close?(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) (one.destroy ?? one.close)?.call(one);
});

const fdOf = (socket: Socket): number => (socket as unknown as { _handle: { fd: number } })._handle.fd;

async function connect(): Promise<Socket> {
  const server = createServer((socket) => open.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = createConnection((server.address() as AddressInfo).port, '127.0.0.1');
  open.push(socket, server);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

test('the shortest round trip is known once the connection is up, and is that of this machine', async () => {
  const { shortestMicros } = readTcp(fdOf(await connect()));
  expect(shortestMicros).toBeGreaterThan(0);
  expect(shortestMicros).toBeLessThan(1e6);
});

test('what was sent is counted with its headers', async () => {
  const socket = await connect();
  const before = readTcp(fdOf(socket)).sentBytes;
  await new Promise<void>((resolve) => socket.write(new Uint8Array(10_000), () => resolve()));
  const sent = readTcp(fdOf(socket)).sentBytes - before;
  // One segment at least, and no acknowledgement of ours for each byte.
  expect(sent).toBeGreaterThanOrEqual(10_066);
  expect(sent).toBeLessThan(12_000);
});

test('giving up can be set, and a descriptor that is none is a coded error', async () => {
  giveUpAfter(fdOf(await connect()), 4000);
  expect(() => giveUpAfter(1_000_000, 4000)).toThrow(expect.objectContaining({ code: 'SYSCALL_FAILED' }));
  expect(() => readTcp(1_000_000)).toThrow(/TCP_INFO.*EBADF/);
});
