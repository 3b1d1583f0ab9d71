/** Who may ask the API. */
import { expect, test } from 'vitest';
import { Allowance } from '../../../controller/api/access/allowance.ts';
import { type Asked, Guard } from '../../../controller/api/guard.ts';

const TOKEN = 't'.repeat(43);
let now = 1_000_000;
const guard = new Guard({ own: { port: 4647, token: TOKEN }, names: ['lab.example'], now: () => now });

const asked = (headers: Asked['headers'], method = 'GET', isUpgrade = false): Asked => ({
  method,
  headers,
  isUpgrade,
});
const codeOf = (act: () => unknown): unknown => {
  try {
    act();
    return 'allowed';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test.each([
  ['127.0.0.1:4647', 'allowed'],
  ['localhost:4647', 'allowed'],
  ['LOCALHOST', 'allowed'],
  ['[::1]:4647', 'allowed'],
  ['192.0.2.7', 'allowed'],
  ['lab.example:80', 'allowed'],
  ['evil.example:4647', 'HOST_FOREIGN'],
  ['localhost.evil.example', 'HOST_FOREIGN'],
  ['127.0.0.1.evil.example', 'HOST_FOREIGN'],
  ['lab.example@evil.example', 'HOST_FOREIGN'],
  ['', 'HOST_FOREIGN'],
  [undefined, 'HOST_FOREIGN'],
])('host %s: %s', (host, outcome) => {
  expect(codeOf(() => guard.requireOwn(asked({ host })))).toBe(outcome);
});

test.each([
  [{ origin: 'http://127.0.0.1:4647' }, 'allowed'],
  [{ origin: 'https://127.0.0.1:4647' }, 'allowed'],
  [{ origin: 'http://127.0.0.1:80' }, 'ORIGIN_FOREIGN'],
  [{ origin: 'http://evil.example' }, 'ORIGIN_FOREIGN'],
  [{ origin: 'null' }, 'ORIGIN_FOREIGN'],
  [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 'ORIGIN_FOREIGN'],
  [{ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 'ORIGIN_FOREIGN'],
  // Whoever opens the link from another page.
  [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 'allowed'],
  [{ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }, 'allowed'],
])('origin %j: %s', (headers, outcome) => {
  expect(codeOf(() => guard.requireOwn(asked({ host: '127.0.0.1:4647', ...headers })))).toBe(outcome);
});

test.each([
  [{}, 'TOKEN_MISSING'],
  [{ authorization: `Bearer ${TOKEN}` }, 'allowed'],
  [{ authorization: `bearer ${TOKEN}` }, 'allowed'],
  [{ authorization: `Bearer ${TOKEN}x` }, 'TOKEN_WRONG'],
  [{ authorization: 'Bearer x' }, 'TOKEN_WRONG'],
  [{ authorization: `Basic ${TOKEN}` }, 'TOKEN_MISSING'],
  [{ cookie: `netfold_4647=${TOKEN}` }, 'SESSION_EXPIRED'],
  [{ cookie: 'netfold_4647=9999999999999.forged' }, 'SESSION_EXPIRED'],
  [{ cookie: 'netfold_4648=1' }, 'TOKEN_MISSING'],
])('%j: %s', (headers, outcome) => {
  expect(codeOf(() => guard.requireRight(asked(headers)))).toBe(outcome);
});

test('a link opens once, and gives a cookie that expires', () => {
  const code = new URL(guard.link(), 'http://x').searchParams.get('code')!;
  const set = guard.redeem(code);
  expect(set).toMatch(/^netfold_4647=\S+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800$/);
  expect(set).not.toContain(TOKEN);
  expect(codeOf(() => guard.redeem(code))).toBe('LINK_USED');
  expect(codeOf(() => guard.redeem(''))).toBe('LINK_USED');
  const cookie = `other=1; ${set.split(';')[0]}`;
  expect(codeOf(() => guard.requireRight(asked({ cookie })))).toBe('allowed');
  // A page of another site could have sent it.
  expect(codeOf(() => guard.requireRight(asked({ cookie }, 'POST')))).toBe('ORIGIN_FOREIGN');
  expect(codeOf(() => guard.requireRight(asked({ cookie }, 'GET', true)))).toBe('ORIGIN_FOREIGN');
  expect(codeOf(() => guard.requireRight(asked({ cookie, origin: 'http://x' }, 'POST')))).toBe('allowed');
  // The next server of this port has the same token.
  const next = new Guard({ own: { port: 4647, token: TOKEN }, names: [], now: () => now });
  expect(codeOf(() => next.requireRight(asked({ cookie })))).toBe('allowed');
  const other = new Guard({ own: { port: 4647, token: 'x'.repeat(43) }, names: [], now: () => now });
  expect(codeOf(() => other.requireRight(asked({ cookie })))).toBe('SESSION_EXPIRED');
  now += 8 * 24 * 3600 * 1000;
  expect(codeOf(() => guard.requireRight(asked({ cookie })))).toBe('SESSION_EXPIRED');
});

test('a link that nobody opens for a day, and the oldest of a hundred', () => {
  const [late] = [guard.link()];
  now += 25 * 3600 * 1000;
  expect(codeOf(() => guard.redeem(late.split('=')[1]!))).toBe('LINK_USED');
  const first = guard.link();
  for (let count = 0; count < 100; count++) guard.link();
  expect(codeOf(() => guard.redeem(first.split('=')[1]!))).toBe('LINK_USED');
});

test('without a token, whoever reaches the server may ask', () => {
  const open = new Guard({ own: { port: 1, token: undefined }, names: [], now: () => now });
  expect(codeOf(() => open.requireRight(asked({}, 'POST')))).toBe('allowed');
  expect(codeOf(() => open.requireOwn(asked({ host: 'evil.example' })))).toBe('HOST_FOREIGN');
});

test('requests of one address are bounded, and others go on', () => {
  let at = 0;
  const allowance = new Allowance(() => at, { perSecond: 10, atOnce: 5 });
  const taken = (address: string, count: number): number =>
    Array.from({ length: count }, () => allowance.take(address)).filter(Boolean).length;
  expect(taken('a', 20)).toBe(5);
  expect(taken('b', 20)).toBe(5);
  at += 300;
  expect(taken('a', 20)).toBe(3);
  at += 1e6;
  expect(taken('a', 20)).toBe(5);
});
