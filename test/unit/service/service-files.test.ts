import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  endedAt,
  keepEnd,
  keepPeers,
  keepService,
  MOST_PEERS,
  readPeers,
  readService,
  requireServiceName,
  serviceNames,
} from '../../../controller/service/service-files.ts';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'netfold-services-'));
  folder = join(root, 'wan');
});
afterEach(() => rmSync(root, { recursive: true }));

it('keeps the words, and copies of the files that they name, for root alone', () => {
  const key = join(root, 'my.key');
  writeFileSync(key, 'secret');
  const umask = process.umask(0);
  try {
    keepService(folder, ['--join', '192.0.2.7', `--mesh-key=${key}`, '--at', 'a=eth0']);
  } finally {
    process.umask(umask);
  }
  rmSync(key);
  const copy = join(folder, 'mesh-key');
  expect(readService(folder)).toEqual({
    words: ['--join', '192.0.2.7', '--mesh-key', copy, '--at', 'a=eth0'],
  });
  expect(readFileSync(copy, 'utf8')).toBe('secret');
  expect([folder, copy, join(folder, 'service.json')].map((path) => statSync(path).mode & 0o777)).toEqual([
    0o700, 0o600, 0o600,
  ]);
  expect(serviceNames(root)).toEqual(['wan']);
});

it('installed again with its own copies, keeps them', () => {
  const key = join(root, 'my.key');
  writeFileSync(key, 'secret');
  keepService(folder, ['--mesh-key', key]);
  keepService(folder, readService(folder).words);
  expect(readFileSync(join(folder, 'mesh-key'), 'utf8')).toBe('secret');
});

it('names the file that is missing, and the service that is', () => {
  expect(() => keepService(folder, ['--mesh-key', join(root, 'none')])).toThrow(
    expect.objectContaining({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining(join(root, 'none')),
    }),
  );
  expect(() => readService(join(root, 'lan'))).toThrow(expect.objectContaining({ code: 'SERVICE_UNKNOWN' }));
  writeFileSync(join(folder, 'service.json'), '{"words": 7}');
  expect(() => readService(folder)).toThrow(expect.objectContaining({ code: 'SERVICE_UNKNOWN' }));
});

it('remembers the agents that it has known, those of now first, and not more than a bound', () => {
  keepService(folder, []);
  expect(readPeers(folder)).toEqual([]);
  keepPeers(folder, ['a', 'b']);
  keepPeers(folder, ['c', 'a']);
  expect(readPeers(folder)).toEqual(['c', 'a', 'b']);
  keepPeers(
    folder,
    Array.from({ length: MOST_PEERS }, (_, index) => `new${index}`),
  );
  expect(readPeers(folder)).toHaveLength(MOST_PEERS);
  expect(readPeers(folder)).not.toContain('b');
});

it('does not write what is known already: a disk is not worn by an agent that stays for months', () => {
  keepService(folder, []);
  keepPeers(folder, ['a', 'b']);
  const { ino } = statSync(join(folder, 'peers.json'));
  keepPeers(folder, ['b', 'a']);
  expect(statSync(join(folder, 'peers.json')).ino).toBe(ino);
});

it('knows since when the experiment has ended everywhere', () => {
  keepService(folder, []);
  expect(endedAt(folder)).toBeUndefined();
  keepEnd(folder, new Date(0));
  expect(endedAt(folder)).toBe('1970-01-01T00:00:00.000Z');
});

it.each(['', 'a b', '../x', 'a@b', '-x', 'x'.repeat(49), 'a/b', 'a%i'])('refuses the name "%s"', (name) => {
  expect(() => requireServiceName(name)).toThrow(expect.objectContaining({ code: 'SERVICE_NAME' }));
  expect(existsSync(folder)).toBe(false);
});
