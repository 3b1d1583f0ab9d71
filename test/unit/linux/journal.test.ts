import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type InterfaceIdentity,
  Journal,
  type JournalEntry,
} from '../../../agent/linux/take-over/journal.ts';

let folder: string;
let journal: Journal;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
  journal = new Journal(join(folder, 'made'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const identity: InterfaceIdentity = {
  namespaceDevice: 4,
  namespaceInode: 4026531840,
  namespaceCookie: '17',
  bootId: 'a-b-c',
  ifindex: 3,
};

const entry: JournalEntry = {
  version: 1,
  identity,
  ifname: 'eth7',
  namespacePath: '/run/netns/web',
  takenAt: '2026-11-21T10:00:00.000Z',
  experiment: 'x',
  tree: {
    device: {
      ifname: 'eth7',
      mtu: 1500,
      txQueueLength: 1000,
      txQueues: 1,
      gsoMaxSegments: 21,
      gsoSegmentsByDefault: 65_535,
    },
    qdiscs: [{ kind: 'bfifo', handle: 0x50000, parent: 0xffffffff, options: 'QJwAAA==' }],
    classes: [],
    filters: [],
  },
};

const withLimit = (options: string): JournalEntry => ({
  ...entry,
  tree: { ...entry.tree, qdiscs: [{ ...entry.tree.qdiscs[0]!, options }] },
});

describe('an entry', () => {
  test('is found by its interface, in one file, until it is removed', () => {
    expect(journal.find(identity)).toBeUndefined();
    journal.write(entry);
    expect(journal.find(identity)).toEqual(entry);
    expect(readdirSync(journal.folder)).toEqual(['4-4026531840-3.json']);
    expect(journal.list()).toEqual([{ path: journal.pathOf(identity), entry }]);
    journal.remove(identity);
    expect(journal.find(identity)).toBeUndefined();
    expect(journal.list()).toEqual([]);
    journal.remove(identity);
  });

  test.each(['namespaceCookie', 'bootId'] as const)('is none of an interface with another %s', (field) => {
    journal.write(entry);
    const other = { ...identity, [field]: 'other' };
    expect(journal.find(other)).toBeUndefined();
    journal.remove(other);
    expect(journal.find(identity)).toEqual(entry);
    // The numbers were assigned again, because their former owner has left.
    journal.write({ ...entry, identity: other });
    expect(journal.find(identity)).toBeUndefined();
    expect(journal.find(other)).toBeDefined();
  });

  test.each(['namespaceDevice', 'namespaceInode', 'ifindex'] as const)('has a file for each %s', (field) => {
    journal.write(entry);
    journal.write({ ...entry, identity: { ...identity, [field]: 99 } });
    expect(journal.list()).toHaveLength(2);
  });

  test('is not overwritten: not by the same, not by another', () => {
    journal.write(entry);
    journal.write({ ...entry, experiment: 'later' });
    expect(journal.find(identity)?.experiment).toBe('x');
    expect(() => journal.write(withLimit('AAAA'))).toThrow(
      expect.objectContaining({ code: 'JOURNAL_CONFLICT', path: journal.pathOf(identity) }),
    );
    expect(journal.find(identity)).toEqual(entry);
  });
});

describe('files', () => {
  test('that an agent was killed in are no entries, and go with the next', () => {
    journal.write(entry);
    writeFileSync(join(journal.folder, '4-5-6.json.unfinished'), '{"version":');
    expect(journal.list()).toHaveLength(1);
    journal.write({ ...entry, identity: { ...identity, ifindex: 4 } });
    expect(readdirSync(journal.folder)).toEqual(['4-4026531840-3.json', '4-4026531840-4.json']);
  });

  test.each([
    ['cut off', (text: string) => text.slice(0, 50), /JSON/],
    ['of another version', (text: string) => text.replace('"version": 1', '"version": 2'), /version/],
    ['with a field that is wrong', (text: string) => text.replace('"mtu": 1500', '"mtu": -1'), /mtu/],
    ['with a field too much', (text: string) => text.replace('"ifname"', '"more": 1, "ifname"'), /more/],
  ])('%s are named, and kept', (_, spoil, reason) => {
    journal.write(entry);
    const path = journal.pathOf(identity);
    const spoilt = spoil(readFileSync(path, 'utf8'));
    writeFileSync(path, spoilt);
    const unreadable = expect.objectContaining({
      code: 'JOURNAL_UNREADABLE',
      path,
      message: expect.stringMatching(reason),
    });
    expect(() => journal.find(identity)).toThrow(unreadable);
    expect(() => journal.write(entry)).toThrow(unreadable);
    expect(() => journal.remove(identity)).toThrow(unreadable);
    expect(journal.list()).toEqual([{ path, error: unreadable }]);
    expect(readFileSync(path, 'utf8')).toBe(spoilt);
  });
});
