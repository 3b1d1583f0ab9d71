/** The API by TLS: files that are refused, and clients that believe the server, or do not. */
import { createPrivateKey } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { isNamed, readTls } from '../../../controller/api/access/tls.ts';
import { Guard } from '../../../controller/api/guard.ts';
import { ApiClient } from '../../../sdk/client.ts';
import { pinnedLink } from '../../../sdk/pinned-link.ts';
import { type ApiLab, openApiLab, TOKEN } from '../../support/api-server.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { NAME } from '../../support/fakes/fake-experiments.ts';
import { netfold } from '../../support/lab/cli.ts';

vi.setConfig({ testTimeout: 60_000 });

const own = makeCertificate('localhost', 'lab.example');
const other = makeCertificate('localhost');
let folder: string;
let api: ApiLab;
let port: number;

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netfold-tls-'));
  file('own.pem', own.cert, 0o644);
  file('own.key', own.key);
  file('other.pem', other.cert, 0o644);
  api = await openApiLab({ tls: own, streams: { pace: { periodMs: 5, idleMs: 50 } } });
  await api.server.listen({ host: '127.0.0.1', port: 0 });
  port = (api.server.server.address() as AddressInfo).port;
  vi.stubEnv('NETFOLD_TOKEN', TOKEN);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await api.close();
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);
const codeOf = (act: () => unknown): unknown => {
  try {
    act();
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test('certificate and key are accepted if they fit, and refused by name otherwise', () => {
  const locked = createPrivateKey(own.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  });
  file('open.key', own.key, 0o644);
  file('group.key', own.key, 0o640);
  file('locked.key', locked as string);
  file('none.pem', 'nothing', 0o644);
  file('other.key', other.key);
  file('writable.pem', own.cert, 0o666);
  const tried = (cert: string, key: string, now?: number): unknown =>
    codeOf(() => readTls({ cert: at(cert), key: at(key) }, now));
  expect(tried('own.pem', 'own.key')).toBe('accepted');
  expect(tried('own.pem', 'other.key')).toBe('TLS_MISMATCH');
  expect(tried('own.pem', 'open.key')).toBe('FILE_EXPOSED');
  expect(tried('own.pem', 'group.key')).toBe('FILE_EXPOSED');
  expect(tried('writable.pem', 'own.key')).toBe('FILE_EXPOSED');
  expect(tried('own.pem', 'missing.key')).toBe('FILE_UNREADABLE');
  expect(tried('own.pem', 'locked.key')).toBe('TLS_KEY');
  expect(tried('own.pem', 'own.pem')).toBe('FILE_EXPOSED');
  expect(tried('none.pem', 'own.key')).toBe('TLS_CERTIFICATE');
  expect(tried('own.pem', 'own.key', Date.now() + 2 * 3600e3)).toBe('TLS_CERTIFICATE');
  expect(tried('own.pem', 'own.key', Date.now() - 2 * 3600e3)).toBe('TLS_CERTIFICATE');
  expect(['lab.example', '127.0.0.1', 'other.example', '::1'].map((name) => isNamed(own, name))).toEqual([
    ...[true, true, false, false],
  ]);
});

test('the command line refuses options that do not go together, before it does anything', async () => {
  const refusal = async (...words: string[]): Promise<unknown> => {
    const { code, stderr } = await netfold(...words);
    return [code, stderr];
  };
  const cert = at('own.pem');
  expect(await refusal('serve', '--tls-cert', cert)).toEqual([2, expect.stringContaining('--tls-key')]);
  expect(await refusal('up', 'examples/quickstart.yaml', '--tls-cert', cert, '--tls-key', 'x')).toEqual([
    ...[2, expect.stringContaining('--serve')],
  ]);
  const key = file('exposed.key', own.key, 0o604);
  expect(await refusal('serve', '--tls-cert', cert, '--tls-key', key)).toEqual([
    ...[1, expect.stringContaining('open to others')],
  ]);
});

test('the command line believes a server whose certificate it is given, and no other', async () => {
  const url = `https://localhost:${port}`;
  const list = (...words: string[]) => netfold('ls', '--json', ...words);
  const believed = await list('--api', url, '--ca', at('own.pem'));
  expect([believed.code, believed.stderr]).toEqual([0, '']);
  expect(JSON.parse(believed.stdout)).toMatchObject([{ name: NAME }]);
  for (const words of [[], ['--ca', at('other.pem')]])
    expect(await list('--api', url, ...words)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('--ca'),
    });
  // Its certificate is not for this address.
  const elsewhere = await list('--api', `https://[::ffff:127.0.0.1]:${port}`, '--ca', at('own.pem'));
  expect(elsewhere.code).toBe(3);
  const plain = await list('--api', `http://127.0.0.1:${port}`);
  expect([plain.code, plain.stderr]).toEqual([3, expect.stringContaining('https://')]);
  vi.stubEnv('NODE_EXTRA_CA_CERTS', at('own.pem'));
  const byNode = await list('--api', url);
  vi.stubEnv('NODE_EXTRA_CA_CERTS', undefined);
  expect([byNode.code, byNode.stderr]).toEqual([0, '']);
  const none = await list('--api', url, '--ca', at('own.key'));
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('no certificate')]);
});

test('streams go by TLS as well', async () => {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, own.cert]);
  try {
    const stream = new ApiClient(`https://localhost:${port}`, TOKEN).stream(NAME);
    expect((await stream.next()).value).toMatchObject({ type: 'snapshot' });
    await stream.return();
  } finally {
    setDefaultCACertificates(before);
  }
});

test('a link is asked for by the certificate itself, at any address', async () => {
  const url = `https://127.0.0.1:${port}`;
  expect(await pinnedLink(url, at('own.pem'))).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/login\?code=\S+$/);
  await expect(pinnedLink(url, at('other.pem'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(pinnedLink(url, at('own.key'))).rejects.toMatchObject({ code: 'TLS_CERTIFICATE' });
  vi.stubEnv('NETFOLD_TOKEN', 'x');
  await expect(pinnedLink(url, at('own.pem'))).rejects.toMatchObject({ code: 'TOKEN_WRONG' });
  vi.stubEnv('NETFOLD_TOKEN', TOKEN);
});

test('cookies of TLS are sent by TLS alone, and pages by plain HTTP are foreign', () => {
  const guard = new Guard({ own: { port, token: TOKEN }, isSecure: true, names: [], now: Date.now });
  expect(guard.redeem(guard.link().split('=')[1]!)).toMatch(/; Secure$/);
  const headers = (origin: string) => ({
    method: 'GET',
    isUpgrade: false,
    headers: { host: 'localhost', origin },
  });
  expect(codeOf(() => guard.requireOwn(headers('https://localhost')))).toBe('accepted');
  expect(codeOf(() => guard.requireOwn(headers('http://localhost')))).toBe('ORIGIN_FOREIGN');
});
