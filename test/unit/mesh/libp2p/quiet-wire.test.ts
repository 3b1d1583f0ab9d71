import { Writable } from 'node:stream';
import { multiaddrConnectionPair } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import { expect, test } from 'vitest';
import { rareWindowUpdates, wholeWrites } from '../../../../agent/mesh/libp2p/quiet-wire.ts';

type TransportFactory = Parameters<typeof wholeWrites>[0];

/** A socket that notes the length of each write to the kernel. */
function notingSocket(writes: number[]): Writable {
  return new Writable({
    write: (chunk: Uint8Array, _, done) => {
      writes.push(chunk.length);
      done();
    },
    writev: (chunks, done) => {
      writes.push(chunks.reduce((sum, { chunk }) => sum + (chunk as Uint8Array).length, 0));
      done();
    },
  });
}

test('what is written in one turn, also by promises, goes out in one piece', async () => {
  const writes: number[] = [];
  const socket = notingSocket(writes);
  const seen: unknown[] = [];
  const upgrader = { upgradeOutbound: async (connection: unknown) => void seen.push(connection) };
  // The two methods that are used of a TCP transport.
  const inner = {
    dial: async (_: unknown, options: { upgrader: typeof upgrader }) =>
      options.upgrader.upgradeOutbound({ socket }),
    createListener: () => undefined,
  };
  const transport = wholeWrites((() => inner) as unknown as TransportFactory)(undefined as never);
  await transport.dial(undefined as never, { upgrader } as never);
  expect(seen).toEqual([{ socket }]);

  socket.write(new Uint8Array(2));
  socket.write(new Uint8Array(40));
  await Promise.resolve().then(() => socket.write(new Uint8Array(7)));
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual([49]);
  socket.write(new Uint8Array(3));
  socket.end();
  await new Promise((resolve) => socket.on('finish', resolve));
  expect(writes).toEqual([49, 3]);
});

/** All that comes back is headers. */
const FRAME_BYTES = 12;

/** Sends from one end of a connection to the other; returns the frames that came back, and the bytes that arrived. */
async function transfer(factory: ReturnType<typeof yamux>, messages: number, bytes: number) {
  const [outbound, inbound] = multiaddrConnectionPair();
  const client = factory().createStreamMuxer(outbound);
  const server = factory().createStreamMuxer(inbound);
  let answered = 0;
  let arrived = 0;
  const done = Promise.withResolvers<void>();
  server.addEventListener('stream', ({ detail }) => {
    detail.addEventListener('message', ({ data }) => {
      arrived += data.byteLength;
      if (arrived >= messages * bytes) done.resolve();
    });
  });
  outbound.addEventListener('message', ({ data }) => {
    answered += data.byteLength / FRAME_BYTES;
  });
  const stream = await client.createStream();
  for (let sent = 0; sent < messages; sent++) {
    if (!stream.send(new Uint8Array(bytes))) await stream.onDrain();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await done.promise;
  client.abort(new Error('end of test'));
  server.abort(new Error('end of test'));
  return { answered, arrived };
}

test('small messages are not answered one by one', async () => {
  const plain = await transfer(yamux(), 300, 200);
  const rare = await transfer(rareWindowUpdates(yamux()), 300, 200);
  expect(plain.answered).toBeGreaterThan(100);
  // The stream's opening, the library's measurement of the round trip, and a window that doubles from 256 KiB to 16 MiB.
  expect(rare.answered).toBeLessThan(20);
  expect(rare.arrived).toBe(60_000);
});

test('a table larger than any window arrives as a whole', async () => {
  const { arrived, answered } = await transfer(rareWindowUpdates(yamux()), 40, 100_000);
  expect(arrived).toBe(4_000_000);
  expect(answered).toBeGreaterThan(10);
});
