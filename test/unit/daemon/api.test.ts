/** What the agent's API answers to requests that no client of ours sends: HTTP's status, and a coded refusal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentDoor, openApi } from '../../../agent/daemon/api.ts';
import { NetfoldError } from '../../../proto/errors.ts';
import { callJson } from '../../../proto/http-json.ts';

let folder: string;
let server: FastifyInstance;
const asked: unknown[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-api-'));
  const door: Partial<AgentDoor> = {
    control: (request) => {
      asked.push(request);
      throw new NetfoldError({ code: 'CUT_OFF', blame: 'input', message: 'cut off' });
    },
    status: () => {
      throw new Error('a fault');
    },
  };
  server = await openApi(door as AgentDoor, join(folder, 'agent.sock'));
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
  asked.length = 0;
});

const JSON_TYPE = 'application/json';

test.each([
  ['malformed JSON', JSON_TYPE, '{"text": ', 400, 'REQUEST_MALFORMED'],
  ['no body', JSON_TYPE, '', 400, 'REQUEST_MALFORMED'],
  ['null', JSON_TYPE, 'null', 400, 'REQUEST_MALFORMED'],
  ['a list', JSON_TYPE, '[]', 400, 'REQUEST_MALFORMED'],
  ['an unknown key', JSON_TYPE, '{"text": "heal", "x": 1}', 400, 'REQUEST_MALFORMED'],
  ['a prototype', JSON_TYPE, '{"text": "heal", "__proto__": {}}', 400, 'REQUEST_MALFORMED'],
  [
    'a text of two kilobytes',
    JSON_TYPE,
    JSON.stringify({ text: 'x'.repeat(2048) }),
    400,
    'REQUEST_MALFORMED',
  ],
  ['deep nesting', JSON_TYPE, `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400, 'REQUEST_MALFORMED'],
  ['two megabytes', JSON_TYPE, JSON.stringify({ text: 'x'.repeat(2e6) }), 413, 'REQUEST_TOO_LARGE'],
  ['a text', 'text/plain', '{"text": "heal"}', 415, 'MEDIA_TYPE'],
  ['XML', 'application/xml', '<a/>', 415, 'MEDIA_TYPE'],
  ['a form', 'application/x-www-form-urlencoded', 'text=heal', 415, 'MEDIA_TYPE'],
])('%s', async (_, type, payload, status, code) => {
  const answer = await server.inject({
    method: 'POST',
    url: '/control',
    headers: { 'content-type': type },
    payload,
  });
  expect(answer.json()).toMatchObject({ code, blame: 'input', remedy: expect.stringMatching(/./) });
  expect(answer.statusCode).toBe(status);
  expect(asked).toEqual([]);
});

const COMMAND = { origin: 'b', incarnation: 1, number: 1, issuedAt: 1, at: 2, text: 'heal' };

test.each([
  ['/control/place', {}],
  ['/control/place', { text: 'heal' }],
  ['/control/place', { text: 'heal', author: 'no peer id' }],
  ['/control/place', { text: 'heal', author: '12D3KooW', x: 1 }],
  ['/control/signed', {}],
  ['/control/signed', { command: 'heal' }],
  ['/control/signed', { command: { ...COMMAND, at: 0 } }],
  ['/control/signed', { command: { ...COMMAND, signature: 'x' } }],
  ['/control/signed', { command: COMMAND, alone: true }],
])('%s with %o', async (url, payload) => {
  const answer = await server.inject({ method: 'POST', url, payload });
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'REQUEST_MALFORMED']);
});

test('a path that there is not', async () => {
  const answer = await server.inject({ method: 'GET', url: '/nothing' });
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'PATH_UNKNOWN']);
});

test('the refusal of a valid request, and a fault of the agent', async () => {
  const address = `unix:${join(folder, 'agent.sock')}`;
  await expect(callJson(address, '/control', { text: 'heal' })).rejects.toMatchObject({ code: 'CUT_OFF' });
  await expect(callJson(address, '/control', { texts: 1 })).rejects.toMatchObject({
    code: 'REQUEST_MALFORMED',
  });
  const answer = await server.inject({ method: 'GET', url: '/status' });
  expect([answer.statusCode, answer.json()]).toEqual([
    500,
    { code: 'INTERNAL', blame: 'internal', message: 'a fault' },
  ]);
});
