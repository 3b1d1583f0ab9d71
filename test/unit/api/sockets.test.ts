/** Streams over real sockets: who gets one, and readers that misbehave. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { STREAM_LIMITS, type StreamLimits } from '../../../controller/api/streams.ts';
import { ApiClient } from '../../../sdk/client.ts';
import { type ApiLab, openApiLab, TOKEN } from '../../support/api-server.ts';
import { NAME } from '../../support/fakes/fake-experiments.ts';

let api: ApiLab | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api?.close();
  api = undefined;
});

async function listen(streams: Partial<StreamLimits> = {}): Promise<{ url: string; port: number }> {
  api = await openApiLab({ streams: { pace: { periodMs: 5, idleMs: 50 }, ...streams } });
  await api.server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = api.server.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port };
}

const TO_STREAM = `GET /api/v1/experiments/${NAME}/stream HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;

/** A reader by hand; resolves with the status of the answer. */
async function ask(port: number, headers: readonly string[]): Promise<{ socket: Socket; status: number }> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  socket.write(`${TO_STREAM}${headers.map((line) => `${line}\r\n`).join('')}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return { socket, status: Number(answer.toString('latin1', 9, 12)) };
}

const POLL = { timeout: 20_000, interval: 20 };
const HOST = 'Host: 127.0.0.1';
const BEARER = `Authorization: Bearer ${TOKEN}`;

test('a stream needs the token, and a browser its own page', async () => {
  const { port } = await listen();
  const statusOf = async (...headers: string[]): Promise<number> => (await ask(port, headers)).status;
  const cookie = `Cookie: ${api!.guard.redeem(api!.guard.link().split('=')[1]!).split(';')[0]}`;
  expect(await statusOf(HOST)).toBe(401);
  expect(await statusOf(HOST, 'Authorization: Bearer x')).toBe(401);
  expect(await statusOf('Host: evil.example', BEARER)).toBe(403);
  expect(await statusOf(HOST, cookie)).toBe(403);
  expect(await statusOf(HOST, cookie, 'Origin: http://evil.example')).toBe(403);
  expect(api!.streams.count).toBe(0);
  expect(await statusOf(HOST, BEARER)).toBe(101);
  expect(await statusOf(HOST, cookie, 'Origin: http://127.0.0.1')).toBe(101);
  expect(api!.streams.count).toBe(2);
});

test('of a thousand streams at once, so many are opened, and others later', async () => {
  const { port } = await listen();
  const all = await Promise.all(Array.from({ length: 1000 }, () => ask(port, [HOST, BEARER])));
  const { most } = STREAM_LIMITS;
  expect(all.filter(({ status }) => status === 101)).toHaveLength(most);
  expect(all.filter(({ status }) => status === 503)).toHaveLength(1000 - most);
  // Those that were refused take up connections as well.
  for (const { socket } of all) socket.destroy();
  await expect.poll(() => api!.streams.count, POLL).toBe(0);
  const connections = promisify(api!.server.server.getConnections).bind(api!.server.server);
  await expect.poll(connections, POLL).toBe(0);
  expect((await ask(port, [HOST, BEARER])).status).toBe(101);
});

test('a browser that is gone in the middle of a request, or of an answer, leaves nothing behind', async () => {
  const { port, url } = await listen();
  const begin = (text: string): Socket => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.write(text);
    return socket;
  };
  const head = `${HOST}\r\n${BEARER}\r\nContent-Type: application/json\r\n`;
  const half = begin(
    `POST /api/v1/experiments HTTP/1.1\r\n${head}Content-Length: 1000\r\n\r\n{"topology": "serv`,
  );
  const asking = begin(`GET /api/v1/experiments/${NAME}/topology HTTP/1.1\r\n${head}\r\n`);
  const connections = promisify(api!.server.server.getConnections).bind(api!.server.server);
  await expect.poll(connections, POLL).toBe(2);
  for (const socket of [half, asking]) socket.destroy();
  await expect.poll(connections, POLL).toBe(0);
  expect(api!.experiments.started).toEqual([]);
  expect(await new ApiClient(url, TOKEN).call('listExperiments', {})).toHaveLength(1);
});

test('a reader that never reads is dropped, and one that talks as well', async () => {
  const { port } = await listen({ pingMs: 100 });
  const { socket: silent } = await ask(port, [HOST, BEARER]);
  silent.pause();
  await expect.poll(() => api!.streams.count, POLL).toBe(0);
  const { socket: talkative } = await ask(port, [HOST, BEARER]);
  expect(api!.streams.count).toBe(1);
  // A masked text frame of 64 KiB.
  talkative.write(
    Buffer.concat([Buffer.from('81fe', 'hex'), Buffer.from([0xff, 0xff]), Buffer.alloc(4 + 65_535)]),
  );
  await expect.poll(() => api!.streams.count, POLL).toBe(0);
});

test('the server ends although somebody reads, who is told', async () => {
  const { url } = await listen();
  const { server } = api!;
  const reading = new ApiClient(url, TOKEN).stream(NAME);
  expect((await reading.next()).value).toMatchObject({ type: 'snapshot' });
  await server.close();
  const rest = async (): Promise<string> => {
    for await (const _ of reading);
    return 'ended';
  };
  await expect(rest()).rejects.toMatchObject({ code: 'STREAM_LOST' });
});

test('the client gives what the server says, and why it refuses', async () => {
  const { url } = await listen();
  const client = new ApiClient(url, TOKEN);
  const types: string[] = [];
  for await (const { type } of client.stream(NAME)) {
    types.push(type);
    api!.experiments.isRemoved = true;
  }
  expect([types[0], types.at(-1)]).toEqual(['snapshot', 'end']);
  await expect(client.stream('other').next()).rejects.toMatchObject({ code: 'EXPERIMENT_UNKNOWN' });
  await expect(new ApiClient(url, 'x').stream(NAME).next()).rejects.toMatchObject({ code: 'TOKEN_WRONG' });
  await expect(client.call('getPaths', { params: { experiment: 'a/b' } })).rejects.toMatchObject({
    code: 'REQUEST_MALFORMED',
    remedy: expect.stringContaining('openapi.json'),
  });
  await expect(new ApiClient('127.0.0.1:9').call('listExperiments', {})).rejects.toMatchObject({
    code: 'UNREACHABLE',
  });
});
