/** The dashboard's page, and terminals, over real sockets. The endpoint's shell is an echo. */
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PAGE_POLICY } from '../../../controller/ui/page.ts';
import { type ApiLab, openApiLab, TOKEN } from '../../support/api-server.ts';

let api: ApiLab;
let origin: string;

beforeEach(async () => {
  api = await openApiLab();
  await api.server.listen({ host: '127.0.0.1', port: 0 });
  origin = `http://127.0.0.1:${(api.server.server.address() as AddressInfo).port}`;
});
afterEach(() => api.close());

const BEARER = { authorization: `Bearer ${TOKEN}` };
const TERMINAL = '/api/v1/experiments/fake/endpoints/server.0/terminal';

/** What the server answers to who asks for a WebSocket. */
function statusOf(path: string, headers: Record<string, string> = BEARER): Promise<number> {
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  return new Promise((resolve, reject) => {
    const asked = request(origin + path, { agent: false, headers: { ...upgrade, ...headers } });
    asked.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    asked.on('upgrade', (_, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function open(path: string) {
  // Node's own takes headers as well, which browsers do not.
  const socket = new WebSocket(origin.replace('http', 'ws') + path, { headers: BEARER } as never);
  socket.binaryType = 'arraybuffer';
  const said: string[] = [];
  socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
    said.push(typeof data === 'string' ? data : Buffer.from(data).toString());
  };
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => resolve(code);
  });
  await new Promise((resolve) => {
    socket.onopen = resolve;
    socket.onerror = resolve;
  });
  return { socket, said, closed };
}

test('the page and its program are open, and nothing else', async () => {
  const page = await fetch(`${origin}/`);
  expect(page.headers.get('content-security-policy')).toBe(PAGE_POLICY);
  expect(await page.text()).toContain('/dashboard.js');
  const program = await fetch(`${origin}/dashboard.js`);
  expect(program.headers.get('content-type')).toContain('javascript');
  expect((await fetch(`${origin}/api/v1/experiments`)).status).toBe(401);
  expect((await fetch(`${origin}/dashboard.js.map`, { headers: BEARER })).status).toBe(404);
  const foreign = await api.server.inject({ url: '/', headers: { host: 'evil.example' } });
  expect(foreign.statusCode).toBe(403);
});

test('a link leads to the page', async () => {
  const answer = await fetch(origin + api.guard.link());
  expect(answer.headers.get('set-cookie')).toContain('HttpOnly');
  expect(await answer.text()).toContain('url=/"');
});

test('a terminal takes what is typed and its size, and says when it has ended', async () => {
  const { socket, said, closed } = await open(`${TERMINAL}?columns=100&rows=30`);
  socket.send(JSON.stringify({ type: 'input', text: 'hello' }));
  socket.send(JSON.stringify({ type: 'size', columns: 20, rows: 10 }));
  await expect.poll(() => said.join('')).toBe('server.0 100x30\nhello20x10\n');
  socket.send(JSON.stringify({ type: 'input', text: 'exit\n' }));
  expect(await closed).toBe(1000);
  expect(JSON.parse(said.at(-1)!)).toEqual({ type: 'end', reason: 'the shell has ended with 0' });
});

test.each([
  ['no JSON', 'exit'],
  ['another type', '{"type":"run","text":"x"}'],
  ['more than one message may have', JSON.stringify({ type: 'input', text: 'x'.repeat(501) })],
  ['no size', '{"type":"size","columns":0,"rows":1e9}'],
])('%s ends a terminal, with the reason', async (_, text) => {
  const { socket, said, closed } = await open(TERMINAL);
  socket.send(text);
  expect(await closed).toBe(1008);
  expect(JSON.parse(said.at(-1)!)).toEqual({ type: 'end', reason: expect.stringContaining('message') });
});

test('a terminal needs what a command needs', async () => {
  const cookie = api.guard.redeem(api.guard.link().split('=')[1]!).split(';')[0]!;
  expect(await statusOf(TERMINAL, {})).toBe(401);
  expect(await statusOf(TERMINAL, { cookie })).toBe(403);
  expect(await statusOf(TERMINAL, { cookie, origin: 'http://evil.example' })).toBe(403);
  expect(await statusOf(TERMINAL, { cookie, origin })).toBe(101);
  expect(await statusOf(TERMINAL.replace('server.0', 'nobody'))).toBe(404);
  expect(await statusOf(`${TERMINAL}?rows=1000000`)).toBe(400);
  expect((await fetch(origin + TERMINAL, { headers: BEARER })).status).toBe(400);
});

test('of many terminals at once, 16 are opened, and others later', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => open(TERMINAL)));
  const isEcho = ({ said }: { said: string[] }): boolean => said[0]?.startsWith('server.0') ?? false;
  await expect.poll(() => all.filter(isEcho).length).toBe(16);
  expect(await statusOf(TERMINAL)).toBe(503);
  for (const { socket } of all) socket.close();
  await expect.poll(() => statusOf(TERMINAL)).toBe(101);
});
