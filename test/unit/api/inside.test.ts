/** Logs in pieces, and the small parts of the API's command line. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openToken, removeToken } from '../../../controller/api/access/token.ts';
import { readLog, wholeCharacters } from '../../../controller/api/local-inside.ts';
import { parseApiAddress } from '../../../controller/cli/options/serve-options.ts';
import { tokenFile } from '../../../controller/names.ts';
import { MAX_LOG_BYTES } from '../../../proto/api/v1/endpoints.ts';
import { ApiClient } from '../../../sdk/client.ts';
import { pingCommand, roundTripsOf } from '../../../sdk/round-trips.ts';

const folder = mkdtempSync(join(tmpdir(), 'netfold-inside-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a log is read on where the last answer ended', () => {
  const path = join(folder, 'a.log');
  expect(readLog(path, 'a.0', { tail: 5 })).toEqual({ endpoint: 'a.0', text: '', next: 0 });
  writeFileSync(path, 'one\ntwo\nthree\n');
  const last = readLog(path, 'a.0', { tail: 2 });
  expect(last).toEqual({ endpoint: 'a.0', text: 'two\nthree\n', next: 14 });
  writeFileSync(path, 'four\n', { flag: 'a' });
  expect(readLog(path, 'a.0', { tail: 0, from: 14 })).toEqual({ endpoint: 'a.0', text: 'four\n', next: 19 });
  // It was emptied meanwhile.
  writeFileSync(path, 'new\n');
  expect(readLog(path, 'a.0', { tail: 0, from: 19 }).text).toBe('new\n');
});

test('a long log comes in pieces that are bounded, and characters stay whole', () => {
  const path = join(folder, 'long.log');
  const text = 'ä€𝄞'.repeat(100_000);
  writeFileSync(path, text);
  let [read, from] = ['', 0];
  for (;;) {
    const piece = readLog(path, 'a.0', { tail: 0, from });
    if (piece.text === '') break;
    expect(Buffer.byteLength(piece.text)).toBeLessThanOrEqual(MAX_LOG_BYTES);
    read += piece.text;
    from = piece.next!;
  }
  expect(read).toBe(text);
});

test.each([
  ['', 0],
  ['61', 1],
  ['61c3', 1],
  ['c3a4', 2],
  ['61e282', 1],
  ['e282ac', 3],
  ['f09d84', 0],
  ['f09d849e', 4],
  ['808080', 3],
])('of %s, %i bytes are whole', (hex, whole) => {
  expect(wholeCharacters(Buffer.from(hex, 'hex'))).toBe(whole);
});

test('a token stays with its port, for its owner alone', () => {
  const token = openToken(4647, folder);
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(statSync(tokenFile(4647, folder)).mode & 0o777).toBe(0o600);
  expect(openToken(4647, folder)).toBe(token);
  expect(openToken(4648, folder)).not.toBe(token);
  writeFileSync(tokenFile(4648, folder), 'no token');
  expect(openToken(4648, folder)).toMatch(/^[\w-]{43}$/);
  removeToken(4647, folder);
  expect(openToken(4647, folder)).not.toBe(token);
});

test.each([
  ['', '127.0.0.1', 4647],
  ['localhost', '127.0.0.1', 4647],
  ['localhost:80', '127.0.0.1', 80],
  [':0', '127.0.0.1', 0],
  ['8080', '127.0.0.1', 8080],
  ['0.0.0.0', '0.0.0.0', 4647],
  ['192.0.2.7:1', '192.0.2.7', 1],
  ['::1', '::1', 4647],
  ['[::1]:80', '::1', 80],
])('%s: port and address', (text, address, port) => {
  expect(parseApiAddress(text)).toEqual({ address, port });
});

test.each(['example.org', '127.0.0.1:65536', '1.2.3', '[::1', 'http://127.0.0.1'])(
  '%s is no address',
  (text) => {
    expect(() => parseApiAddress(text)).toThrow(/ADDRESS:PORT/);
  },
);

test('addresses of the API', () => {
  expect(new ApiClient('127.0.0.1:4647').url).toBe('http://127.0.0.1:4647');
  expect(new ApiClient('https://lab.example/login?code=x').url).toBe('https://lab.example');
  for (const wrong of ['', 'ftp://a', 'http://', 'a b'])
    expect(() => new ApiClient(wrong)).toThrow(/is no address of an API/);
});

test('round trips are read from what ping prints', () => {
  const output = `PING 10.0.0.3 (10.0.0.3) 56(84) bytes of data.
64 bytes from 10.0.0.3: icmp_seq=1 ttl=64 time=30.5 ms
64 bytes from 10.0.0.3: icmp_seq=2 ttl=64 time=31.5 ms
64 bytes from 10.0.0.3: icmp_seq=3 ttl=64 time=30.1 ms

--- 10.0.0.3 ping statistics ---
4 packets transmitted, 3 received, 25% packet loss, time 601ms
`;
  expect(roundTripsOf(output)).toEqual({
    sent: 4,
    received: 3,
    loss: 0.25,
    minMs: 30.1,
    medianMs: 30.5,
    maxMs: 31.5,
  });
  expect(roundTripsOf('ping: unknown host')).toBeUndefined();
  expect(roundTripsOf('1 packets transmitted, 0 received, 100% packet loss')).toMatchObject({
    loss: 1,
    medianMs: null,
  });
  expect(pingCommand('10.0.0.3', 10).at(-1)).toBe('10.0.0.3');
});
